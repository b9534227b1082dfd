"""What the simulators saw, for tests to compare with what a client says it did."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Statistics:
    """Counters since the start or the last reset.

    Attributes:
        calls: of the rating endpoints, refused ones included.
        pages: calls of the account system.
        token_requests: calls of the token endpoint.
        answers: rating calls by what was sent: a status, or the fault's kind if nothing whole was.
        faults: ordered faults that were met, by kind.
        refused: calls that the rate limit refused.
        in_flight, max_in_flight: rating calls under way now, and the most at once.
        calls_of: rating calls by account id.
        tries_of: those that were let through: the `nth` of faults.expected_fault.
        answered: (account id, as_of) that have had a final answer: a whole rating, 304, 404 or 422.
        answered_again: final answers to an account and date that had one already.
        arrivals: milliseconds of the monotonic clock at which rating calls came.
    """

    calls: int = 0
    pages: int = 0
    token_requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    calls_of: dict[str, int] = field(default_factory=dict)
    tries_of: dict[str, int] = field(default_factory=dict)
    answered: set[tuple[str, str | None]] = field(default_factory=set)
    answered_again: int = 0
    arrivals: "array[float]" = field(default_factory=lambda: array("d"))

    def arrive(self, now: float) -> None:
        """A call of a rating endpoint came at `now` (seconds)."""
        self.calls += 1
        self.arrivals.append(now * 1000)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def call_for(self, account_id: str) -> None:
        """A call asked for an account."""
        self.calls_of[account_id] = self.calls_of.get(account_id, 0) + 1

    def try_for(self, account_id: str) -> int:
        """A call for an account was let through; its number from 1."""
        nth = self.tries_of[account_id] = self.tries_of.get(account_id, 0) + 1
        return nth

    def answer_for(self, account_id: str, as_of: str | None) -> None:
        """An account had a final answer for a date."""
        key = (account_id, as_of)
        if key in self.answered:
            self.answered_again += 1
        else:
            self.answered.add(key)

    def forget(self) -> None:
        """Back to zero; calls under way stay counted as such."""
        fresh = Statistics(in_flight=self.in_flight, max_in_flight=self.in_flight)
        self.__dict__.update(fresh.__dict__)

    def report(self, *, arrivals: bool = False, accounts: bool = False) -> dict[str, Any]:
        """The figures as one JSON object.

        Args:
            arrivals: also `arrivals_ms`, ascending, of the system's monotonic clock.
            accounts: also `calls_of`, the rating calls by account id.
        """
        histogram = Counter(self.calls_of.values())
        figures: dict[str, Any] = {
            "calls": self.calls,
            "pages": self.pages,
            "token_requests": self.token_requests,
            "answers": dict(self.answers),
            "faults": dict(self.faults),
            "refused": self.refused,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "accounts_called": len(self.calls_of),
            "accounts_by_calls": {str(calls): count for calls, count in sorted(histogram.items())},
            "repeated_calls": sum((calls - 1) * count for calls, count in histogram.items()),
            "answered": len(self.answered),
            "answered_again": self.answered_again,
        }
        if arrivals:
            figures["arrivals_ms"] = self.arrivals.tolist()
        if accounts:
            figures["calls_of"] = self.calls_of
        return figures
