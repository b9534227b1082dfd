"""Whether the provider as a whole is down: a circuit breaker over distinct accounts, purely."""

FAILURES_TO_OPEN = 20
"""Consecutive failures of this many distinct accounts mean an outage, not a few bad accounts."""

PROBE_SECONDS = 2.0
"""While open, one call every so often asks whether it is over; a probe is a try of its account."""


class Breaker:
    """Closed while calls end; open in an outage, when only a probe goes out every PROBE_SECONDS.

    Accounts that always fail cannot open it, however many of them are left at the end of a night: it
    counts distinct accounts, and none that failed before the provider last answered another.
    Times are seconds of one monotonic clock, passed in by the caller.
    """

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._next_probe: float | None = None  # None while closed

    @property
    def open(self) -> bool:
        """Whether the provider is taken to be down."""
        return self._next_probe is not None

    def failed(self, account_id: str | None, now: float) -> None:
        """A call ended without a usable answer (a refusal for the rate does not count).

        Args:
            account_id: whom it asked for; None if only accounts whose earlier failure was their own.
            now: the time.
        """
        if account_id is not None:
            self._failing.add(account_id)
        if self.open or len(self._failing) >= FAILURES_TO_OPEN:
            self._next_probe = now + PROBE_SECONDS

    def answered(self) -> None:
        """The provider gave a usable answer."""
        self._failing.clear()
        self._next_probe = None

    def wait(self, now: float, in_flight: int) -> float | None:
        """Seconds until a call may go out: 0.0 for at once, None when one in flight must end first."""
        if self._next_probe is None:
            return 0.0
        if in_flight:
            return None
        return max(0.0, self._next_probe - now)
