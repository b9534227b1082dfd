"""Delivery: hands what waits in the outbox to the channels. What waits is decided elsewhere.

A message is claimed, handed over and marked, in this order. Whoever dies in between leaves a lease that
runs out, and the message goes out once more with the same identity: at least once, and once only where
the channel can tell. Each channel has a thread of its own, so that none waits for another.
"""

import os
import random
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from esg_assets.core.alerts.incidents import Observation, Recovery
from esg_assets.core.alerts.kinds import ALERT_REFUSED
from esg_assets.core.alerts.ports import Channel, Outbox
from esg_assets.core.alerts.routes import Routes
from esg_assets.delivery_lanes import LEASE_SECONDS, Lane, Post, Trouble, run
from esg_assets.detection import watch_detection

NAME = "alert_delivery_sensor"
PASS_SECONDS = 20.0
CHANNEL_SECONDS = 5.0
"""What one delivery may take; a channel that takes longer is left alone for the rest of the pass."""


@dataclass
class Delivery:
    """What a pass did.

    Attributes:
        delivered: acknowledged messages, by channel.
        troubles: messages that were not taken.
    """

    delivered: Counter[str] = field(default_factory=Counter)
    troubles: list[Trouble] = field(default_factory=list)

    def told(self, pending: Mapping[str, int]) -> str:
        """In one line, with what is left: for a tick's reason."""
        parts = [f"delivered {_counts(self.delivered)}"] if self.delivered else []
        parts += [
            f"{trouble.message.channel} {_did(trouble)} a message: {trouble.why.rstrip('.')}"
            for trouble in self.troubles
        ]
        parts = parts or ["nothing was due"]
        if pending:
            parts.append(f"still waiting: {_counts(pending)}")
        return "; ".join(parts)


def new_deliverer() -> str:
    """A name for one pass: no other pass of this or another process has it."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def deliver_due(
    outbox: Outbox,
    channels: Sequence[Channel],
    routes: Routes,
    deliverer: str,
    clock: Callable[[], datetime],
    *,
    seconds: float = PASS_SECONDS,
    channel_seconds: float = CHANNEL_SECONDS,
    early: bool = False,
    jitter: Callable[[], float] = random.random,
) -> Delivery:
    """Deliver what is due, every channel for itself, until nothing is left or the time is up.

    After a failure the rest of that channel's messages wait for the next pass; a refused message is
    ended, told of on the other channels, and the next one follows.

    Args:
        outbox: what waits.
        channels: those that are configured; messages for others go on waiting.
        routes: who is told of a channel that refuses messages.
        deliverer: see `new_deliverer`.
        clock: the time that messages are due by, with a time zone.
        seconds: how long the pass may take in all.
        channel_seconds: how long one delivery may take.
        early: also what waits for its next try.
        jitter: from 0 to 1, for `backoff`.

    Raises:
        StoreUnavailable: the outbox does not answer; what was delivered until then is marked.
    """
    result = Delivery()
    post = Post(outbox, deliverer, clock, early, jitter, channel_seconds)
    until = time.monotonic() + seconds
    running = list(channels)
    while running:
        lanes = [Lane(channel, post, until - channel_seconds) for channel in running]
        run(lanes, until)
        _take_down(result, lanes)
        _tell_of_refusals(outbox, routes, lanes)
        for lane in lanes:
            if lane.error is not None:
                raise lane.error
        running = [lane.channel for lane in lanes if not lane.failed]
        if not _any_refused(lanes) or time.monotonic() >= until - channel_seconds:
            break
    return result


def give_up(outbox: Outbox, channel: str, deliverer: str, clock: Callable[[], datetime]) -> int:
    """End what waits for a channel that is no longer set up, for good; how many messages that were."""
    before = outbox.waiting(clock()).pending.get(channel, 0)
    while True:
        now = clock()
        message = outbox.claim(deliverer, now, lease_seconds=LEASE_SECONDS, channels=(channel,), early=True)
        if message is None:
            return before - outbox.waiting(clock()).pending.get(channel, 0)
        outbox.failed(message, deliverer, now, "given up: the channel is no longer set up", None)


def _take_down(result: Delivery, lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        result.delivered[lane.name] += len(lane.accepted)
        result.troubles += lane.troubles
    result.delivered += Counter()  # without the zeros


def _any_refused(lanes: Sequence[Lane]) -> bool:
    """Whether another round is worth it: what is told of a refusal waits on the other channels."""
    return any(trouble.refused for lane in lanes for trouble in lane.troubles)


def _tell_of_refusals(outbox: Outbox, routes: Routes, lanes: Sequence[Lane]) -> None:
    """Channels that refuse messages are an incident, once a day each; one that takes them again ends it."""
    seen: list[Observation | Recovery] = [
        Observation(
            ALERT_REFUSED,
            f"alert_refused:{lane.name}:{trouble.at.date()}",
            trouble.at,
            subject=lane.name,
            facts={"channel": lane.name},
        )
        for lane in lanes
        for trouble in lane.troubles
        if trouble.refused
    ]
    taken = [(lane.name, *lane.accepted[-1]) for lane in lanes if lane.accepted]
    if taken:
        refusing = {one.subject for one in outbox.open_incidents() if one.kind == ALERT_REFUSED}
        refusing |= {one.subject or "" for one in seen}
        seen += [
            Recovery(f"alert_taken:{message.identity}", at, frozenset({ALERT_REFUSED.name}), subject=channel)
            for channel, message, at in taken
            if channel in refusing
        ]
    if seen:
        outbox.record(seen, routes, max(one.at for one in seen))


def _did(trouble: Trouble) -> str:
    return "refused" if trouble.refused else "did not take"


def _counts(by_channel: Mapping[str, int]) -> str:
    return ", ".join(f"{count} by {channel}" for channel, count in sorted(by_channel.items()))


@dg.sensor(
    name=NAME,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Delivers the alerts that wait in the outbox to email, PagerDuty, Slack and the others.",
)
def alert_delivery_sensor(
    context: dg.SensorEvaluationContext,
    outbox: dg.ResourceParam[Outbox],
    channels: dg.ResourceParam[Sequence[Channel]],
    routes: dg.ResourceParam[Routes],
) -> dg.SkipReason:
    """Launches nothing; what it delivered, and what is left, is in the tick's reason.

    It also looks whether the sensor that detects goes round, which cannot tell of its own silence.
    """
    result = deliver_due(outbox, channels, routes, new_deliverer(), _now)
    watch_detection(context.instance, outbox, routes, _now())
    return dg.SkipReason(result.told(outbox.waiting(_now()).pending))


def _now() -> datetime:
    return datetime.now(UTC)
