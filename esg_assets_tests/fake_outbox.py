"""`MemoryOutbox`, the stand-in for the port Outbox; it passes contract/test_outbox*.py as SqlOutbox does."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from esg_assets.core.alerts import recording
from esg_assets.core.alerts.incidents import Incident, Message, Observation, Recovery, State
from esg_assets.core.alerts.ports import Receipt, Refusal, Waiting
from esg_assets.core.alerts.routes import HEARTBEAT, Routes, Target


@dataclass
class Kept:
    """A message and how its delivery stands; `next_at` is None when nothing is left to do."""

    message: Message
    next_at: datetime | None
    claimed_by: str = ""
    claimed_until: datetime | None = None
    delivered_at: datetime | None = None
    receipt: str = ""
    refused_at: datetime | None = None
    why: str = ""

    @property
    def target(self) -> Target:
        return Target(self.message.channel, self.message.audience)


class MemoryOutbox:
    """Outbox in lists; `incidents` and `kept` may be looked at by a test."""

    def __init__(self, environment: str = "test") -> None:
        self.incidents: dict[str, Incident] = {}
        self.kept: list[Kept] = []
        self._environment = environment
        self._causes: Counter[str] = Counter()
        self._seen: dict[str, Observation | Recovery] = {}
        self._bookmarks: dict[str, str] = {}
        self._lock = threading.RLock()

    def record(
        self, seen: Sequence[Observation | Recovery], routes: Routes, now: datetime
    ) -> Sequence[Incident]:
        with self._lock:
            new = [one for one in recording.in_order(seen) if recording.evidence_name(one) not in self._seen]
            if not new:
                return []
            known = recording.Known(
                open_incidents=self.open_incidents(),
                recoveries=[
                    one for one in self._seen.values() if isinstance(one, Recovery) and one.at >= new[0].at
                ],
                told={incident.key: self._told(incident.key) for incident in self.open_incidents()},
                openings=lambda cause: self._causes[cause],
            )
            outcome = recording.applied(self._environment, new, known, routes)
            self._seen |= {recording.evidence_name(one): one for one in new}
            self.incidents |= outcome.incidents
            self._causes.update(cause for cause, _ in outcome.causes.values())
            for queued in outcome.messages:
                made = Message(
                    id=len(self.kept) + 1,
                    incident=queued.incident,
                    state=queued.state,
                    channel=queued.target.channel,
                    audience=queued.target.audience,
                    queued_at=now.astimezone(UTC),
                )
                self.kept.append(Kept(made, now))
            return list(outcome.incidents.values())

    def open_incidents(self) -> Sequence[Incident]:
        opened = (incident for incident in self.incidents.values() if incident.resolved_at is None)
        return sorted(opened, key=lambda incident: incident.opened_at)

    def incidents_since(self, moment: datetime) -> Sequence[Incident]:
        since = (incident for incident in self.incidents.values() if incident.opened_at >= moment)
        return sorted(since, key=lambda incident: incident.opened_at)

    def claim(
        self,
        deliverer: str,
        now: datetime,
        *,
        lease_seconds: float,
        channels: Collection[str],
        early: bool = False,
    ) -> Message | None:
        with self._lock:
            due = [
                kept
                for kept in self.kept
                if kept.next_at is not None
                and kept.message.channel in channels
                and (early or kept.next_at <= now)
                and (kept.claimed_until is None or kept.claimed_until <= now)
                and not any(self._before(kept))
            ]
            if not due:
                return None
            kept = min(due, key=lambda one: (one.next_at, one.message.id))
            kept.claimed_by, kept.claimed_until = deliverer, now + timedelta(seconds=lease_seconds)
            return kept.message

    def delivered(self, message: Message, deliverer: str, now: datetime, receipt: str) -> None:
        with self._lock:
            kept = self.kept[message.id - 1]
            if kept.delivered_at is None:
                kept.delivered_at, kept.receipt = now, receipt
                kept.next_at = kept.refused_at = kept.claimed_until = None

    def failed(
        self, message: Message, deliverer: str, now: datetime, why: str, retry_at: datetime | None
    ) -> None:
        with self._lock:
            kept = self.kept[message.id - 1]
            if kept.next_at is None or kept.claimed_by != deliverer or kept.claimed_until is None:
                return
            kept.message = replace(kept.message, attempts=kept.message.attempts + 1)
            kept.next_at, kept.why, kept.claimed_until = retry_at, why, None
            if retry_at is None:
                kept.refused_at = now
                for later in self._after(kept) if message.state is State.OPEN else ():
                    later.next_at, later.refused_at, later.why = None, now, "its opening was refused"

    def waiting(self, now: datetime) -> Waiting:
        left = [kept.message for kept in self.kept if kept.next_at is not None]
        since = now - timedelta(days=7)
        return Waiting(
            pending=Counter(message.channel for message in left),
            oldest=min((message.queued_at for message in left), default=None),
            refused=Counter(
                kept.message.channel
                for kept in self.kept
                if kept.refused_at is not None and kept.refused_at >= since
            ),
        )

    def pending(self, key: str) -> Sequence[Message]:
        return [
            kept.message
            for kept in self.kept
            if kept.message.incident.key == key and kept.next_at is not None
        ]

    def receipts(self, key: str) -> Sequence[Receipt]:
        found = [
            Receipt(kept.message, kept.delivered_at, kept.receipt)
            for kept in self.kept
            if kept.message.incident.key == key and kept.delivered_at is not None
        ]
        return sorted(found, key=lambda receipt: (receipt.delivered_at, receipt.message.id))

    def refusals(self, since: datetime) -> Sequence[Refusal]:
        found = [
            Refusal(kept.message, kept.refused_at, kept.why)
            for kept in self.kept
            if kept.refused_at is not None and kept.refused_at >= since
        ]
        return sorted(found, key=lambda refusal: (refusal.refused_at, refusal.message.id))

    def bookmark(self, name: str) -> str:
        return self._bookmarks.get(name, "")

    def keep_bookmark(self, name: str, value: str) -> None:
        self._bookmarks[name] = value

    def _told(self, key: str) -> Mapping[Target, frozenset[State]]:
        told: dict[Target, frozenset[State]] = {}
        refused = set()
        for kept in self.kept:
            if kept.message.incident.key == key:
                told[kept.target] = told.get(kept.target, frozenset()) | {kept.message.state}
                if kept.message.state is State.OPEN and kept.refused_at is not None:
                    refused.add(kept.target)
        # Still told of, so that nothing opens there again; but without an opening nothing follows.
        return {
            target: states - {State.OPEN} if target in refused else states for target, states in told.items()
        }

    def _before(self, kept: Kept) -> Iterator[Kept]:
        for other in self.kept[: kept.message.id - 1]:
            same = other.message.incident.key == kept.message.incident.key and other.target == kept.target
            heartbeat = other.message.channel == kept.message.channel == HEARTBEAT
            if other.next_at is not None and (same or heartbeat):
                yield other

    def _after(self, kept: Kept) -> Iterator[Kept]:
        for other in self.kept[kept.message.id :]:
            same = other.message.incident.key == kept.message.incident.key and other.target == kept.target
            if other.next_at is not None and same:
                yield other
