"""The clock that the workers sleep on: the machine's, or a test's."""

import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock and a way to sleep on it."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float) -> None:
        """Return after at least `seconds`."""


class SystemClock:
    """The machine's clock."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
