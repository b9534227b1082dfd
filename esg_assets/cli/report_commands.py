"""`esg-assets report list|decrypt|verify|failures`: options, settings, and what people see.

What they do is in `esg_assets.cli.reports`. `verify` and `decrypt` read the settings they use and no
`.env`, so that a file somebody left in the working folder cannot say which keys to believe.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esg_assets.cli.answers import Answer, Rows
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import (
    Day,
    Key,
    KeyringFile,
    OptionalDay,
    OptionalKey,
    OptionalVersion,
    day_of,
    reason_option,
)
from esg_assets.cli.reason_check import require_no_account
from esg_assets.cli.report_access import opener_of, verifying_settings
from esg_assets.cli.said_then import moment_of, said_then
from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:
    from esg_assets.composition import SealedStores
    from esg_assets.core.ports import History

_BUSY_SECONDS = 10.0
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="WHEN",
        help="What stood at that moment: YYYY-MM-DD (its end) or YYYY-MM-DDTHH:MM in US Central time, or Z.",
    ),
]
_STATUSES = ("SUCCESS", "NOT_RATED", "FAILED")


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("report list", list_reports)
    commands.add("report decrypt", decrypt)
    commands.add("report verify", verify)
    commands.add("report failures", failures)
    commands.add("report accept-restore", accept_restore)
    commands.add("report verifier", verifier)


def list_reports(day: OptionalDay = None, as_of: AsOf = None) -> Answer:
    """Published reports: date, version, accounts by status, recipients; with --as-of those of then.

    With --date and --as-of it also tells what was said about that date then: the figures that the history
    held, beside today's where they differ, or how its runs had ended when nothing was published.
    """
    from esg_assets.cli import reports  # noqa: PLC0415 - cryptography and pyarrow are slow to import

    chosen, now = day_of(day), datetime.now(UTC)
    moment = None if as_of is None else moment_of(as_of, now)
    published = _stores("report list").published
    found = reports.listed(published, chosen, moment)
    shown = _table(found, moment)
    if chosen is not None and moment is not None:
        told, lines = said_then(published.list(), _history(), chosen, moment)
        return Answer({**found, **told}, [*(shown if found["reports"] else ()), *lines])
    return Answer(found if moment is None else {**found, "as_of": moment.isoformat()}, shown)


def _table(found: dict[str, Any], moment: datetime | None) -> list[str | Rows]:
    if not found["reports"]:
        return [f"No report was published {'yet' if moment is None else 'by then'}."]
    rows = [
        [
            each["date"],
            str(each["version"]),
            str(each["sequence"]),
            *(f"{each['counts'][status]:,}" for status in _STATUSES),
            ", ".join(name[:16] for name in each["recipients"]),
        ]
        for each in found["reports"]
    ]
    return [Rows(("date", "version", "entry", *_STATUSES, "recipients"), rows)]


def _history() -> "History":
    from esg_assets import composition  # noqa: PLC0415 - slow to import
    from esg_assets.settings import load_settings  # noqa: PLC0415

    return composition.history_to_read(load_settings("report list"), _BUSY_SECONDS)


def decrypt(
    day: Day,
    key: Key,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file (0600) for the report.")],
    version: OptionalVersion = None,
    keyring: KeyringFile = None,
) -> Answer:
    """Verify a report, open it and write it to FILE (0600), whole or not at all."""
    from esg_assets.cli import reports  # noqa: PLC0415 - cryptography and pyarrow are slow to import

    stores = _stores("report decrypt", keyring)
    done = reports.decrypted(stores.published, opener_of(key), day.date(), out, version)
    return Answer(
        done,
        [f"{out}: report of {done['date']}, version {done['version']}, {done['rows']:,} accounts, verified."],
    )


def verify(
    day: OptionalDay = None,
    expect_head: Annotated[
        str,
        typer.Option(metavar="SEQ:SHA256", help="A head that was noted elsewhere; the chain must hold it."),
    ] = "",
    keyring: KeyringFile = None,
) -> Answer:
    """Verify entries, signatures, digests and chain with public keys alone; exit 1 if anything is wrong."""
    from esg_assets.cli import reports  # noqa: PLC0415 - cryptography and pyarrow are slow to import

    judged = reports.verified(_stores("report verify", keyring).published, day_of(day), expect_head)
    return Answer(judged, _judgement(judged), status=0 if judged["ok"] else 1)


def failures(day: Day, key: OptionalKey = None) -> Answer:
    """Failed accounts with reason, attempts and last status, from sealed data.

    Without --key they are read from this host's working data and are those of now; with it, from the
    sealed summary of what was published.
    """
    from esg_assets.cli import reports  # noqa: PLC0415 - cryptography and pyarrow are slow to import

    stores = _stores("report failures", verifying=key is not None)
    if key is None:
        found = reports.failures_in_work(stores.snapshots, stores.parts, day.date())
    else:
        found = reports.failures_in_summary(stores.published, opener_of(key), day.date())
    if not found["failures"]:
        return Answer(found, [f"No account failed on {found['date']}."])
    columns = ("account_id", "reason", "attempts", "last_status")
    rows = [
        ["-" if each[name] is None else str(each[name]) for name in columns] for each in found["failures"]
    ]
    return Answer(found, [Rows(columns, rows), f"{len(rows):,} failed on {found['date']}."])


def accept_restore(reason: Annotated[str, reason_option("Why")]) -> Answer:
    """Publish again although the records store lags what was remembered: the loss becomes an entry.

    For a store that was restored from an older copy, or has lost entries for good. What was lost stays a
    fault for everybody who expects it (`report verify --expect-head`).
    """
    import getpass  # noqa: PLC0415 - beside its use

    from esg_assets.settings import load_settings  # noqa: PLC0415 - pydantic is slow to import

    if not reason.strip():
        raise SettingsWrong("--reason is empty; it says why, and stands in the chain for ever.")
    require_no_account(load_settings("report accept-restore"), [], reason)
    done = _stores("report accept-restore").accept_restore(requested_by=getpass.getuser(), reason=reason)
    gone = [{"date": date.isoformat(), "version": version} for date, version in done.reports]
    told = {"sequence": done.entry.sequence, "lost_head": str(done.lost), "lost_reports": gone}
    lines = [f"Entry {done.entry.sequence} accepts that the remembered entry {done.lost.sequence} was lost."]
    lines += [
        f"Lost: {each['date']} version {each['version']}. Run `esg-assets run --date {each['date']}`."
        for each in gone
    ]
    return Answer(told, lines)


def verifier(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file for the verifier.")],
) -> Answer:
    """Write the one-file verifier: for auditors, who need Python with `cryptography` and nothing of ours."""
    from esg_assets.adapters.one_file_verifier import write_verifier  # noqa: PLC0415 - seldom wanted

    size = write_verifier(out)
    usage = f"python3 {out} STORE_FOLDER --keyring FILE [--expect-head SEQ:SHA256] [--json]"
    return Answer({"path": str(out), "bytes": size}, [f"{out}: run `{usage}`."])


def _judgement(judged: dict[str, Any]) -> list[str | Rows]:
    head = f"{judged['head']['sequence']}:{judged['head']['sha256']}"
    if judged["ok"]:
        return [f"All is well: {judged['entries']:,} entries verified, head {head}."]
    names = ("sequence", "date", "version", "what")
    rows = [
        ["-" if fault[name] is None else str(fault[name]) for name in names] for fault in judged["faults"]
    ]
    advice = "Do not use the reports named here; compare the store with a copy."
    return [
        Rows(("entry", "date", "version", "what is wrong"), rows),
        f"{len(rows):,} faults in {judged['entries']:,} entries, head {head}. {advice}",
    ]


def _stores(command: str, keyring: Path | None = None, *, verifying: bool = True) -> "SealedStores":
    """The stores, with the keys of `keyring` to verify with where it was given."""
    from esg_assets.composition import SealedStores  # noqa: PLC0415 - slow to import

    return SealedStores(verifying_settings(command, keyring, verifying=verifying))
