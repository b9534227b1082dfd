"""A book of accounts from day to day, what of it is shown to anybody, and whoever tries to see more.

The attacker of `intervals` knows the rules, every account's market value, who came and who left, and
the figures that were shown on both days; not a single score.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pyarrow as pa

from esg_assets.core import outcomes
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.differencing import UNCHANGED, Shown, contributions, differing, group_of, held
from esg_assets.core.disclosure import clear
from esg_assets.core.figures import FigureRules, figures, side_by_side
from esg_assets.core.history import ClearFigures, PastReport, PublishedReport
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import Metric, Outcome, Rating, Status

FIRST = date(2026, 1, 15)
MIN_CELL = 10
WACI = Metric("waci", "tCO2e/MUSD", "lower")
RULES = FigureRules(FIRST - timedelta(days=1), metrics=(WACI,))
PILLARS = ("environmental", "social", "governance")


@dataclass(frozen=True)
class Account:
    """One account; scores by column of SCORE_COLUMNS."""

    name: str
    value: float
    scores: Mapping[str, float]
    waci: float

    @classmethod
    def drawn(cls, name: str, draw: random.Random) -> "Account":
        pillars = [min(max(draw.gauss(52, 11), 0), 100) for _ in PILLARS]
        scores = [round(sum(pillars) / 3, 2), *(round(p, 2) for p in pillars)]
        value = round(math.exp(draw.gauss(11, 1)), 2)
        return cls(
            name, value, dict(zip(SCORE_COLUMNS, scores, strict=True)), round(draw.uniform(20, 400), 1)
        )

    @property
    def letter(self) -> str:
        """The provider's letter of a score: seven bands of equal width."""
        return RATINGS[max(0, 6 - int(self.scores["overall_score"] * 7 / 100))]

    @property
    def focus(self) -> str:
        return max(PILLARS, key=lambda pillar: self.scores[f"{pillar}_score"])

    def outcome(self) -> Outcome:
        rating = Rating(
            as_of=date(2025, 12, 31),
            **{name: f"{score:.2f}" for name, score in self.scores.items()},
            primary_focus=self.focus,
            rating=self.letter,
            coverage_pct="82.2",
            metrics={"waci": f"{self.waci}"},
        )
        return Outcome(self.name, Status.SUCCESS, rating=rating, attempts=1, last_status=200)


@dataclass
class Days:
    """The reports of day after day, as the history keeps them."""

    holding: bool = True
    min_cell: int = MIN_CELL
    shown: list[PastReport] = field(default_factory=list)
    books: dict[date, list[Account]] = field(default_factory=dict)

    def report(self, book: list[Account]) -> ClearFigures:
        """The next day's figures as they are shown."""
        day = FIRST + timedelta(days=len(self.shown))
        self.books[day] = list(book)
        ids, table = _tables(book)
        accounts = pa.Table.from_pydict(
            {
                "account_id": ids,
                "account_name": [""] * len(book),
                "account_type": [""] * len(book),
                "base_currency": ["USD"] * len(book),
                "market_value": [f"{a.value:.2f}" for a in book],
            },
            schema=ACCOUNT_SCHEMA,
        )
        fresh = clear(figures(side_by_side(accounts, table), RULES), self.min_cell)
        before = self.shown[-1] if self.shown else None
        cleared = (
            held(
                fresh,
                day=day,
                version=1,
                shown=Shown(None, before),
                differing=lambda since: self._differing(book, since),
                min_cell=self.min_cell,
            )
            if self.holding
            else dict(fresh)
        )
        counts = {status: len(book) if status is Status.SUCCESS else 0 for status in Status}
        published = PublishedReport(day, 1, len(self.shown) + 1, "", "", counts, day, day.isoformat())
        self.shown.append(PastReport(published, cleared, None))  # type: ignore[arg-type]  # nobody asks when
        return cleared

    def _differing(self, book: list[Account], since: date) -> Mapping[str, int]:
        return differing(*(contributions(*_tables(each), RULES) for each in (book, self.books[since])))


def _tables(book: list[Account]) -> tuple[pa.ChunkedArray, pa.Table]:
    ids = pa.chunked_array([[account.name for account in book]])
    return ids, outcomes.latest(ids, [outcomes.to_batch([account.outcome() for account in book])])


def group(figure_names: ClearFigures) -> dict[str, float | None]:
    """Figures that are about groups of accounts, without how old they are."""
    return {name: n for name, n in figure_names.items() if group_of(name)}


Interval = tuple[float, float]


def meet(one: Interval, other: Interval) -> Interval:
    """What lies in both."""
    return max(one[0], other[0]), min(one[1], other[1])


def width(interval: Interval) -> float:
    return max(interval[1] - interval[0], 0.0)


def recovered(
    before: ClearFigures,
    after: ClearFigures,
    old: list[Account],
    newcomer: Account,
    score: str = "overall_score",
    gone: Account | None = None,
) -> Interval:
    """The narrowest interval for a newcomer's score that two days' figures prove.

    Figures that stand since an earlier day tell nothing of whoever came since; the attacker can see
    which these are.

    Args:
        before, after: what was shown.
        old: the first day's accounts; only their number and market values are used.
        newcomer: only its market value is used.
        gone: an account that left meanwhile, whose score the attacker happens to know.
    """
    interval: Interval = (0.0, 100.0)
    after = {name: n for name, n in after.items() if not after.get(UNCHANGED + group_of(name))}
    left = 0.0 if gone is None else gone.scores[score]
    n, m = len(old), len(old) + 1 - (gone is not None)
    interval = meet(interval, _difference(before, after, f"{score}.mean", n, m, left, 1.0))
    total = sum(a.value for a in old)
    now = total + newcomer.value - (gone.value if gone else 0.0)
    lost = left * gone.value if gone else 0.0
    by_value = _difference(before, after, f"{score}.weighted_mean", total, now, lost, newcomer.value)
    interval = meet(interval, by_value)
    if gone is None:
        for name in ("lower_quartile", "median", "upper_quartile"):
            interval = meet(interval, _side(before, after, f"{score}.{name}"))
    if score == "overall_score":
        interval = meet(interval, _band(before, after, gone))
    return interval


def _difference(
    before: ClearFigures, after: ClearFigures, name: str, n: float, m: float, left: float, weight: float
) -> Interval:
    """Of one more in a mean: (m * after - n * before + left) / weight, each mean known to 0.05."""
    one, two = before.get(name), after.get(name)
    if one is None or two is None:
        return (0.0, 100.0)
    middle, blur = m * two - n * one + left, 0.05 * (n + m) + 1e-9
    return (middle - blur) / weight, (middle + blur) / weight


def _side(before: ClearFigures, after: ClearFigures, name: str) -> Interval:
    """A quantile that moved says on which side of it the newcomer is."""
    one, two = before.get(name), after.get(name)
    if one is None or two is None or one == two:
        return (0.0, 100.0)
    return (one - 0.05, 100.0) if two > one else (0.0, one + 0.05)


def _band(before: ClearFigures, after: ClearFigures, gone: Account | None) -> Interval:
    """A letter whose count rose is the newcomer's."""
    rises = []
    for place, letter in enumerate(RATINGS):
        one, two = before.get(f"letter.{letter}"), after.get(f"letter.{letter}")
        if one is not None and two is not None and two > one - (gone is not None and gone.letter == letter):
            rises.append(((6 - place) * 100 / 7, (7 - place) * 100 / 7))
    return rises[0] if len(rises) == 1 else (0.0, 100.0)


def rescored(account: Account, by: float) -> Account:
    """The account with another overall score."""
    scores = {**account.scores, "overall_score": round(account.scores["overall_score"] + by, 2)}
    return replace(account, scores=scores)
