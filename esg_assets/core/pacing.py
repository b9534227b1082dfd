"""When the next call may be sent: evenly spaced slots, and never a burst to catch up.

A filled token bucket overshoots in its first second and a full window sends in clumps; evenly
spaced slots used 99.5 to 100 % of a limit without a refusal (docs/adr/0004). Which call goes into a
slot is decided in `esg_assets.core.collection`.
"""

LATE_SECONDS = 0.02
"""A slot missed by more than this is given up: a stalled machine must not send a clump when it wakes."""


class Pacer:
    """Hands out slots at `rate` per second, of which the first `burst` may be at once.

    Times are seconds of one monotonic clock, passed in by the caller.
    """

    def __init__(self, rate: float, burst: int = 1) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(
                f"a pacer needs a rate above 0 and a burst of at least 1, not {rate} and {burst}"
            )
        self._burst = burst
        self.set_rate(rate)
        self._next = float("-inf")  # when the next slot would be if `burst` were 1

    def set_rate(self, rate: float) -> None:
        """From now on at most `rate` per second."""
        self._interval = 1.0 / rate
        self._credit = (self._burst - 1) * self._interval

    def reserve(self, now: float) -> float:
        """The time of the next slot, which is now the caller's; at most LATE_SECONDS in the past."""
        slot = max(self._next, now - LATE_SECONDS)
        self._next = slot + self._interval
        return max(slot - self._credit, now - LATE_SECONDS)

    def pause_until(self, until: float) -> None:
        """No slot before `until`; overlapping pauses do not add up."""
        self._next = max(self._next, until + self._credit)

    @staticmethod
    def too_late(slot: float, now: float) -> bool:
        """Whether a reserved slot has passed so long ago that it must be reserved anew."""
        return now > slot + 2 * LATE_SECONDS
