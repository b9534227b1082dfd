"""How fast calls go out now: the pacer's slots, the rate that was learned, and pauses after a 429.

The arithmetic is in `pacing` and `rate_control`; this keeps the three from contradicting each other.
"""

from esg_assets.core.pacing import Pacer
from esg_assets.core.rate_control import RateControl
from esg_assets.core.rate_fields import announced_rate
from esg_assets.core.ratings import Reply

RESERVED_SECONDS = 0.2
"""Slots are reserved this far ahead at most: those far ahead would be of an old rate."""

TOO_MANY_REQUESTS = 429


class Throttle:
    """Times are seconds of one monotonic clock, passed in by the caller.

    Args:
        rate: ESG_API_RATE_LIMIT, calls per second.
        burst: ESG_API_BURST.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._control = RateControl(rate)
        self._pacer = Pacer(rate, burst)
        self._paused_until = float("-inf")

    @property
    def rate(self) -> float:
        """Calls per second allowed now."""
        return self._control.rate

    def far_ahead(self, reserved: int) -> bool:
        """Whether enough slots are reserved for now, however many workers there are."""
        return reserved > self.rate * RESERVED_SECONDS + 1

    def reserve(self, now: float) -> float:
        """The time of the next slot, which is now the caller's."""
        return self._pacer.reserve(now)

    def put_off(self, slot: float, now: float) -> float | None:
        """A later time for a call that may not be sent in its slot after all; None if it may."""
        if now < self._paused_until or self._pacer.too_late(slot, now):
            return self._pacer.reserve(now)
        earliest = self._pacer.earliest()  # later than now if whoever sent last woke late
        return earliest if now < earliest else None

    def sent(self, now: float) -> None:
        """A call is sent."""
        self._pacer.sent(now)

    def learn(self, reply: Reply, now: float) -> None:
        """Take what a reply says and shows of the provider's limit."""
        if reply.headers and self._control.announced(announced_rate(reply.headers)):
            self._pacer.set_rate(self.rate)
        answered = reply.status is not None and reply.status != TOO_MANY_REQUESTS
        if answered and self._control.answered(now):
            self._pacer.set_rate(self.rate)

    def refused(self, now: float, wait: float) -> None:
        """A 429: all calls share the limit, so all of them wait; of several pauses the latest counts."""
        self._paused_until = max(self._paused_until, now + wait)
        if self._control.refused(now, self._paused_until):
            self._pacer.set_rate(self.rate)
        self._pacer.pause_until(self._paused_until)
