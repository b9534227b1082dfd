"""Good answers that wait a moment, to be judged and ended several at a time.

A call comes every few milliseconds and finds the processor cold; the same code over a dozen answers
in a row costs a third. What could change the next call (a refusal, a fault, the first answer of all)
never waits: `Collection.settles_later` says which may.
"""

from collections import deque

from esg_assets.core.calls import Call
from esg_assets.core.ratings import Reply

MOST = 16
SECONDS = 0.05
"""An answer waits so long at most while calls go on; a thread with nothing to send settles all at once."""


class Unsettled:
    """Calls with their answers, first come, first served; for many threads, without a lock of its own."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Call, Reply]] = deque()  # its append and popleft are atomic
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, call: Call, reply: Reply, now: float) -> bool:
        """Let an answer wait; whether it is time to settle."""
        if not self._waiting:
            self._since = now
        self._waiting.append((call, reply))
        return len(self._waiting) >= MOST or now - self._since >= SECONDS

    def take(self) -> list[tuple[Call, Reply]]:
        """Everything that waits, which is now the caller's to settle."""
        taken = []
        while self._waiting:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:  # another thread took the last one
                break
        return taken
