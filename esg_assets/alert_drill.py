"""Proofs that alerts reach people: a fire drill through the outbox, and a test straight to the channels.

Both are of the kind `drill`, which every message says of itself; neither is of a report.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from esg_assets.alert_delivery import deliver_due, new_deliverer
from esg_assets.core import exception_words
from esg_assets.core.alerts import recording
from esg_assets.core.alerts.incidents import Incident, Message, Observation, Recovery, State
from esg_assets.core.alerts.kinds import DRILL, Severity
from esg_assets.core.alerts.ports import Channel, Outbox
from esg_assets.core.alerts.routes import PAGERDUTY, Routes, Target
from esg_assets.core.errors import EsgError
from esg_assets.delivery_lanes import Trouble

DRILL_SECONDS = 60.0
"""How long a drill waits for the acknowledgements of its opening, and again for those of its end."""

_LOOK_SECONDS = 1.0
_KINDS = frozenset({DRILL.name})


@dataclass(frozen=True)
class Proof:
    """What became of one message of a drill or a test.

    Attributes:
        channel, audience, state: of the message.
        receipt: what the channel acknowledged it with; "" if it did not.
        delivered_at: when; None if it did not.
        why: why not, in our words; "" if it did.
    """

    channel: str
    audience: str
    state: State
    receipt: str = ""
    delivered_at: datetime | None = None
    why: str = ""

    @property
    def taken(self) -> bool:
        """Whether the channel acknowledged it."""
        return self.delivered_at is not None


def drill(
    outbox: Outbox,
    channels: Sequence[Channel],
    routes: Routes,
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    *,
    seconds: float | None = None,
) -> tuple[str, Sequence[Proof]]:
    """Open a drill, tell of it everywhere, end it, tell of that; the receipts stay in the outbox.

    Whoever else delivers meanwhile may deliver the drill's messages too. A drill that was killed
    before its end is ended by the next one.

    Args:
        outbox: where the drill is recorded, and its receipts.
        channels: those that are set up.
        routes: to whom it goes: every target of any severity.
        clock: the time, with a time zone.
        wait: sleeps for some seconds.
        seconds: how long to wait for all acknowledgements, each time; by default DRILL_SECONDS.

    Returns:
        The incident's key, and what became of each message that was to be sent: two for each target.
    """
    started = clock()
    name = f"{started:%Y%m%dT%H%M%S.%f}"
    incident = _opened(outbox, routes, name, started)
    troubles: list[Trouble] = []

    def deliver(state: State) -> None:
        for more in _rounds(DRILL_SECONDS if seconds is None else seconds, wait):
            troubles.extend(deliver_due(outbox, channels, routes, new_deliverer(), clock).troubles)
            if not more or not _worth_waiting(outbox, incident, state):
                return

    deliver(State.OPEN)
    now = clock()
    outbox.record([Recovery(f"drill:{name}:over", now, _KINDS, subject=name)], routes, now)
    deliver(State.RESOLVED)
    return incident.key, _proofs(outbox, incident, routes, troubles)


def send_tests(
    environment: str, channels: Sequence[Channel], routes: Routes, clock: Callable[[], datetime]
) -> Iterator[Proof]:
    """Send a test message straight through each channel, past the outbox, to everybody it can tell.

    An incident that PagerDuty opens because of it is ended at once.
    """
    now = clock()
    name = f"test-{now:%Y%m%dT%H%M%S.%f}"
    seen = Observation(DRILL, f"drill:{name}", now, subject=name)
    begun = recording.applied(environment, [seen], recording.Known([], [], {}, lambda _: 0), routes)
    (incident,) = begun.incidents.values()
    for channel in channels:
        for target in _targets_of(channel.name, routes):
            states = (State.OPEN, State.RESOLVED) if channel.name == PAGERDUTY else (State.OPEN,)
            for state in states:
                told = incident if state is State.OPEN else replace(incident, resolved_at=now)
                message = Message(0, told, state, target.channel, target.audience, now)
                proof = _sent(channel, message, clock)
                yield proof
                if not proof.taken:
                    break


def _opened(outbox: Outbox, routes: Routes, name: str, at: datetime) -> Incident:
    """The drill's incident, recorded; one that was killed before its end is ended first."""
    if any(incident.kind == DRILL for incident in outbox.open_incidents()):
        before = at - timedelta(microseconds=1)
        outbox.record([Recovery(f"drill:{name}:before", before, _KINDS)], routes, at)
    return outbox.record([Observation(DRILL, f"drill:{name}", at, subject=name)], routes, at)[-1]


def _worth_waiting(outbox: Outbox, incident: Incident, state: State) -> bool:
    """Whether a message of that state may still be taken: an end waits for its opening."""
    left = [(each.state, Target(each.channel, each.audience)) for each in outbox.pending(incident.key)]
    unopened = {target for of, target in left if of is not state}
    return any(of is state and target not in unopened for of, target in left)


def _sent(channel: Channel, message: Message, clock: Callable[[], datetime]) -> Proof:
    about = (message.channel, message.audience, message.state)
    try:
        receipt = channel.deliver(message)
    except EsgError as error:
        return Proof(*about, why=str(error))
    except Exception as error:  # noqa: BLE001 - one channel's fault must not hide the others'
        where = exception_words.places(error.__traceback__)[-1]
        return Proof(*about, why=f"an unexpected {type(error).__name__} at {where}")
    return Proof(*about, receipt, clock())


def _targets_of(channel: str, routes: Routes) -> Sequence[Target]:
    """The audiences that routes send to over that channel; one that it could tell if there are none."""
    routed = dict.fromkeys(
        target
        for severity in reversed(Severity)
        for target in routes.targets(severity)
        if target.channel == channel
    )
    able = sorted((each for each in routes.usable if each.channel == channel), key=lambda each: each.audience)
    return list(routed) or able[-1:]


def _rounds(seconds: float, wait: Callable[[float], None]) -> Iterator[bool]:
    """Rounds a second apart; each says whether there is another one."""
    for left in range(int(seconds / _LOOK_SECONDS), -1, -1):
        yield left > 0
        wait(_LOOK_SECONDS)


def _proofs(
    outbox: Outbox, incident: Incident, routes: Routes, troubles: Sequence[Trouble]
) -> Sequence[Proof]:
    """What became of both messages to each target."""
    receipts = {
        (one.message.channel, one.message.audience, one.message.state): one
        for one in outbox.receipts(incident.key)
    }
    found = []
    for state in (State.OPEN, State.RESOLVED):
        for target in recording.targets(incident, routes):
            about = (target.channel, target.audience, state)
            if (receipt := receipts.get(about)) is not None:
                found.append(Proof(*about, receipt.receipt, receipt.delivered_at))
            elif state is State.RESOLVED and (*about[:2], State.OPEN) not in receipts:
                found.append(Proof(*about, why="its opening was not acknowledged"))
            else:
                found.append(Proof(*about, why=_why(about, incident.key, troubles)))
    return found


def _why(about: tuple[str, str, State], key: str, troubles: Sequence[Trouble]) -> str:
    """Why there is no receipt: what the channel said last of the message, or of one before it."""
    for trouble in reversed(troubles):
        message = trouble.message
        if (message.channel, message.audience, message.state, message.incident.key) == (*about, key):
            return trouble.why
    for trouble in reversed(troubles):
        if trouble.message.channel == about[0]:
            return f"an earlier message is not taken either: {trouble.why}"
    return "no acknowledgement yet; it stays in the outbox"
