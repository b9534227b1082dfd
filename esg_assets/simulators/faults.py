"""Faults to order: what can go wrong, how often, and for which try of which account.

Pure: who gets which fault is a function of (seed, account id, number of the try), so a test can
compute what an undisturbed client must end up with. How a fault looks on the wire is in
`misbehaviour`.

An order is a comma-separated list of KIND[=SHARE][:VALUE][/WHEN][@ACCOUNT[+ACCOUNT...]]:

    500=0.05            each try has a chance of 5 %
    503=0.1:2           with `Retry-After: 2`; `503=0.1:2date` sends it as an HTTP-date
    404=0.02            for ever for 2 % of the accounts (so do 403 and 422)
    500=0.1/first2      the first two tries of 10 % of the accounts
    timeout=0.01/sticky every try of 1 % of the accounts
    slow=0.2:1.5        20 % of the tries answer after 1.5 seconds
    not_json            always
    500/try2@A1+A2      the second try, and no other, of the two accounts A1 and A2
    timeout@A3          every try of A3

`/call`, `/sticky`, `/firstN` and `/tryN` say when; without them a status that is permanent for one
account (403, 404, 422) is sticky and everything else is drawn anew for each try. Accounts that are
named meet the first order that names them and fits the try; no share can go with a name.
"""

import re
from dataclasses import dataclass, field

from esg_assets.simulators.seeded import share

KINDS = {
    "timeout": "never answers",
    "reset": "TCP reset before a byte of the answer",
    "cut": "connection closed in the middle of the body",
    "truncated": "complete answer whose JSON stops in the middle",
    "empty": "200 without a body",
    "not_json": "200 with an HTML page",
    "wrong_id": "another account's id in the answer",
    "out_of_range": "an overall score of 150.00",
    "nan": "an overall score of NaN",
    "wrong_type": "the overall score as a string",
    "missing_field": "no governance score",
    "duplicate_keys": "two different overall scores in one object",
    "future": "a rating dated after the date asked for",
    "left_out": "no entry of the account among the others; asked for alone, an empty object",
    "twice": "the account's entry twice; asked for alone, two objects in a row, which is no JSON",
    "stranger": "one more entry, of an account that nobody asked for; asked for alone, as `twice`",
    "redirect": "307 to another host",
    "oversize": "a body of VALUE MiB (8)",
    "gzip_bomb": "a body of VALUE MiB (8) once it is decompressed",
    "slow": "the right answer after VALUE seconds (1)",
    "drip": "the right answer byte by byte over VALUE seconds (1)",
}
"""Kinds that are no status code. Any status from 400 to 599 is a kind of its own."""

ENTRY_KINDS = frozenset(
    {
        *("wrong_id", "out_of_range", "nan", "wrong_type", "missing_field", "duplicate_keys", "future"),
        *("left_out", "twice", "stranger"),
    }
)
"""Kinds that spoil one rating, also among others in a reply; every other kind is the whole reply's.
An account without a rating has nothing to spoil: it answers 404 as if nothing had been ordered."""

_STICKY_BY_DEFAULT = frozenset({"403", "404", "422"})
_ORDER = re.compile(
    r"(?P<kind>[a-z_]+|[45][0-9][0-9])"
    r"(?:=(?P<share>[0-9.]+))?"
    r"(?::(?P<value>[0-9.]+)(?P<date>date)?)?"
    r"(?:/(?P<when>call|sticky|(?:first|try)[1-9][0-9]*))?"
    r"(?:@(?P<accounts>.+))?"
)


@dataclass(frozen=True)
class Fault:
    """One kind of fault and who gets it.

    Attributes:
        kind: a status code as text, or one of KINDS.
        share: of the tries (`tries` is None) or of the accounts, from 0 to 1.
        value: seconds, MiB or Retry-After, by kind; None for the kind's own default.
        as_date: whether Retry-After is sent as an HTTP-date.
        tries: None: drawn anew for each try; 0: every try of the account; n: its first n tries.
        only: the one try that meets it; 0: those that `tries` says.
        accounts: who meets it; empty: whoever `share` falls on.
    """

    kind: str
    share: float = 1.0
    value: float | None = None
    as_date: bool = False
    tries: int | None = None
    only: int = 0
    accounts: frozenset[str] = frozenset()

    def fits(self, nth: int) -> bool:
        """Whether the nth try of an account that has this fault meets it."""
        return nth == self.only if self.only else not self.tries or nth <= self.tries


@dataclass(frozen=True)
class Faults:
    """Everything that was ordered, and the seed that deals it out.

    Shares are exact and exclusive: one try has at most one fault. Faults of named accounts come first,
    then those by account; an account that has got over its first tries is then dealt faults by try like
    any other.
    """

    orders: tuple[Fault, ...] = ()
    seed: int = 0
    named: tuple[Fault, ...] = field(init=False)
    by_account: tuple[Fault, ...] = field(init=False)
    by_try: tuple[Fault, ...] = field(init=False)

    def __post_init__(self) -> None:
        named = tuple(f for f in self.orders if f.accounts)
        others = [f for f in self.orders if not f.accounts]
        by_account = tuple(f for f in others if f.tries is not None or f.only)
        by_try = tuple(f for f in others if f.tries is None and not f.only)
        for group, what in ((by_account, "accounts"), (by_try, "tries")):
            total = sum(f.share for f in group)
            if total > 1 + 1e-9:
                raise ValueError(f"faults: the shares of {what} add up to {total:g}; at most 1 is possible")
        object.__setattr__(self, "named", named)
        object.__setattr__(self, "by_account", by_account)
        object.__setattr__(self, "by_try", by_try)

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> "Faults":
        """Read an order such as `500=0.05,timeout=0.01/sticky` (grammar: see the module).

        Raises:
            ValueError: says which part is wrong and what is wanted.
        """
        parts = [part.strip() for part in text.split(",")]
        return cls(tuple(_order(part) for part in parts if part), seed)


def expected_fault(faults: Faults, account_id: str, nth: int) -> Fault | None:
    """The fault that the nth try (from 1) for an account meets, or None.

    A try is a call for the account that was let through: calls that were refused for their
    credentials, by the rate limit or in an outage do not count.
    """
    for fault in faults.named:
        if account_id in fault.accounts and fault.fits(nth):
            return fault
    if faults.by_account:
        at = share(faults.seed, "account", account_id)
        for fault in faults.by_account:
            at -= fault.share
            if at < 0:
                if fault.fits(nth):
                    return fault
                break
    if faults.by_try:
        at = share(faults.seed, "try", account_id, nth)
        for fault in faults.by_try:
            at -= fault.share
            if at < 0:
                return fault
    return None


def _order(part: str) -> Fault:
    match = _ORDER.fullmatch(part)
    if match is None:
        raise ValueError(f"faults: {part!r} is not KIND[=SHARE][:VALUE][/call|/sticky|/firstN|/tryN][@IDS]")
    kind = match["kind"]
    if not kind.isdigit() and kind not in KINDS:
        raise ValueError(f"faults: no kind {kind!r}; there are the statuses 400-599 and {', '.join(KINDS)}")
    portion = 1.0 if match["share"] is None else _number(match["share"], part)
    if portion > 1:
        raise ValueError(f"faults: {part!r} has a share above 1")
    accounts = frozenset((match["accounts"] or "").split("+")) - {""}
    if accounts and match["share"] is not None:
        raise ValueError(f"faults: {part!r} names its accounts and has a share of them too")
    value = None if match["value"] is None else _number(match["value"], part)
    tries, only = _tries(kind, match["when"])
    return Fault(kind, portion, value, match["date"] is not None, tries, only, accounts)


def _tries(kind: str, when: str | None) -> tuple[int | None, int]:
    """The fields `tries` and `only` of a Fault."""
    if when is None:
        return (0 if kind in _STICKY_BY_DEFAULT else None), 0
    if when.startswith("try"):
        return None, int(when.removeprefix("try"))
    if when == "call":
        return None, 0
    return 0 if when == "sticky" else int(when.removeprefix("first")), 0


def _number(text: str, part: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"faults: {text!r} in {part!r} is not a number") from None
