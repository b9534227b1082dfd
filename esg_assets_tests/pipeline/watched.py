"""A house that is watched: looks of the real detection over its instance, at moments that a test says."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.alerts.incidents import Incident, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.routes import AUDIENCES, CHANNELS, DEFAULT, Routes, Target
from esg_assets.detection import Detected, detect
from esg_assets_tests.fake_outbox import MemoryOutbox
from esg_assets_tests.pipeline.house import House

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
