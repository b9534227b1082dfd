"""`esg-assets report diff`: the accounts that changed between two reports, and why.

Both reports are read twice: wholly verified and counted, and then shown row by row. What counts as a
change is `esg_assets.core.row_changes`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esg_assets.cli.answers import Answer, Stream
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import Key, KeyringFile
from esg_assets.cli.report_access import opener_of, verifying_settings
from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:
    from esg_assets.adapters.publications import PublishedReports, TwiceRead
    from esg_assets.core.publication import Publication
    from esg_assets.core.record_ports import OpeningEnvelope
    from esg_assets.core.row_changes import RowChange, Tally

_REPORT = re.compile(r"(\d{4}-\d\d-\d\d)(?:@([1-9]\d{0,8}))?", re.ASCII)
_PIECE = 1 << 16
_HEADER = ("account_id", "why", "what changed")


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("report diff", diff)


def diff(
    before: Annotated[str, typer.Argument(metavar="D1[@N]", help="The one report: date, and version.")],
    now: Annotated[str, typer.Argument(metavar="D2[@N]", help="The other; the newest version without @N.")],
    key: Key,
    keyring: KeyringFile = None,
) -> Answer:
    """Accounts that changed between two reports, and why: counts first, then a row for each.

    Both reports are verified before anything is shown, and nothing is written. Mind where you run it: it
    prints account ids.
    """
    wanted = [_parsed(given) for given in (before, now)]
    reports, opener = _reports(keyring), opener_of(key)
    chosen = [_openable(reports, *each, opener) for each in wanted]
    first, second = (reports.read_twice(each, opener) for each in chosen)
    tally, widths = _counted(first, second)
    stream = Stream("changes", _HEADER, widths, _rows(first, second))
    methods = [_methodology(reports, each, opener) for each in chosen]
    told = {
        **_told(chosen, tally),
        "methodology_versions": dict(zip(("before", "now"), methods, strict=True)),
    }
    return Answer(told, [*_words(chosen, tally), *_method_words(methods)], stream=stream)


def _parsed(given: str) -> tuple[date, int | None]:
    match = _REPORT.fullmatch(given)
    try:
        if match is not None:
            return date.fromisoformat(match[1]), int(match[2]) if match[2] else None
    except ValueError:
        match = None
    # What was given is not repeated: it may be anything.
    raise SettingsWrong("D1 and D2 name reports: a date, YYYY-MM-DD, or a version of it, YYYY-MM-DD@N.")


def _reports(keyring: Path | None) -> "PublishedReports":
    from esg_assets.composition import SealedStores  # noqa: PLC0415 - slow to import

    return SealedStores(verifying_settings("report diff", keyring)).published


def _openable(
    reports: "PublishedReports", day: date, version: int | None, opener: "OpeningEnvelope"
) -> "Publication":
    from esg_assets.cli.reports import require_recipient  # noqa: PLC0415 - slow to import

    publication = reports.version(day, version)
    if not publication.expired:  # of one that expired, opening it tells
        require_recipient(publication, opener)
    return publication


def _methodology(
    reports: "PublishedReports", publication: "Publication", opener: "OpeningEnvelope"
) -> dict[str, int] | None:
    """Rated accounts by version of the provider's methodology, from the sealed summary; None without one."""
    from esg_assets.core.summary_reading import methodology_versions, without_accounts  # noqa: PLC0415

    if publication.summary is None:
        return None
    with reports.open_summary(publication, opener) as source:
        return methodology_versions(without_accounts(iter(lambda: source.read(_PIECE), b"")))


def _method_words(methods: Sequence[dict[str, int] | None]) -> list[str]:
    before, now = methods
    if not before or not now or before.keys() == now.keys():
        return []
    said = [
        ", ".join(f"{name or 'none stated'} ({count:,})" for name, count in each.items())
        for each in (before, now)
    ]
    return [
        f"The provider's methodology has another version: {said[0]} → {said[1]}. Scores may differ by that."
    ]


def _counted(first: "TwiceRead", second: "TwiceRead") -> tuple["Tally", Sequence[int]]:
    """How many changed, and how wide their columns are. Both reports are verified then."""
    from esg_assets.core import report_rows, row_changes  # noqa: PLC0415 - slow to import

    tally, widths = row_changes.Tally(), [len(name) for name in _HEADER]
    for change in row_changes.changes(report_rows.rows(first.first()), report_rows.rows(second.first())):
        tally.add(change)
        if change.listed:
            widths[0] = max(widths[0], len(change.account_id))
            widths[1] = max(widths[1], len(_why(change)))
    return tally, widths


def _rows(first: "TwiceRead", second: "TwiceRead") -> Iterator[tuple[Mapping[str, object], Sequence[str]]]:
    from esg_assets.core import report_rows, row_changes  # noqa: PLC0415 - slow to import

    for change in row_changes.changes(report_rows.rows(first.again()), report_rows.rows(second.again())):
        if change.listed:
            sides = {
                name: None if row is None else {column: row.get(column, "") for column in row_changes.TOLD}
                for name, row in (("before", change.before), ("now", change.now))
            }
            cells = (change.account_id, _why(change), row_changes.words(change.before, change.now))
            yield {"account_id": change.account_id, "kinds": list(change.kinds), **sides}, cells


def _why(change: "RowChange") -> str:
    return ", ".join(kind.replace("_", " ") for kind in change.kinds if kind != "details")


def _told(chosen: Sequence["Publication"], tally: "Tally") -> dict[str, Any]:
    sides = [
        {
            "date": each.date.isoformat(),
            "version": each.version,
            "sequence": each.sequence,
            "as_of": each.as_of.isoformat(),
            "rows": rows,
            "other_columns": columns,
        }
        for each, rows, columns in zip(chosen, (tally.before, tally.now), tally.other_columns, strict=True)
    ]
    return {
        "before": sides[0],
        "now": sides[1],
        "changed": tally.changed,
        "only_details": tally.only_details,
        "kinds": tally.by_kind,
    }


def _words(chosen: Sequence["Publication"], tally: "Tally") -> list[str]:
    names = [
        f"{each.date} version {each.version} ({rows:,} accounts as of {each.as_of})"
        for each, rows in zip(chosen, (tally.before, tally.now), strict=True)
    ]
    kinds = ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in tally.by_kind.items() if count)
    lines = [f"From {names[0]} to {names[1]}."]
    lines.append(
        f"Accounts that changed: {tally.changed:,} ({kinds})." if tally.changed else "No account changed."
    )
    if tally.only_details:
        lines.append(
            "Not listed, because only other columns differ, such as the name or the date of the rating: "
            f"{tally.only_details:,}."
        )
    for each, columns in zip(chosen, tally.other_columns, strict=True):
        if columns:
            lines.append(f"Columns that only {each.date} version {each.version} has: {', '.join(columns)}.")
    return lines
