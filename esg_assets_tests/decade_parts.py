"""Dagster's instance and the history as schedule and detection ask them, quick for thousands of nights.

Stand-ins for `decade` alone: no other method is there than those that are asked.
"""

import bisect
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.events import StepMaterializationData
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
)
from dagster._core.storage.event_log.base import EventLogConnection

from esg_assets import cli_runs, schedules
from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.ratings import Status


class Runs:
    """What schedule and detection ask of an instance, over runs in memory; no other method is there."""

    schedule_storage = object()

    def __init__(self) -> None:
        self._records: dict[str, dg.RunRecord] = {}
        self._of_day: dict[str, list[str]] = {}
        self._changes: list[tuple[datetime, str]] = []
        self._going_on: set[str] = set()
        self._made: dict[str, Any] = {}
        self.beat: datetime | None = None
        self.on_since: datetime | None = None

    def start(self, day: date, at: datetime, tags: dict[str, str]) -> str:
        """A run of the job begins."""
        run_id = f"{len(self._records):08d}-0000-4000-8000-000000000000"
        tags = {"dagster/partition": day.isoformat(), **tags}
        run = dg.DagsterRun("nightly_esg_report", run_id, status=dg.DagsterRunStatus.STARTED, tags=tags)
        self._of_day.setdefault(day.isoformat(), []).insert(0, run_id)
        self._keep(run, at, at, None)
        self._going_on.add(run_id)
        return run_id

    def end(self, run_id: str, at: datetime, error: str, *, permanent: bool) -> None:
        """It ends; well if `error` is empty."""
        before = self._records[run_id]
        status = dg.DagsterRunStatus.FAILURE if error else dg.DagsterRunStatus.SUCCESS
        tags = {**before.dagster_run.tags, **({"esg/error": error} if error else {})}
        if permanent:
            tags["esg/permanent"] = "true"
        run = before.dagster_run.with_status(status).with_tags(tags)
        self._keep(run, at, before.create_timestamp, at)
        self._going_on.discard(run_id)
        if not error:
            self._made[run_id] = _materialized(run, at)

    def _keep(self, run: dg.DagsterRun, at: datetime, began: datetime, ended: datetime | None) -> None:
        self._records[run.run_id] = dg.RunRecord(
            storage_id=len(self._changes) + 1,
            dagster_run=run,
            create_timestamp=began,
            update_timestamp=at,
            start_time=began.timestamp(),
            end_time=None if ended is None else ended.timestamp(),
        )
        bisect.insort(self._changes, (at, run.run_id))

    # --- as DagsterInstance has it

    def get_runs(self, filters: dg.RunsFilter, limit: int | None = None) -> list[dg.DagsterRun]:
        day = filters.tags.get("dagster/partition")
        if day is None:  # runs that gave way: there are none
            return []
        return [self._records[run_id].dagster_run for run_id in self._of_day.get(str(day), [])]

    def get_run_records(
        self, filters: dg.RunsFilter, limit: int | None = None, **_: Any
    ) -> list[dg.RunRecord]:
        if filters.updated_after is None:
            return [self._records[run_id] for run_id in sorted(self._going_on)]
        first = bisect.bisect_right(self._changes, (filters.updated_after, "z"))
        found = [self._records[run_id] for at, run_id in self._changes[first:]]
        newest = [
            one
            for one, (at, _) in zip(found, self._changes[first:], strict=True)
            if one.update_timestamp == at
        ]
        return newest[:limit]

    def get_records_for_run(self, run_id: str, **_: Any) -> Any:
        made = self._made.get(run_id)
        return EventLogConnection([] if made is None else [made], cursor="", has_more=False)

    def all_instigator_state(self) -> list[InstigatorState]:
        if self.on_since is None:
            return []
        origin = RemoteInstigatorOrigin(cli_runs._origin().repository_origin, schedules.NAME)
        data = ScheduleInstigatorData(schedules.CRON, self.on_since.timestamp())
        declared = InstigatorStatus.DECLARED_IN_CODE
        return [InstigatorState(origin, InstigatorType.SCHEDULE, declared, data)]

    def get_ticks(self, *_: Any, statuses: Sequence[Any], **__: Any) -> list[Any]:
        return []

    def get_daemon_heartbeats(self) -> dict[str, Any]:
        return {}

    def get_required_daemon_types(self) -> list[str]:
        return []


def _materialized(run: dg.DagsterRun, at: datetime) -> dg.EventLogRecord:
    made = dg.AssetMaterialization("encrypted_report_csv", partition=run.tags["dagster/partition"])
    event = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        run.job_name,
        event_specific_data=StepMaterializationData(made, []),
    )
    entry = dg.EventLogEntry(  # type: ignore[no-untyped-call]  # Dagster's
        error_info=None,
        level=20,
        user_message="",
        run_id=run.run_id,
        timestamp=at.timestamp(),
        job_name=run.job_name,
        dagster_event=event,
    )
    return dg.EventLogRecord(1, entry)


class Published:
    """What schedule and detection ask of a history, quick for thousands of dates."""

    def __init__(self) -> None:
        self.times: dict[date, datetime] = {}
        self.versions: Counter[date] = Counter()
        self._in_order: list[tuple[datetime, date]] = []
        self._dates: list[date] = []

    def publish(self, day: date, at: datetime) -> None:
        """A version more."""
        self.versions[day] += 1
        if day not in self.times:
            bisect.insort(self._dates, day)
        self.times.setdefault(day, at)
        bisect.insort(self._in_order, (at, day))

    def latest(self, day: date) -> PastReport | None:
        return _past(day, self.times[day]) if day in self.times else None

    def details(self, published: PublishedReport) -> dict[str, object] | None:
        return {} if published.report_date in self.times else None

    def head(self) -> None:
        return None

    def first_publication_date(self) -> date | None:
        return self._dates[0] if self._dates else None

    def published_dates(self, since: date) -> list[date]:
        return self._dates[bisect.bisect_left(self._dates, since) :]

    def recorded_since(self, moment: datetime) -> list[PastReport]:
        first = bisect.bisect_left(self._in_order, (moment, date.min))
        return [_past(day, at) for at, day in self._in_order[first:]]


def _past(day: date, at: datetime) -> PastReport:
    report = PublishedReport(
        report_date=day,
        version=1,
        sequence=day.toordinal(),
        head_sha256=f"{day.toordinal():064x}",
        run_id="",
        counts={Status.SUCCESS: 3, Status.NOT_RATED: 0, Status.FAILED: 0},
        as_of=day - timedelta(days=1),
        accounts_as_of=(day - timedelta(days=1)).isoformat(),
    )
    return PastReport(report, {}, at)
