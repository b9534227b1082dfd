"""Outages of the ESG API: a window of calls, a span of time, or until somebody ends it."""

import re
from dataclasses import dataclass

_WINDOW = re.compile(r"(?P<first>[0-9]+)-(?P<last>[0-9]+)(?:/(?P<kind>[45][0-9][0-9]|timeout|reset))?")

KINDS = re.compile(r"[45][0-9][0-9]|timeout|reset")


@dataclass
class Outage:
    """When every call fails, and how.

    Attributes:
        kind: a status code as text, `timeout` or `reset`.
        first, last: rating calls by number from 1, both included; last 0 for no window.
        on: whether it lasts until it is switched off.
        until: seconds of the monotonic clock until which it lasts.
    """

    kind: str = "503"
    first: int = 0
    last: int = 0
    on: bool = False
    until: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Outage":
        """Read `FIRST-LAST[/KIND]`, such as `101-250/reset`; "" for none.

        Raises:
            ValueError: it is nothing of the sort.
        """
        if not text:
            return cls()
        match = _WINDOW.fullmatch(text)
        if match is None:
            raise ValueError(f"outage: {text!r} is not FIRST-LAST[/STATUS|/timeout|/reset]")
        return cls(match["kind"] or "503", int(match["first"]), int(match["last"]))

    def covers(self, call: int, now: float) -> bool:
        """Whether the call of that number, at `now`, falls into it."""
        return self.on or self.first <= call <= self.last or now < self.until
