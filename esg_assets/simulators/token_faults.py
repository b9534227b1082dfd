"""Faults of the token endpoint to order, such as `503=2,reset=1`.

    STATUS=N      the first N requests answer that status (400 and 401 with an RFC 6749 error)
    not_json=N    the first N requests answer an HTML page
    no_token=N    the first N requests answer JSON without a token
    timeout=N     the first N requests are never answered
    reset=N       the first N requests meet a TCP reset

They come one after the other, in the order in which they were given; then tokens are issued again.
"""

import re
from dataclasses import dataclass, field

_ORDER = re.compile(r"(?P<kind>[45][0-9][0-9]|not_json|no_token|timeout|reset)=(?P<count>[0-9]{1,6})")


@dataclass
class TokenFaults:
    """The kinds that the next requests meet, in their order; used up as they are met."""

    calls: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> "TokenFaults":
        """Read an order (grammar: see the module).

        Raises:
            ValueError: says which part is wrong and what is wanted.
        """
        faults = cls()
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = _ORDER.fullmatch(part)
            if match is None:
                raise ValueError(
                    f"token faults: {part!r} is none of STATUS=N, not_json=N, no_token=N, timeout=N, reset=N"
                )
            faults.calls.extend([match["kind"]] * int(match["count"]))
        return faults

    def of_call(self) -> str | None:
        """The kind that the next request meets, if any; it is then used up."""
        return self.calls.pop(0) if self.calls else None
