"""What every detector is given: the world as it is at one moment, and what follows from it for a date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState  # the type of what the instance lists

from esg_assets import schedules
from esg_assets.core.alerts.incidents import Incident, Observation, Recovery
from esg_assets.core.alerts.ports import Outbox
from esg_assets.core.central_time import central_date
from esg_assets.core.due import DateState
from esg_assets.core.history import ChainHead
from esg_assets.core.ports import History
from esg_assets.settings import Settings

Seen = Observation | Recovery


@dataclass(frozen=True)
class Found:
    """What one detector saw.

    Attributes:
        seen: to be recorded.
        bookmarks: to be kept once that is recorded.
        looked_at: how many runs it looked at.
        faults: what it could not look at, in words of ours.
    """

    seen: Sequence[Seen] = ()
    bookmarks: Mapping[str, str] = field(default_factory=dict)
    looked_at: int = 0
    faults: Sequence[str] = ()


@dataclass(frozen=True)
class Surroundings:
    """Dagster and the outbox at one moment: enough to look at the machinery.

    Attributes:
        instance: Dagster's.
        outbox: for bookmarks, open incidents and what waits; detectors record nothing themselves.
        now: the time.
        from_daemon: whether the daemon itself is looking, so that it cannot be dead.
    """

    instance: dg.DagsterInstance
    outbox: Outbox
    now: datetime
    from_daemon: bool = field(default=False, kw_only=True)

    @cached_property
    def open_incidents(self) -> Sequence[Incident]:
        """As they were when this look began."""
        return self.outbox.open_incidents()

    @cached_property
    def automation(self) -> Sequence[InstigatorState]:
        """Sensors and schedules that are meant to run and that a daemon has seen."""
        if self.instance.schedule_storage is None:  # an instance in memory
            return []
        return [state for state in self.instance.all_instigator_state() if state.is_running]


@dataclass(frozen=True)
class Scene(Surroundings):
    """The world at one moment.

    Attributes:
        history: what was published.
        settings: the tolerantly loaded ones: no detector may ask more of them.
    """

    history: History
    settings: Settings

    @property
    def today(self) -> date:
        """In Central time."""
        return central_date(self.now)

    @property
    def scheduled(self) -> bool:
        """Whether the nightly schedule is on."""
        return any(state.name == schedules.NAME for state in self.automation)

    @cached_property
    def first_publication(self) -> date | None:
        """The earliest date with a published report."""
        return self.history.first_publication_date()

    def is_known(self, day: date, kind: str) -> bool:
        """Whether an open incident of the date has seen that kind."""
        return any(incident.date == day and kind in incident.kinds for incident in self.open_incidents)

    @cached_property
    def head(self) -> ChainHead | None:
        """The newest chain entry that was remembered."""
        return self.history.head()

    def state_of(self, day: date) -> DateState:
        """What its runs say about a date, as the schedule sees it."""
        return schedules.state_of(schedules.runs_of(self.instance, day), self.head)

    def prospects(self, day: date) -> dict[str, int]:
        """Facts of a date: whether it is published, how often it was tried, and whether it will be."""
        standing = self.standing(day)
        state = self.state_of(day)
        most = self.settings.max_date_attempts
        again = not standing["published"] and self.scheduled and self._in_reach(day) and not state.permanent
        return {
            **standing,
            "attempts": state.attempts,
            "max_attempts": most,
            "tries_again": int(again and state.attempts < most),
        }

    def standing(self, day: date) -> dict[str, int]:
        """Facts of a date: whether it is published, and which version stands."""
        latest = self.history.latest(day)
        return {"published": 0} if latest is None else {"published": 1, "version": latest.published.version}

    def _in_reach(self, day: date) -> bool:
        """Whether the schedule asks for the date at all, as `core.due` has it."""
        if day == self.today:
            return True
        in_service = self.first_publication is not None and day >= self.first_publication
        return in_service and self.today - timedelta(days=self.settings.catchup_days) <= day < self.today
