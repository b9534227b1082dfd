"""A run as detectors see it: its record, and those of its events that say how it went."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import dagster as dg
from dagster import DagsterEvent

from esg_assets.stale_runs import PARTITION_TAG

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

_TELLING = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RESOURCE_INIT_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELING,
}
_PAGE = 500


@dataclass(frozen=True)
class Told:
    """One event.

    Attributes:
        number: of the event within its run's log.
        at: when it happened.
    """

    number: int
    at: datetime
    event: DagsterEvent


@dataclass(frozen=True)
class Looked:
    """A run and its telling events, oldest first."""

    record: dg.RunRecord
    told: list[Told] = field(default_factory=list)

    @property
    def run(self) -> dg.DagsterRun:
        """The run itself."""
        return self.record.dagster_run

    @property
    def run_id(self) -> str:
        """Dagster's id."""
        return self.record.dagster_run.run_id

    @property
    def days(self) -> tuple[date, date] | None:
        """First and last date that the run is about; None for one without a partition."""
        tags = self.run.tags
        first = tags.get(PARTITION_TAG) or tags.get(RANGE_START)
        last = tags.get(PARTITION_TAG) or tags.get(RANGE_END) or first
        try:
            return (
                None
                if first is None or last is None
                else (date.fromisoformat(first), date.fromisoformat(last))
            )
        except ValueError:
            return None  # whoever may launch a run can give it any tag

    @property
    def ended_at(self) -> datetime:
        """When it ended, or when anything was last heard of it."""
        if self.record.end_time is not None:
            return datetime.fromtimestamp(self.record.end_time, UTC)
        return as_utc(self.record.update_timestamp)

    def of_type(self, *types: dg.DagsterEventType) -> Iterator[Told]:
        """Events of these types, oldest first."""
        return (one for one in self.told if one.event.event_type in types)


def looked_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> Looked:
    """Read a run's telling events, all pages of them."""
    told: list[Told] = []
    cursor = None
    while True:
        page = instance.get_records_for_run(
            record.dagster_run.run_id, cursor=cursor, of_type=_TELLING, limit=_PAGE
        )
        for each in page.records:
            event = each.event_log_entry.dagster_event
            if event is not None:
                told.append(Told(each.storage_id, datetime.fromtimestamp(each.timestamp, UTC), event))
        if not page.has_more:
            return Looked(record, told)
        cursor = page.cursor


def as_utc(moment: datetime) -> datetime:
    """Dagster's times are UTC, with a zone or without."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
