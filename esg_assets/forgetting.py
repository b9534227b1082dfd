"""Forgetting what the history need not keep any longer: by command and, every night, by Dagster.

What may go is `esg_assets.core.forgetting`; removing it is `esg_assets.adapters.database.pruning`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from esg_assets.core.chain import Entry
from esg_assets.core.errors import EsgError
from esg_assets.core.forgetting import Keeping, figures_to_forget
from esg_assets.core.ports import Pruning
from esg_assets.housekeeping import housekeeping_schedule
from esg_assets.jobs import OWN_LINES
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings import Settings

FORGET = "forget_old_history"
CRON = "45 3 * * *"
"""Every night, when no report is due; in no hour that daylight saving time takes away or gives twice."""

MOST = 500
"""Rows of a kind that one transaction removes at most: whoever else writes waits for no longer than that."""


@dataclass(frozen=True)
class Forgotten:
    """What went: rows by table of one kind (figures, runs, alerts)."""

    what: str
    rows: Mapping[str, int]

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} of {table}" for table, count in self.rows.items() if count)
        return f"{self.what}: {counts or 'nothing is old enough'}"


@dataclass(frozen=True)
class Forgetting:
    """What removes, and by which rules.

    Attributes:
        pruning: removes.
        entries: reads the chain; called only where figures are old enough.
        keeping: how long what stays.
    """

    pruning: Pruning
    entries: Callable[[], Sequence[Entry]]
    keeping: Keeping

    def run(self, now: datetime) -> Iterator[Forgotten]:
        """Remove what is old at `now` (with a time zone), one kind after the other; gives each when done.

        What was removed before an error stays removed, and is entered.

        Raises:
            StoreUnavailable; Tampered: the chain does not verify, so no figures go.
        """
        runs = now - timedelta(days=self.keeping.run_record_days)
        alerts = now - timedelta(days=self.keeping.alert_days)
        yield Forgotten("records of runs", _until_none(lambda: self.pruning.forget_runs(runs, MOST)))
        yield Forgotten("alerts", _until_none(lambda: self.pruning.forget_alerts(alerts, MOST)))
        yield Forgotten("figures", self._figures(now))

    def _figures(self, now: datetime) -> Mapping[str, int]:
        removed: Counter[str] = Counter()
        # A little early: the chain says to the day when.
        years = self.keeping.history_years
        wanted = self.pruning.published_before(now - timedelta(days=365 * years))
        if wanted:
            for sha256 in figures_to_forget(self.entries(), wanted, now=now, years=years):
                removed.update(self.pruning.forget_figures(sha256))
        return removed


def forgetting(settings: Settings) -> Forgetting:
    """As the settings say; the database is opened now, the records only when they are asked."""
    from esg_assets.adapters.database.pruning import SqlPruning  # noqa: PLC0415 - slow to import

    return Forgetting(
        pruning=SqlPruning(settings.database_url.get_secret_value(), settings.env, lambda: datetime.now(UTC)),
        entries=LifecycleStores(settings).entries,
        keeping=Keeping(settings.history_years, settings.run_record_days, settings.alert_days),
    )


def _until_none(remove: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
    removed: Counter[str] = Counter()
    while counts := remove():
        removed.update(counts)
    return removed


class ForgettingResource(dg.ConfigurableResource[Forgetting]):
    """What removes old rows of the history."""

    settings: dg.ResourceDependency[Settings]

    def create_resource(self, context: dg.InitResourceContext) -> Forgetting:
        """The database is opened."""
        del context
        return forgetting(self.settings)


@dg.op(
    name="forget_history",
    description="Removes old records of runs and alerts, and figures of reports that have expired.",
    config_schema={},
    out=dg.Out(dg.Nothing),
)
def forget_history(context: dg.OpExecutionContext, old_history: dg.ResourceParam[Forgetting]) -> None:
    """Everything that is older than the settings keep it."""
    removed: Counter[str] = Counter()
    try:
        for each in old_history.run(datetime.now(UTC)):
            context.log.info(str(each))
            removed.update(each.rows)
    except EsgError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.add_output_metadata({"rows": sum(removed.values()), **removed})


@dg.job(
    name=FORGET,
    description="Forgets what ESG_HISTORY_YEARS, ESG_RUN_RECORD_DAYS and ESG_ALERT_DAYS do not keep.",
    config=OWN_LINES,
)
def forget_old_history() -> None:
    """Remove what is old."""
    forget_history()


def forget_schedule() -> dg.ScheduleDefinition:
    """The schedule, switched on by default."""
    return housekeeping_schedule(
        forget_old_history,
        CRON,
        "Every night at 03:45 US Central time: rows of the history that need not be kept.",
    )
