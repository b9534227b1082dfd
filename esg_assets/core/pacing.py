"""When the next call may be sent: evenly spaced slots, and never a burst to catch up.

A filled token bucket overshoots in its first second and a full window sends in clumps; evenly
spaced slots used 99.5 to 100 % of a limit without a refusal (docs/adr/0004). Which call goes into a
slot is decided in `esg_assets.core.collection`.
"""

MOST_LATE_SECONDS = 0.01
"""How much of a delay may be caught up: a stalled machine must not send a clump when it wakes."""

PROVIDER_BURST_SECONDS = 0.02
"""A provider is taken to allow at least so much of its rate at once (and at least one call)."""


GRID_SECONDS = 0.004
"""Above 500 calls a second, slots this close go out together: a call made while the processor is warm
from the one before costs a fifth less, and this is far below what any provider's bucket takes at once."""


class Pacer:
    """Hands out slots at `rate` per second, of which the first `burst` may be at once.

    Slots are reserved ahead, so that many workers can sleep to theirs; what was really sent is
    counted as well, since a worker can wake late. Times are seconds of one monotonic clock, passed
    in by the caller.
    """

    def __init__(self, rate: float, burst: int = 1) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(
                f"a pacer needs a rate above 0 and a burst of at least 1, not {rate} and {burst}"
            )
        self._burst = burst
        self.set_rate(rate)
        self._next = float("-inf")  # when the next slot would be if `burst` were 1
        self._sent = float("-inf")  # when what was sent would be used up at the rate

    def set_rate(self, rate: float) -> None:
        """From now on at most `rate` per second."""
        self._interval = 1.0 / rate
        self._credit = (self._burst - 1) * self._interval
        # The slots of GRID_SECONDS are sent together, if the provider's smallest bucket takes as many.
        self._grid = GRID_SECONDS if self._interval * 2 <= GRID_SECONDS else 0.0
        # At 50 calls a second a burst of 20 ms is a single call: then nothing may be caught up.
        self._late = max(0.0, min(MOST_LATE_SECONDS, PROVIDER_BURST_SECONDS - self._interval))

    def reserve(self, now: float) -> float:
        """The time of the next slot, which is now the caller's."""
        slot = max(self._next, now - self._late)
        self._next = slot + self._interval
        early = slot % self._grid if self._grid else 0.0
        return max(slot - early - self._credit, now - self._late)

    def pause_until(self, until: float) -> None:
        """No slot before `until`; overlapping pauses do not add up."""
        self._next = max(self._next, until + self._credit)

    def earliest(self) -> float:
        """Before this nothing may be sent, whatever was reserved: what was sent last is not used up."""
        return self._sent - self._late - self._credit - self._grid

    def sent(self, now: float) -> None:
        """A call is sent."""
        self._sent = max(self._sent, now) + self._interval

    def too_late(self, slot: float, now: float) -> bool:
        """Whether a reserved slot has passed so long ago that it must be reserved anew."""
        return now > slot + MOST_LATE_SECONDS + self._interval
