"""What differs between two reports, account by account, from their rows as they stream.

Exact and of single accounts: for recipients alone. Figures of changes are `esg_assets.core.change` and
`esg_assets.core.comparison`; reading rows is `esg_assets.core.report_rows`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from esg_assets.core.ratings import Status
from esg_assets.core.report_rows import Row

SCORES = ("overall_esg_score", "environmental_score", "social_score", "governance_score")
STATUS = ("processing_status", "reason")
LETTER, COVERAGE, MARKET_VALUE = "esg_rating", "coverage_pct", "market_value"
TOLD = (*STATUS, *SCORES, LETTER, COVERAGE, MARKET_VALUE)
"""Columns whose change is a reason to list an account."""

JOINED, LEFT, DETAILS = "joined", "left", "details"
KINDS = (JOINED, LEFT, "status", "letter", "score", "coverage", "market_value")
"""Why an account is listed. `details` (any other column) is counted, and lists no account by itself."""

_LABELS = {
    LETTER: "rating",
    SCORES[0]: "overall",
    SCORES[1]: "environmental",
    SCORES[2]: "social",
    SCORES[3]: "governance",
    COVERAGE: "coverage",
    MARKET_VALUE: "market value",
}
_MOVING = {*SCORES, COVERAGE}
_NOT_DETAILS = {*TOLD, "report_date", "as_of"}  # the last two differ between any two dates


@dataclass(frozen=True, slots=True)
class RowChange:
    """One account in two reports.

    Attributes:
        account_id: the account.
        before, now: its rows; None where it is not in the report.
        kinds: why it differs, in the order of KINDS, with `details` last; empty if it does not.
    """

    account_id: str
    before: Row | None
    now: Row | None
    kinds: tuple[str, ...]

    @property
    def listed(self) -> bool:
        """Whether more than details differ."""
        return self.kinds not in ((), (DETAILS,))


@dataclass
class Tally:
    """How many accounts differ, and why.

    Attributes:
        before, now: accounts of each report.
        changed: those that are listed.
        only_details: those that differ in other columns only.
        kinds: accounts by kind; one can have several.
        columns_before, columns_now: of each report; empty for one without accounts.
    """

    before: int = 0
    now: int = 0
    changed: int = 0
    only_details: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    columns_before: tuple[str, ...] = ()
    columns_now: tuple[str, ...] = ()

    def add(self, change: RowChange) -> None:
        """Count one account."""
        self.before += change.before is not None
        self.now += change.now is not None
        self.changed += change.listed
        self.only_details += change.kinds == (DETAILS,)
        self.kinds.update(change.kinds)
        if not self.columns_before and change.before is not None:
            self.columns_before = tuple(change.before)
        if not self.columns_now and change.now is not None:
            self.columns_now = tuple(change.now)

    @property
    def other_columns(self) -> tuple[list[str], list[str]]:
        """Columns that only the one report has, and those that only the other has: metrics, as a rule."""
        if not self.columns_before or not self.columns_now:
            return [], []
        before, now = set(self.columns_before), set(self.columns_now)
        return [n for n in self.columns_before if n not in now], [
            n for n in self.columns_now if n not in before
        ]

    @property
    def by_kind(self) -> dict[str, int]:
        """Accounts of every kind, zeros too, in the order of KINDS; without `details`."""
        return {kind: self.kinds[kind] for kind in KINDS}


def changes(before: Iterable[Row], now: Iterable[Row]) -> Iterator[RowChange]:
    """Every account of two reports, by id, with what differs; one row of each is in memory.

    Args:
        before: rows of the one, ascending by account_id without repeats (`report_rows.rows`).
        now: of the other.
    """
    earlier, later = iter(before), iter(now)
    old, new = next(earlier, None), next(later, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old["account_id"] < new["account_id"]):
            assert old is not None
            yield RowChange(old["account_id"], old, None, (LEFT,))
            old = next(earlier, None)
        elif old is None or new["account_id"] < old["account_id"]:
            yield RowChange(new["account_id"], None, new, (JOINED,))
            new = next(later, None)
        else:
            yield RowChange(old["account_id"], old, new, kinds(old, new))
            old, new = next(earlier, None), next(later, None)


def kinds(before: Row, now: Row) -> tuple[str, ...]:
    """Why an account's rows differ.

    Numbers are compared as numbers: 52.5 is 52.50. Scores, letter and coverage are compared where the
    account is rated in both; that they come and go with a rating is what `status` says.
    """
    found = []
    if any(before[name] != now[name] for name in STATUS):
        found.append("status")
    if before["processing_status"] == now["processing_status"] == Status.SUCCESS:
        compared = (("letter", (LETTER,)), ("score", SCORES), ("coverage", (COVERAGE,)))
        found += [kind for kind, names in compared if any(_differ(before, now, name) for name in names)]
    if _differ(before, now, MARKET_VALUE):
        found.append("market_value")
    if any(before.get(name, "") != now.get(name, "") for name in (before.keys() | now.keys()) - _NOT_DETAILS):
        found.append(DETAILS)
    return tuple(found)


def moved(before: str, now: str) -> str:
    """By how much a number changed, with its sign, such as "+1.25"; "" where one of them is none."""
    then, later = _number(before), _number(now)
    if then is None or later is None:
        return ""
    change = later - then
    return f"{change:+f}" if change else "0"


def _differ(before: Row, now: Row, name: str) -> bool:
    old, new = before.get(name, ""), now.get(name, "")
    if old == new:
        return False
    then, later = _number(old), _number(new)
    return then is None or later is None or then != later


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def words(before: Row | None, now: Row | None, *, moves: bool = False) -> str:
    """What changed; of an account that came or went, what its one report says.

    Args:
        before: its row in the one report.
        now: in the other.
        moves: by how much scores and coverage moved, instead of both values.
    """
    if before is None or now is None:
        return ", ".join(_told(before or now or {}))
    found = []
    if any(before[name] != now[name] for name in STATUS):
        found.append(f"{_status(before)} → {_status(now)}")
    rated = before["processing_status"] == now["processing_status"] == Status.SUCCESS
    compared = [*_LABELS.items()] if rated else [(MARKET_VALUE, _LABELS[MARKET_VALUE])]
    for name, label in compared:
        if _differ(before, now, name):
            move = moved(before.get(name, ""), now.get(name, "")) if moves and name in _MOVING else ""
            found.append(f"{label} {move or _both(before, now, name)}")
    return ", ".join(found)


def _both(before: Row, now: Row, name: str) -> str:
    return f"{before.get(name) or 'none'} → {now.get(name) or 'none'}"


def _told(row: Row) -> list[str]:
    labels = [(name, _LABELS[name]) for name in (SCORES[0], LETTER, MARKET_VALUE)]
    return [_status(row), *(f"{label} {row[name]}" for name, label in labels if row.get(name))]


def _status(row: Row) -> str:
    reason = row.get("reason", "")
    return f"{row['processing_status']} ({reason})" if reason else row["processing_status"]
