"""Closing the working window of every date: by command and by Dagster, each date under its own lease.

What closing one date does is `esg_assets.adapters.publications.archiving`; here are its turn, what
is told of it, and the job and schedule that see to it every night.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from esg_assets.core import exception_words
from esg_assets.core.errors import EsgError, LeaseBusy
from esg_assets.core.ports import Leases
from esg_assets.core.record_ports import Window
from esg_assets.core.retention import Closed, Outcome
from esg_assets.housekeeping import housekeeping_schedule
from esg_assets.jobs import OWN_LINES
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings import Settings
from esg_assets.stale_runs import lease_name

ARCHIVE = "archive_working_data"
CRON = "30 3 * * *"
"""Before the night's report, and in no hour that daylight saving time takes away or gives twice."""

WAIT_SECONDS = 2.0
"""A sweep for dead runs may hold a lease for a moment."""


@dataclass(frozen=True)
class Turn:
    """One date's turn.

    Attributes:
        date: the report's date.
        closed: what became of it, None if it was not reached.
        busy: a run works on the date; it is for another time.
        fault: why it failed, "" if it did not.
    """

    date: dt.date
    closed: Closed | None = None
    busy: bool = False
    fault: str = ""

    def __str__(self) -> str:
        if self.closed is None:
            later = "a run works on this date; its working data waits for another time"
            return f"{self.date}: {later if self.busy else self.fault}"
        return f"{self.date}: {_told(self.closed)}"


def close_windows(window: Window, leases: Leases, holder: str, dates: Iterable[dt.date]) -> Iterator[Turn]:
    """Close the window of each date, one after the other; what fails for one does not stop the others.

    Args:
        window: what closes one.
        leases: a date's lease is held meanwhile, so that no run works on it.
        holder: who asks. Not a run's id: whoever gets the lease next would take that run for dead.
        dates: which ones.

    Raises:
        LeaseBusy: another process archives, or makes a new working key.
    """
    with leases.hold(ARCHIVE, holder, wait_seconds=WAIT_SECONDS):
        for date in dates:
            yield _turn(window, leases, holder, date)


def _turn(window: Window, leases: Leases, holder: str, date: dt.date) -> Turn:
    try:
        with leases.hold(lease_name(date), holder, wait_seconds=WAIT_SECONDS):
            return Turn(date, window.close(date))
    except LeaseBusy:
        return Turn(date, busy=True)
    except EsgError as error:
        return Turn(date, fault=str(error))
    except Exception as error:  # noqa: BLE001 - its text may hold client data, and the others must go on
        where = exception_words.places(error.__traceback__)[-1]
        return Turn(date, fault=f"an unexpected {type(error).__name__} at {where}; its text is not shown")


class WorkingWindowResource(dg.ConfigurableResource[Window]):
    """What ends working windows."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Window:
        """The port; nothing is opened yet, but `prod` asks how the records' bucket is guarded."""
        del context
        self.settings.require("report archive")
        return LifecycleStores.guarded(self.settings).window


@dg.op(
    name="close_working_windows",
    description="Re-seals working data older than ESG_WORKING_DAYS to the recipients, and removes it here.",
    config_schema={},
    out=dg.Out(dg.Nothing),
)
def close_working_windows(
    context: dg.OpExecutionContext, working_window: dg.ResourceParam[Window], leases: dg.ResourceParam[Leases]
) -> None:
    """Every date of which the work store keeps anything."""
    turns = []
    try:
        dates = working_window.dates()
        for turn in close_windows(working_window, leases, f"archiving in run {context.run_id}", dates):
            turns.append(turn)
            context.log.log("ERROR" if turn.fault else "INFO", str(turn))
    except EsgError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    told = [turn.closed.outcome for turn in turns if turn.closed is not None]
    context.add_output_metadata({outcome.value: told.count(outcome) for outcome in Outcome})
    failed = [str(turn) for turn in turns if turn.fault]
    if failed:
        raise dg.Failure(
            f"The working data of {len(failed)} of {len(turns)} dates could not be archived and is still "
            f"open to this host: {'; '.join(failed[:3])}. The log names all of them.",
            allow_retries=False,
        )


@dg.job(
    name=ARCHIVE,
    description="The host gives away what is older than its working window.",
    config=OWN_LINES,
)
def archive_working_data() -> None:
    """Close every window that has ended."""
    close_working_windows()


def archive_schedule() -> dg.ScheduleDefinition:
    """The schedule, switched on by default."""
    return housekeeping_schedule(
        archive_working_data,
        CRON,
        "Every night at 03:30 US Central time: working data older than ESG_WORKING_DAYS.",
    )


def _told(closed: Closed) -> str:
    objects = f"{closed.objects:,} objects of working data"
    match closed.outcome:
        case Outcome.KEPT if closed.version is None:
            return f"never published; removed after {_day(closed)} unless somebody takes it up"
        case Outcome.KEPT:
            return f"version {closed.version}: open to this host until {_day(closed)}"
        case Outcome.ARCHIVED:
            return f"version {closed.version}: {objects} re-sealed to the recipients and removed here"
        case Outcome.REMOVED:
            return f"{objects} removed: never published, and untouched for a whole working window"
    return "no working data is kept here"


def _day(closed: Closed) -> str:
    return "-" if closed.until is None else f"{closed.until.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
