"""How many retries a run may spend: a share of its calls, so that retries never become a storm."""

SHARE = 0.2
"""Retries among all calls, at most, once the reserve is spent."""

RESERVE = 100
"""Retries that are always allowed: a small book, or the calls that an outage caught in flight."""


class RetryBudget:
    """Counts calls and retries; says whether one more retry may be sent."""

    def __init__(self) -> None:
        self._calls = 0
        self._retries = 0

    def spend(self, *, retry: bool) -> None:
        """A call is sent."""
        self._calls += 1
        self._retries += retry

    @property
    def allows_retry(self) -> bool:
        """Whether the next call may be a retry."""
        return self._retries < RESERVE + SHARE * self._calls
