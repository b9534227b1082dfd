"""The schedule: 05:00 Central time, and again every half hour until the day's report is there.

Which dates are wanted is `esg_assets.core.due`; here only what is known of them is gathered. Jobs that keep
house run by the clock alone: `esg_assets.housekeeping`.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg

from esg_assets.core.central_time import TIMEZONE, central_date
from esg_assets.core.due import DateState, Due, dates_due
from esg_assets.core.history import ChainHead
from esg_assets.core.ports import History
from esg_assets.failures import BEHIND_TAG, PERMANENT_TAG
from esg_assets.jobs import OWN_LINES, nightly_esg_report
from esg_assets.run_lease import YIELDED_TAG
from esg_assets.settings import Settings
from esg_assets.stale_runs import PARTITION_TAG

NAME = "nightly_esg_report_schedule"
CRON = "0,30 5-23 * * *"
SCHEDULED_TAG = "esg/scheduled"
"""On runs that the schedule asked for: only these count as attempts of a date."""

CATCH_UP_TAG = "esg/catchup"
"""On runs that the schedule asked for to make up for a missed date."""

MOST_YIELDED = 100
"""Runs that gave way are looked at up to this number, newest first."""

_UNDER_WAY = {
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
}


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """The schedule, switched on by default: an installation that nobody touches runs at 05:00."""

    @dg.schedule(
        name=NAME,
        job=nightly_esg_report,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "From 05:00 US Central time every half hour: today's report while it is unpublished, and the "
            "missed ones of the ESG_CATCHUP_DAYS before."
        ),
    )
    def nightly_esg_report_schedule(
        context: dg.ScheduleEvaluationContext, history: dg.ResourceParam[History]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        today = central_date(context.scheduled_execution_time)
        due = due_at(today, context.instance, history, settings)
        for day, why in due.reasons.items():
            context.log.info("%s: %s", day, why)
        if not due.wanted:
            return dg.SkipReason("; ".join(f"{day}: {why}" for day, why in due.reasons.items()))
        tick = context.scheduled_execution_time.isoformat()
        return [
            dg.RunRequest(
                partition_key=day.isoformat(),
                # Deduplicates within one tick only, whatever the key: `dates_due` guards the dates.
                run_key=f"{day} at {tick}",
                run_config=OWN_LINES,
                tags={SCHEDULED_TAG: tick, **({} if day == today else {CATCH_UP_TAG: "true"})},
            )
            for day in due.wanted
        ]

    return nightly_esg_report_schedule


def due_at(today: date, instance: dg.DagsterInstance, history: History, settings: Settings) -> Due:
    """What the schedule asks for on `today`, by what instance and history know now."""
    since = today - timedelta(days=settings.catchup_days)
    gave_way = dates_that_gave_way(instance)
    head = history.head()
    days = {*(since + timedelta(days=n) for n in range((today - since).days + 1)), *gave_way}
    return dates_due(
        today,
        first=settings.first_date,
        catchup_days=settings.catchup_days,
        max_attempts=settings.max_date_attempts,
        published={*history.published_dates(since), *(day for day in gave_way if history.latest(day))},
        first_publication=history.first_publication_date(),
        states={day: state_of(runs_of(instance, day), head) for day in days},
        gave_way=gave_way,
    )


def dates_that_gave_way(instance: dg.DagsterInstance) -> set[date]:
    """Dates whose latest run gave way to a more urgent date and has not been taken up again."""
    yielded = instance.get_runs(dg.RunsFilter(tags={YIELDED_TAG: "true"}), limit=MOST_YIELDED)
    days = {date.fromisoformat(run.tags[PARTITION_TAG]) for run in yielded if PARTITION_TAG in run.tags}
    return {day for day in days if state_of(runs_of(instance, day)).yielded}


def runs_of(instance: dg.DagsterInstance, day: date) -> list[dg.DagsterRun]:
    """Every run of a date, newest first, whatever job it belongs to."""
    return list(instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: day.isoformat()})))


def state_of(runs: Iterable[dg.DagsterRun], head: ChainHead | None = None) -> DateState:
    """What the runs of an unpublished date (newest first) say about it.

    Args:
        runs: of the date.
        head: what is remembered of the chain now. A run that met a store without the head of then is no
            attempt once there is another: the loss was accepted, or a later run found the entries back.
    """
    runs = list(runs)
    ended = [run for run in runs if run.is_finished]
    latest = ended[0].tags if ended else {}
    return DateState(
        under_way=any(run.status in _UNDER_WAY for run in runs),
        attempts=sum(1 for run in ended if SCHEDULED_TAG in run.tags and not _is_over(run, head)),
        permanent=bool(latest.get(PERMANENT_TAG)),
        yielded=bool(latest.get(YIELDED_TAG)),
    )


def _is_over(run: dg.DagsterRun, head: ChainHead | None) -> bool:
    """Whether its end is no reason to give the date up: it gave way, or met a store as it is no more."""
    behind = run.tags.get(BEHIND_TAG)
    return bool(run.tags.get(YIELDED_TAG)) or bool(behind and head and behind != str(head))
