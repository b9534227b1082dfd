"""What a scenario of the fault matrix says: what goes wrong, when, and how every account must end.

The scenarios themselves are `matrix` and the modules it names; running one is `engine`, showing them
`table`.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esg_assets.core.errors import EsgError
from esg_assets.core.ratings import Reason, Status

ANY = -1
"""A last status, or a number of tries or calls, that timing decides."""


@dataclass(frozen=True)
class End:
    """How an account ends: outcome, tries and the last HTTP status (None if no answer came)."""

    status: Status
    reason: Reason | None = None
    tries: int = 1
    last_status: int | None = 200


def rated(tries: int = 1) -> End:
    """A rating, as if nothing had happened."""
    return End(Status.SUCCESS, None, tries)


def failed(reason: Reason, tries: int, last_status: int | None = None) -> End:
    """A failure with its reason."""
    return End(Status.FAILED, reason, tries, last_status)


def not_rated(tries: int = 1, last_status: int = 404) -> End:
    """The provider has no rating."""
    return End(Status.NOT_RATED, Reason.NOT_COVERED, tries, last_status)


RATED = rated()
OPEN = None
"""No outcome in this run: the next one asks again."""


@dataclass(frozen=True)
class Turn:
    """Something that happens at the provider while the run is under way.

    Attributes:
        after: how many answers have come by then.
        happens: orders to the simulator, `ACTION ARGUMENTS`, separated by `;`: `revoke`, `faults SPEC`,
            `tokens SPEC`, `outage KIND`, `rate RATE BURST`.
    """

    after: int
    happens: str


@dataclass
class Stage:
    """Where a run calls: what `engine` needs of it.

    Attributes:
        url: of the provider.
        options: further arguments of HttpEsgApi.
        unharmed: called after the run: asserts what must not have happened to others.
    """

    url: str
    options: dict[str, Any] = field(default_factory=dict)
    unharmed: Callable[[], None] = lambda: None


MakeStage = Callable[[Path], AbstractContextManager[Stage]]
"""Sets a stage up for the length of a run; it gets a folder for files."""


@dataclass(frozen=True)
class Scenario:
    """One row of the matrix; its accounts are numbered from 1, in the order in which they are asked for.

    Attributes:
        name: what goes wrong; the test's id.
        when: the moment.
        faults: an order to the simulator; in it `@1-4+6` stands for the accounts of those numbers.
        outage: calls FIRST-LAST/KIND that fail.
        tokens: an order to the simulator's token endpoint.
        limit: calls per second and burst that the provider really allows.
        announced: whether its answers say so in header fields.
        turn: what changes in the middle.
        stage: a server of the scenario's own instead of the simulator; it gets a folder for files.
        ends: how accounts end, by numbers such as `3`, `1-4`, `2-60/2` or `1,5`.
        rest: how all others end.
        accounts: how many there are, or their ids.
        per_call: accounts that share a call.
        in_order: one call at a time, and retries only after every account was asked for once.
        policy: fields of CallPolicy that differ from the matrix' usual ones.
        auth: `none`, `oauth2`, `bearer`, `wrong_key`.
        token_seconds: life of a token.
        calls: all calls of the run; None for the sum of the tries, ANY where timing decides.
        most_calls: an upper bound instead.
        unsent: calls among them that never left, for want of a token.
        seconds: the least that the run takes.
        tokens_issued: how many tokens are issued at least.
        error: what ends the run.
    """

    name: str
    when: str
    faults: str = ""
    outage: str = ""
    tokens: str = ""
    limit: tuple[float, float] | None = None
    announced: bool = True
    turn: Turn | None = None
    stage: MakeStage | None = None
    ends: Mapping[str, End | None] = field(default_factory=dict)
    rest: End | None = RATED
    accounts: int | tuple[str, ...] = 12
    per_call: int = 1
    in_order: bool = False
    policy: Mapping[str, float] = field(default_factory=dict)
    auth: str = "none"
    token_seconds: int = 3600
    calls: int | None = None
    most_calls: int | None = None
    unsent: int = 0
    seconds: float = 0.0
    tokens_issued: int = 0
    error: type[EsgError] | None = None

    @property
    def ids(self) -> list[str]:
        """The accounts' ids, number 1 first."""
        if isinstance(self.accounts, tuple):
            return list(self.accounts)
        return [account(number) for number in range(1, self.accounts + 1)]

    @property
    def expected(self) -> dict[str, End | None]:
        """How each account ends, by its id."""
        ids = self.ids
        found: dict[str, End | None] = dict.fromkeys(ids, self.rest)
        for text, end in self.ends.items():
            for number in numbers(text):
                found[ids[number - 1]] = end
        return found

    @property
    def expected_calls(self) -> int:
        """All calls of the run, or ANY."""
        if self.calls is not None:
            return self.calls
        tries = [ANY if end is None else end.tries for end in self.expected.values()]
        return ANY if ANY in tries or self.per_call > 1 else sum(tries)


def account(number: int) -> str:
    """The id of an account by its number."""
    return f"A{number:07d}"


def numbers(text: str) -> list[int]:
    """What `3`, `1-4`, `2-60/2` or `1,5` stands for."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?:/(\d+))?)?", part)
        assert match is not None, text
        first = int(match[1])
        found += range(first, int(match[2] or first) + 1, int(match[3] or 1))
    return found


def order(spec: str) -> str:
    """An order to the simulator with ids in the place of numbers."""

    def named(match: re.Match[str]) -> str:
        return "@" + "+".join(account(n) for part in match[1].split("+") for n in numbers(part))

    return re.sub(r"@([0-9+/-]+)", named, spec)
