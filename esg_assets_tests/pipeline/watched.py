"""A house that is watched: looks of the real detection over its instance, at moments that a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from esg_assets import cli_runs
from esg_assets.core.alerts.incidents import Incident, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.routes import AUDIENCES, CHANNELS, DEFAULT, Routes, Target
from esg_assets.detection import Detected, detect
from esg_assets.jobs import NIGHTLY
from esg_assets.stale_runs import PARTITION_TAG
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.fake_outbox import MemoryOutbox
from esg_assets_tests.pipeline.house import DAY, NEXT, House
from esg_assets_tests.pipeline.test_schedule import at, publish

EVERYWHERE = Routes(DEFAULT, frozenset(Target(c, a) for c in CHANNELS for a in AUDIENCES))


@dataclass
class Watched:
    """The house and its outbox.

    Attributes:
        delivers: whether what is queued is taken by its channels after each look.
    """

    house: House
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    delivers: bool = True

    def look(self, now: datetime | None = None, *, from_daemon: bool = False) -> Detected:
        """One look, in a moment if no time is given, so that whatever was written is in the past."""
        now = now or datetime.now(UTC) + timedelta(seconds=1)
        found = detect(
            self.house.instance,
            self.house.history,
            self.outbox,
            EVERYWHERE,
            self.house.settings,
            now,
            from_daemon=from_daemon,
        )
        assert not found.faults, found.faults
        if self.delivers:
            self.deliver(now)
        return found

    def deliver(self, now: datetime) -> None:
        """Every channel takes what waits for it."""
        while message := self.outbox.claim("a test", now, lease_seconds=9, channels=CHANNELS):
            self.outbox.delivered(message, "a test", now, "taken")

    def incident(self, kind: str, day: date | None = None, subject: str = "") -> Incident:
        """The only incident of that kind, date and subject, as it is now."""
        found = [
            i
            for i in self.outbox.incidents.values()
            if (i.kind.name, i.date, i.subject) == (kind, day, subject)
        ]
        assert len(found) == 1, [*self.outbox.incidents]
        return found[0]

    def open(self) -> list[str]:
        """Keys of open incidents without what all begin with."""
        return [incident.key.removeprefix("esg/test/") for incident in self.outbox.open_incidents()]

    def keys(self) -> list[str]:
        """Of every incident but notices, likewise."""
        alerts = (i for i in self.outbox.incidents.values() if i.kind.family is not Family.NOTICE)
        return sorted(incident.key.removeprefix("esg/test/") for incident in alerts)

    def queued(self, *states: State) -> list[tuple[str, str, str]]:
        """Kind, state and target of every message, sorted."""
        return sorted(
            (k.message.incident.kind.name, k.message.state.value, f"{k.message.channel} {k.message.audience}")
            for k in self.outbox.kept
            if not states or k.message.state in states
        )


class Clock:
    """The time that a history records by."""

    now = at(DAY, 5, 30)

    def __call__(self) -> datetime:
        return self.now


def in_service(house: House, clock: Clock) -> Watched:
    """A host in service: the day before was published in time, and a look taken."""
    house.history = MemoryHistory(clock)
    publish(house.history, DAY)
    watched = Watched(house)
    watched.look(at(DAY, 6))
    watched.look(at(NEXT, 4))
    return watched


def published_at(watched: Watched, clock: Clock, day: date, moment: datetime) -> None:
    """Published at that moment."""
    clock.now = moment
    publish(watched.house.history, day)


def started(
    house: House, tags: Mapping[str, str] | None = None, *, job: str = NIGHTLY, day: date | None = DAY
) -> dg.DagsterRun:
    """A run that has started, and of which a test tells the rest."""
    return house.instance.create_run_for_job(
        house.defs().resolve_job_def(job),
        status=dg.DagsterRunStatus.STARTED,
        tags={**({} if day is None else {PARTITION_TAG: day.isoformat()}), **(tags or {})},
        remote_job_origin=cli_runs._origin(),
    )
