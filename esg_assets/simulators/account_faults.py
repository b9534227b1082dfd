"""Faults of the account system to order, such as `503=2,expired=1,wrong_total`.

    STATUS=N        the first N calls answer that status (429 and 503 with `Retry-After: 1`)
    truncated=N     the first N calls answer JSON that stops in the middle
    not_json=N      the first N calls answer an HTML page
    expired=N       the first N calls with a cursor answer 410
    wrong_total     `total` is one too many on every page
    repeated_account  the last account comes twice (and `total` counts it)

Those that count calls come one after the other, in the order in which they were given.
"""

import re
from dataclasses import dataclass, field

_ORDER = re.compile(r"(?P<kind>[45][0-9][0-9]|truncated|not_json|expired)=(?P<count>[0-9]{1,6})")


@dataclass
class AccountFaults:
    """What was ordered and is still to come."""

    calls: list[str] = field(default_factory=list)
    expired: int = 0
    wrong_total: bool = False
    repeated_account: bool = False

    @classmethod
    def parse(cls, text: str) -> "AccountFaults":
        """Read an order (grammar: see the module).

        Raises:
            ValueError: says which part is wrong and what is wanted.
        """
        faults = cls()
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = _ORDER.fullmatch(part)
            if part == "wrong_total":
                faults.wrong_total = True
            elif part == "repeated_account":
                faults.repeated_account = True
            elif match is None:
                raise ValueError(
                    f"account faults: {part!r} is none of STATUS=N, truncated=N, not_json=N, expired=N,"
                    " wrong_total, repeated_account"
                )
            elif match["kind"] == "expired":
                faults.expired = int(match["count"])
            else:
                faults.calls.extend([match["kind"]] * int(match["count"]))
        return faults

    def of_call(self, *, has_cursor: bool) -> str | None:
        """The kind that the next call meets, if any; it is then used up."""
        if self.calls:
            return self.calls.pop(0)
        if has_cursor and self.expired:
            self.expired -= 1
            return "expired"
        return None
