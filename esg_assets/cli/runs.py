"""`esg-assets run` and `backfill`: the four assets for one date or a range, in this process.

A run is a real Dagster run (`esg_assets.cli_runs`); what became of it is read from its events
(`esg_assets.run_results`).
"""

import contextlib
import getpass
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import DAY_FORMATS, OptionalDay, day_of, reason_option
from esg_assets.cli.reason_check import require_no_account
from esg_assets.cli.site_commands import after_run
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import LeaseBusy, SettingsWrong, StoreUnavailable

if TYPE_CHECKING:
    import dagster as dg

    from esg_assets.run_results import RunResult
    from esg_assets.settings import Settings


class Refresh(StrEnum):
    """Which accounts are asked for again (`esg_assets.core.outcomes.Refresh`, which is slow to import)."""

    MISSING = "missing"
    FAILED = "failed"
    ALL = "all"


_REFRESH = typer.Option(
    help=(
        "missing: only accounts without an outcome. failed: also those that failed for a passing reason and, "
        "while the date is blocked, the unrated. all: everyone."
    )
)
_SNAPSHOT = typer.Option("--refresh-snapshot", help="Take a new snapshot of the accounts.")
_CURRENT = typer.Option(
    "--current-accounts",
    help="For an earlier date and a source without history: the accounts as they are now.",
)
_REASON = reason_option("Why a published report is made again")


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("run", run)
    commands.add("backfill", backfill)


def run(
    day: OptionalDay = None,
    refresh: Annotated[Refresh, _REFRESH] = Refresh.FAILED,
    *,
    refresh_snapshot: Annotated[bool, _SNAPSHOT] = False,
    current_accounts: Annotated[bool, _CURRENT] = False,
    reason: Annotated[str, _REASON] = "",
) -> Answer:
    """Make the report of one date (today's in Central time, if none is given), without a daemon."""
    settings = _settings("run")
    chosen = day_of(day) or _today()
    _check_dates(settings, chosen, chosen)
    switches = _switches(refresh, refresh_snapshot=refresh_snapshot, current_accounts=current_accounts)
    result = run_dates(settings, [chosen], switches, reason)[0]
    lines = [*shown(result), *(after_run(settings) if result.ok else [])]
    return Answer(result.as_json(), lines, 0 if result.ok else 1)


def backfill(
    first: Annotated[datetime, typer.Argument(metavar="FROM", formats=DAY_FORMATS, help="First date.")],
    last: Annotated[datetime, typer.Argument(metavar="TO", formats=DAY_FORMATS, help="Last date.")],
    refresh: Annotated[Refresh, _REFRESH] = Refresh.FAILED,
    *,
    refresh_snapshot: Annotated[bool, _SNAPSHOT] = False,
    current_accounts: Annotated[bool, _CURRENT] = False,
    reason: Annotated[str, _REASON] = "",
) -> Answer:
    """The same for every date of a range, oldest first; goes on after a date that failed."""
    settings = _settings("backfill")
    start, end = first.date(), last.date()
    if start > end:
        raise SettingsWrong(f"FROM {start} is after TO {end}; give the older date first.")
    _check_dates(settings, start, end)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    switches = _switches(refresh, refresh_snapshot=refresh_snapshot, current_accounts=current_accounts)
    results = run_dates(settings, days, switches, reason, backfill=True)
    stand = {result.day for result in results if result.ok}
    failed = [day for day in days if day not in stand]
    lines = [line for result in results for line in short(result)]
    lines.append(f"{len(stand):,} of {len(days):,} dates stand.")
    lines += after_run(settings) if stand else []
    if failed:
        lines.append(f"Missing: {', '.join(map(str, failed))}. `esg-assets run --date D` tries one again.")
    return Answer({"dates": [r.as_json() for r in results]}, lines, 1 if failed else 0)


def run_dates(
    settings: "Settings",
    days: Sequence[date],
    switches: Mapping[str, Mapping[str, object]],
    reason: str,
    *,
    backfill: bool = False,
) -> list["RunResult"]:
    """Run each date, oldest first, as Dagster runs of this process; an interrupted one is the last."""
    from esg_assets import composition, run_reasons, stale_runs  # noqa: PLC0415 - slow to import
    from esg_assets.cli_runs import run_partition  # noqa: PLC0415
    from esg_assets.instances import opened_instance  # noqa: PLC0415
    from esg_assets.run_results import result_of  # noqa: PLC0415

    require_no_account(settings, days, reason)
    tags = {
        run_reasons.REQUESTED_BY_TAG: getpass.getuser(),
        stale_runs.COMMAND_LINE_TAG: "true",
        **({stale_runs.BACKFILL_TAG: "true"} if backfill else {}),
        **({run_reasons.REASON_TAG: reason} if reason else {}),
    }
    results = []
    leases = composition.leases(settings)
    with opened_instance(leases) as instance:
        for gone in stale_runs.sweep(instance, leases, by="esg-assets run"):
            _record(settings, instance, gone)
        for day in days:
            started, run_id = time.monotonic(), str(uuid.uuid4())
            with contextlib.ExitStack() as held:
                # So that a command killed before its run took the date's lease is known to be dead. If
                # another command has the date, the run itself says so, and says which.
                with contextlib.suppress(LeaseBusy):
                    held.enter_context(leases.hold(stale_runs.command_lease(day), run_id))
                finished = run_partition(instance, day, config=switches, tags=tags, run_id=run_id)
            results.append(result_of(instance, finished, day, time.monotonic() - started))
            _record(settings, instance, run_id)
            if results[-1].interrupted:
                break
    return results


def _record(settings: "Settings", instance: "dg.DagsterInstance", run_id: str) -> None:
    """Into the history at once, since there may be no daemon whose sensor would do it later."""
    from esg_assets import composition  # noqa: PLC0415 - slow to import
    from esg_assets.run_records import record_run  # noqa: PLC0415

    try:
        record_run(instance, composition.history(settings), run_id)
    except StoreUnavailable as error:  # the run is as it is, and the sensor will try again
        logging.getLogger(__name__).warning("%s", error)


def shown(result: "RunResult") -> list[str]:
    """A result for people: the summary, what was complained of, what it took, what to do next."""
    lines = [result.summary] if result.summary else []
    return [*lines, *([""] if lines else []), *short(result)]


def short(result: "RunResult") -> list[str]:
    """A result in a few lines."""
    took = (
        f"{result.calls:,} calls, {result.retries:,} retries, {result.seconds:.1f} s, run {result.run_id[:8]}"
    )
    if result.ok:
        what = "published" if result.status == "published" else "unchanged, nothing new to publish"
        complaints = [f"  {complaint}" for complaint in result.complaints]
        return [f"{result.day}: version {result.version} {what} ({took}).", *complaints]
    return [f"{result.day}: not published ({took}).", *(f"  {complaint}" for complaint in result.complaints)]


def _settings(command: str) -> "Settings":
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415 - pydantic is slow to import

    dagster_home()
    return load_settings(command)


def _today() -> date:
    return central_date(datetime.now(UTC))


def _check_dates(settings: "Settings", first: date, last: date) -> None:
    today = _today()
    if first < settings.first_date:
        raise SettingsWrong(
            f"{first} is before the first report {settings.first_date} (ESG_FIRST_DATE); give a later date."
        )
    if last > today:
        raise SettingsWrong(f"{last} is in the future: today is {today} in US Central time.")


def _switches(
    refresh: Refresh, *, refresh_snapshot: bool, current_accounts: bool
) -> dict[str, dict[str, object]]:
    return {
        "active_accounts": {"refresh_snapshot": refresh_snapshot, "current_accounts": current_accounts},
        "esg_ratings": {"refresh": refresh.value},
    }
