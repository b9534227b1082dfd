"""What the server's log says: how many calls, when, how many refused, which of them twice."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

OK, TOO_MANY = "200", "429"


@dataclass(frozen=True)
class Calls:
    """What arrived at the server.

    Attributes:
        count: calls, answered or refused.
        refusals: those answered with 429.
        rated: accounts that were answered at least once.
        repeated: answers that had been given before.
        span_seconds: from the start of the first call to the end of the last.
    """

    count: int
    refusals: int
    rated: int
    repeated: int
    span_seconds: float


def read_calls(lines: Iterable[str]) -> Calls:
    """Reads lines of `END SECONDS STATUS ACCOUNT` (Unix time, duration)."""
    statuses: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    first, last = float("inf"), float("-inf")
    for line in lines:
        ended, seconds, status, account = line.split()
        statuses[status] += 1
        first = min(first, float(ended) - float(seconds))
        last = max(last, float(ended))
        if status == OK:
            answered[account] += 1
    return Calls(
        count=statuses.total(),
        refusals=statuses[TOO_MANY],
        rated=len(answered),
        repeated=answered.total() - len(answered),
        span_seconds=last - first if statuses else 0.0,
    )
