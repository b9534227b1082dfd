"""How fast to call: the setting at most, and less where the provider says or shows that it allows less.

A pure state machine. A refusal (429) that comes soon after the last change means that the rate is far
too high, one that comes late means that it is a little too high: a token bucket of unknown size
empties the faster, the more the rate is above its own. So the fall depends on the time that the rate
held. After a while without refusals the rate climbs back, never above the setting.
"""

MIN_SHARE = 0.01
"""Never below this share of the setting: a lie, or a storm of refusals, must not stall the night."""

HOLD_SECONDS = 10.0
"""After a refusal the rate is kept this long before it is tried whether more is allowed again."""

STEP_SECONDS = 1.0
"""While it climbs, each step is kept this long."""

FIRST_CLIMB, LAST_CLIMB = 0.05, 0.6
"""The first step up is small, since it is often one too many; each that holds doubles the next."""

SHARPEST_FALL, GENTLEST_FALL = 0.3, 0.02
FALL_SECONDS = 0.3
"""A rate that held T seconds falls by FALL_SECONDS / T, within the two bounds."""


class RateControl:
    """The rate in force; times are seconds of one monotonic clock, passed in by the caller.

    Args:
        setting: ESG_API_RATE_LIMIT, calls per second.
    """

    def __init__(self, setting: float) -> None:
        self._setting = setting
        self._announced = setting
        self.rate = setting
        """Calls per second allowed now."""
        self._held_since = float("-inf")
        self._next_step = float("-inf")
        self._climb = FIRST_CLIMB
        self._held: list[float] = []  # rates that held before each step of the climb, ascending
        self._paused_until = float("-inf")

    def announced(self, rate: float | None) -> bool:
        """What an answer announced, None if nothing; whether the rate in force changed."""
        if rate is None:
            return False
        # Below the floor, or above the setting, it is the floor or the setting.
        ceiling = min(self._setting, max(rate, self._setting * MIN_SHARE))
        before, self._announced = self._announced, ceiling
        if ceiling < self.rate or (ceiling > before and self.rate >= before):
            self.rate = ceiling
            return True
        return False

    def refused(self, now: float, paused_until: float) -> bool:
        """A 429 arrived, and calls pause until `paused_until`; whether the rate changed.

        The refusals of calls that were in flight belong to the same lesson.
        """
        if now < self._paused_until:
            self._paused_until = max(self._paused_until, paused_until)
            self._held_since = self._paused_until
            return False
        self.rate = min(self.rate, max(self._lower(now), self._setting * MIN_SHARE))
        self._climb = FIRST_CLIMB
        self._paused_until = self._held_since = paused_until
        self._next_step = paused_until + HOLD_SECONDS
        return True

    def _lower(self, now: float) -> float:
        """The rate of the last step that held; or, where none is known, a fall by how long this one held."""
        if self._held:
            return self._held.pop()
        held = max(now - self._held_since, FALL_SECONDS)
        return self.rate * (1 - min(max(FALL_SECONDS / held, GENTLEST_FALL), SHARPEST_FALL))

    def answered(self, now: float) -> bool:
        """A call was not refused; whether the rate changed."""
        if self.rate >= self._announced or now < self._next_step:
            return False
        if self._climb == FIRST_CLIMB:
            self._held.clear()
        self._held.append(self.rate)
        self.rate = min(self.rate * (1 + self._climb), self._announced)
        self._climb = min(2 * self._climb, LAST_CLIMB)
        self._held_since = now
        self._next_step = now + STEP_SECONDS
        return True
