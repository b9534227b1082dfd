"""`esg-assets report account`: one account's history from the sealed reports, for those who hold a key.

The id comes from standard input, so that it is in no list of processes and no shell history, and it is
repeated nowhere. What changed between reports is `esg_assets.core.account_history`.
"""

import codecs
import sys
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esg_assets.cli.answers import Answer, Rows
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import DAY_FORMATS, Key, KeyringFile
from esg_assets.cli.report_access import opener_of, verifying_settings
from esg_assets.core import account_history, row_changes
from esg_assets.core.account_history import Seen, State, Step
from esg_assets.core.errors import KeyMissing, SettingsWrong, Tampered

if TYPE_CHECKING:
    from esg_assets.adapters.publications import PublishedReports
    from esg_assets.core.publication import Publication
    from esg_assets.core.record_ports import OpeningEnvelope

_LONGEST_ID = 4_096  # bytes
_MARK = codecs.BOM_UTF8
_HEAD = ("date", "version", "as of")
_SHOWN = {
    "processing_status": "status",
    "reason": "reason",
    "overall_esg_score": "overall",
    "environmental_score": "E",
    "social_score": "S",
    "governance_score": "G",
    "esg_rating": "rating",
    "primary_esg_focus": "focus",
    "coverage_pct": "coverage",
    "rating_as_of": "rated",
}
_STATES = {
    State.ABSENT: "not in it",
    State.EXPIRED: "expired (entry {entry})",
    State.OTHER_RECIPIENTS: "sealed to other keys",
    State.MISSING: "missing from the store",
    State.DOES_NOT_VERIFY: "does not verify",
}


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("report account", account)


def account(
    first: Annotated[
        datetime, typer.Option("--from", metavar="D", formats=DAY_FORMATS, help="The first report's date.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", metavar="D", formats=DAY_FORMATS, help="The last report's date.")
    ],
    key: Key,
    keyring: KeyringFile = None,
) -> Answer:
    """One account's history from the sealed reports; its id is read from standard input, one line.

    A row for each version of each report, with what changed since the one before. Each report is verified
    before its row is shown; nothing is written. Exit 1 if one is missing or does not verify.
    """
    from esg_assets.composition import SealedStores  # noqa: PLC0415 - slow to import

    span = first.date(), last.date()
    if span[0] > span[1]:
        raise SettingsWrong(f"--from {span[0]} is after --to {span[1]}; wanted is the earlier date first.")
    reports = SealedStores(verifying_settings("report account", keyring)).published
    opener = opener_of(key)
    published = [each for each in reports.list() if span[0] <= each.date <= span[1]]
    published.sort(key=lambda each: (each.date, each.version))
    _require_one_that_opens(published, opener)
    account_id = _account_id()
    steps = list(account_history.steps(_seen(reports, each, opener, account_id) for each in published))
    gaps = list(account_history.gaps([each.date for each in published], *span))
    told = {
        "from": span[0].isoformat(),
        "to": span[1].isoformat(),
        "reports": [_told(step) for step in steps],
        "gaps": [{"from": begin.isoformat(), "to": end.isoformat()} for begin, end in gaps],
    }
    faulty = any(step.seen.state.fault for step in steps)
    padded = account_id != account_id.strip()
    return Answer(told, _words(steps, gaps, span, padded=padded), status=1 if faulty else 0)


def _account_id() -> str:
    """The one line of standard input, its end stripped and nothing else: blanks can be part of an id.

    Nor is the mark part of it that some editors put in front of a file in UTF-8.
    """
    if sys.stdin.isatty():
        sys.stderr.write("Account id: ")
        sys.stderr.flush()
        data = sys.stdin.readline().encode(errors="surrogateescape")
    else:
        # As bytes: what the locale makes of them does not matter.
        buffer = getattr(sys.stdin, "buffer", None)
        data = sys.stdin.read().encode() if buffer is None else buffer.read(_LONGEST_ID + len(_MARK) + 3)
    try:
        line = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        line = ""
    line = line.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line or len(line.encode()) > _LONGEST_ID:
        raise SettingsWrong(
            "The account id is read from standard input: wanted is exactly one line in UTF-8, such as "
            "`esg-assets report account … < FILE`."
        )
    return line


def _require_one_that_opens(published: "Sequence[Publication]", opener: "OpeningEnvelope") -> None:
    from esg_assets.cli.reports import require_recipient  # noqa: PLC0415 - slow to import

    there = [each for each in published if not each.expired]
    if there and not any(opener.recipient in each.recipients for each in there):
        require_recipient(there[-1], opener)


def _seen(
    reports: "PublishedReports", publication: "Publication", opener: "OpeningEnvelope", account_id: str
) -> Seen:
    """What a report says of the account, once it was read to its verified end."""
    from esg_assets.core import report_rows  # noqa: PLC0415 - slow to import

    seen = partial(Seen, publication.date, publication.version, as_of=publication.as_of)
    if publication.expired:
        return seen(State.EXPIRED, entry=publication.expired)
    if opener.recipient not in publication.recipients:
        return seen(State.OTHER_RECIPIENTS)
    pieces = reports.read_twice(publication, opener).first()
    try:
        row = account_history.find(report_rows.rows(pieces), account_id)
        for _ in pieces:  # what follows is not looked at, but has to verify
            pass
    except Tampered:
        return seen(State.DOES_NOT_VERIFY)
    except KeyMissing:
        return seen(State.MISSING)
    return seen(State.ABSENT if row is None else State.FOUND, row)


def _told(step: Step) -> dict[str, Any]:
    seen, row = step.seen, step.seen.row
    told: dict[str, Any] = {
        "date": seen.date.isoformat(),
        "version": seen.version,
        "as_of": None if seen.as_of is None else seen.as_of.isoformat(),
        "state": seen.state.value,
        "entry": seen.entry,
        "row": None if row is None else {name: cell for name, cell in row.items() if name != "account_id"},
        "change": None,
    }
    if step.since is not None:
        before = step.since.row or {}
        told["change"] = {
            "since": {"date": step.since.date.isoformat(), "version": step.since.version},
            "kinds": list(step.kinds),
            **{
                name: row_changes.moved(before.get(name, ""), (row or {}).get(name, ""))
                for name in row_changes.SCORES
            },
        }
    return told


def _words(
    steps: Sequence[Step], gaps: Sequence[tuple[date, date]], span: tuple[date, date], *, padded: bool
) -> list[str | Rows]:
    if not steps:
        return [
            f"No report from {span[0]} to {span[1]} is published. `esg-assets report list` shows which are."
        ]
    rows = [*map(_row, steps), *(_gap(begin, end) for begin, end in gaps)]
    rows.sort(key=lambda row: row[0][:10])  # stable: versions stay in their order
    found = sum(step.seen.state is State.FOUND for step in steps)
    faulty = sum(step.seen.state.fault for step in steps)
    lines: list[str | Rows] = [Rows((*_HEAD, *_SHOWN.values(), "change"), rows)]
    lines.append(f"In {found:,} of {len(steps):,} reports from {span[0]} to {span[1]}.")
    if not found:
        lines.append(
            "The id counts as it stands, blanks and capital letters too; the report's `'` is none of it."
        )
        if padded:
            lines.append("The line that was read begins or ends with a blank: is that part of the id?")
    if faulty:
        lines.append(
            f"Missing, or not what was published, so that nothing is shown: {faulty:,} of these. "
            "`esg-assets report verify` tells more."
        )
    return lines


def _row(step: Step) -> list[str]:
    seen = step.seen
    head = [seen.date.isoformat(), str(seen.version), "" if seen.as_of is None else seen.as_of.isoformat()]
    change = _change(step)
    if seen.row is None:
        return [*head, _STATES[seen.state].format(entry=seen.entry), *[""] * (len(_SHOWN) - 1), change]
    return [*head, *(seen.row.get(name, "") for name in _SHOWN), change]


def _change(step: Step) -> str:
    if step.since is None or not step.kinds:
        return ""
    before, now = step.since.row, step.seen.row
    if before is None or now is None:
        return step.kinds[0]
    return row_changes.words(before, now, moves=True) or "other columns"


def _gap(begin: date, end: date) -> list[str]:
    days = begin.isoformat() if begin == end else f"{begin} to {end}"
    return [days, "", "", "no report", *[""] * len(_SHOWN)]
