"""How long calls took: a histogram of bounded size, from which percentiles are read.

Exact percentiles would keep every call of a night; this keeps a count for each of a few hundred spans,
each a little longer than the one before, and can be added to that of another run.
"""

import math
from collections.abc import Iterable, Sequence

SPANS_PER_DOUBLING = 16
"""Spans between a time and its double: a percentile is within 2.2 % of the exact one."""

SHORTEST, LONGEST = 2.0**-14, 2.0**12
"""Seconds: 61 µs to 68 min. What took less or longer counts as that."""

PERCENTILES = (0.5, 0.9, 0.99)
"""What run records and metrics show."""

_FIRST = int(math.log2(SHORTEST)) * SPANS_PER_DOUBLING
_SPANS = int(math.log2(LONGEST)) * SPANS_PER_DOUBLING - _FIRST


class Latencies:
    """Seconds that calls took, as counts; not safe for threads."""

    def __init__(self) -> None:
        self._counts = [0] * _SPANS

    def took(self, seconds: float) -> None:
        """One call took so long."""
        span = int(math.log2(max(seconds, SHORTEST)) * SPANS_PER_DOUBLING - _FIRST)
        self._counts[min(span, _SPANS - 1)] += 1

    def __add__(self, other: "Latencies") -> "Latencies":
        """The calls of both."""
        both = Latencies()
        both._counts = [a + b for a, b in zip(self._counts, other._counts, strict=True)]
        return both

    def __len__(self) -> int:
        """How many calls were counted."""
        return sum(self._counts)

    def percentile(self, share: float) -> float | None:
        """Seconds within which that share (0 to 1) of the calls ended; None without a call."""
        wanted, seen = max(1, math.ceil(share * len(self))), 0
        for span, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                middle = (span + 0.5 + _FIRST) / SPANS_PER_DOUBLING
                return float(2.0**middle)
        return None

    def percentiles(self, shares: Sequence[float] = PERCENTILES) -> dict[str, float]:
        """Seconds by name, such as `p99_seconds`, to three digits that count; empty without a call."""
        found = ((share, self.percentile(share)) for share in shares)
        return {name_of(share): float(f"{value:.3g}") for share, value in found if value is not None}

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Latencies":
        """Of calls that took so long."""
        made = cls()
        for each in seconds:
            made.took(each)
        return made


def name_of(share: float) -> str:
    """The name of a percentile among the figures of a run: 0.99 → p99_seconds."""
    return f"p{share * 100:g}_seconds"
