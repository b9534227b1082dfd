"""What changed between two reports, account by account: who came and went, and why the mean moved.

Exact, and of single accounts: for sealed outputs and for `esg_assets.core.change_disclosure`, which
says what of it may stand in the clear. Changes of figures that stand in the clear already are
`esg_assets.core.comparison`.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.averages import Floats
from esg_assets.core.figures import FigureRules, numbers, texts
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.pairing import Pairing, Positions, paired
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import Status

_LOOKED_AT = ["status", *SCORE_COLUMNS, "rating", "coverage_pct", "rating_as_of", "methodology_version"]


@dataclass(frozen=True)
class Side:
    """One report, as far as changes look at it.

    Attributes:
        frame: rows by account_id (unique): `status`, `counted` (whether the account counts for
            averages), the four scores (NaN where there is none; also of accounts that do not count),
            `letter` ("" where there is none, and unless SUCCESS), `weight` (market value above zero in
            `currency`, else NaN), `stale` (whether the rating is), `methodology` (the version, as `letter`).
        currency: of the weights.
    """

    frame: pd.DataFrame
    currency: str

    @property
    def accounts(self) -> int:
        """All accounts."""
        return len(self.frame)


def side(accounts: pa.Table, outcomes: pa.Table, rules: FigureRules, currency: str) -> Side:
    """A report's side.

    Args:
        accounts: rows of ACCOUNT_SCHEMA; account_id may be a unique number for each account instead.
        outcomes: OUTCOME_SCHEMA without `raw`, one row for each account, in the same order.
        rules: of the figures.
        currency: of the weights; the same for both sides of a comparison.
    """
    table = outcomes.select(_LOOKED_AT).combine_chunks()
    rated = np.asarray(pc.fill_null(pc.equal(table["status"], Status.SUCCESS.value), False))  # noqa: FBT003  # pyarrow's signature
    coverage = numbers(table["coverage_pct"])
    values = numbers(accounts.column("market_value").combine_chunks())
    held = pc.equal(pc.fill_null(accounts.column("base_currency"), ""), currency)
    oldest = (rules.as_of - timedelta(days=rules.max_rating_age_days)).isoformat()
    stale = pc.fill_null(pc.less(table["rating_as_of"], oldest), False)  # noqa: FBT003  # pyarrow's signature
    columns: dict[str, object] = {
        "status": texts(pc.fill_null(table["status"], "").combine_chunks()),
        "counted": rated & ~(coverage < rules.min_coverage_pct),  # an unknown coverage counts
        **{name: np.where(rated, numbers(table[name]), np.nan) for name in SCORE_COLUMNS},
        "letter": np.where(rated, texts(pc.fill_null(table["rating"], "").combine_chunks()), ""),
        "weight": np.where((values > 0) & np.asarray(held), values, np.nan),
        "stale": rated & np.asarray(stale),
        "methodology": np.where(
            rated, texts(pc.fill_null(table["methodology_version"], "").combine_chunks()), ""
        ),
    }
    ids = pd.Index(accounts.column("account_id").to_numpy(), name="account_id")
    return Side(pd.DataFrame(columns, index=ids, copy=False), currency)


@dataclass(frozen=True)
class Part:
    """One cause of a change of the mean: how much of it, and over how many accounts."""

    points: float
    accounts: int


@dataclass(frozen=True)
class Attribution:
    """Why a mean moved. The parts add up to `now - before`, but for the last bits of a float.

    Attributes:
        before, now: the means.
        left, joined: accounts that are in one report only.
        coverage: accounts of both reports that count for averages in one of them only: rated or
            covered now and not before, or the other way round.
        scores: accounts of both whose score changed.
        market_value: accounts of both whose weight changed; nothing for a plain mean.
    """

    before: float
    now: float
    left: Part
    joined: Part
    coverage: Part
    scores: Part
    market_value: Part

    @property
    def change(self) -> float:
        """How much the mean moved."""
        return self.now - self.before

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts by name."""
        names = ("left", "joined", "coverage", "scores", "market_value")
        return {name: getattr(self, name) for name in names}


def attribution(before: Side, now: Side, score: str, *, weighted: bool) -> Attribution | None:
    """Why the mean of `score` moved.

    Taken step by step, each from the mean that the step before left: accounts leave; accounts of both
    reports stop or begin to count; scores change; weights change; accounts join. Each part is what its
    step moved.

    Args:
        before: the earlier report.
        now: the later one, with weights in the same currency.
        score: one of SCORE_COLUMNS.
        weighted: the mean by market value, or the plain one.

    Returns:
        None where a step leaves nothing to take a mean of.
    """
    pairs = paired(before.frame.index, now.frame.index)
    old, new = _counting(before, score, weighted=weighted), _counting(now, score, weighted=weighted)
    kept_old, kept_new = old.of(pairs.then), new.of(pairs.now)
    both = kept_old.counts & kept_new.counts
    begun = kept_new.only(~kept_old.counts)
    steps = [
        [old],
        [kept_old],
        [kept_old.only(both), begun],
        [replace(kept_old.only(both), scores=kept_new.scores), begun],
        [kept_new],
        [new],
    ]
    means = [_mean(step) for step in steps]
    told = [mean for mean in means if mean is not None]
    if len(told) < len(means):
        return None
    moved = [later - earlier for earlier, later in itertools.pairwise(told)]
    return Attribution(
        before=told[0],
        now=told[-1],
        left=Part(moved[0], old.of(pairs.gone).accounts),
        coverage=Part(moved[1], kept_old.only(~both).accounts + begun.accounts),
        scores=Part(moved[2], int((both & (kept_old.scores != kept_new.scores)).sum())),
        market_value=Part(moved[3], int((both & (kept_old.weights != kept_new.weights)).sum())),
        joined=Part(moved[4], new.of(pairs.come).accounts),
    )


@dataclass(frozen=True)
class _Counting:
    """Scores and weights of accounts, and which of them are behind the mean."""

    scores: Floats
    weights: Floats
    counts: npt.NDArray[np.bool_]

    @property
    def accounts(self) -> int:
        return int(self.counts.sum())

    def of(self, positions: Positions) -> "_Counting":
        return _Counting(self.scores[positions], self.weights[positions], self.counts[positions])

    def only(self, these: npt.NDArray[np.bool_]) -> "_Counting":
        return replace(self, counts=self.counts & these)


def _counting(side: Side, score: str, *, weighted: bool) -> _Counting:
    frame = side.frame
    scores = frame[score].to_numpy(np.float64)
    weights = frame["weight"].to_numpy(np.float64) if weighted else np.ones(len(frame))
    return _Counting(
        scores, weights, frame["counted"].to_numpy(bool) & ~np.isnan(scores) & ~np.isnan(weights)
    )


def _mean(parts: Sequence[_Counting]) -> float | None:
    """Mean over all parts; None over nobody."""
    scores = np.concatenate([part.scores[part.counts] for part in parts])
    weights = np.concatenate([part.weights[part.counts] for part in parts])
    if not len(scores):
        return None
    # Scaled by a power of two, which loses no bit: products of any amounts stay finite.
    scaled = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    return math.fsum(memoryview(scores * scaled)) / math.fsum(memoryview(scaled))


@dataclass(frozen=True)
class Turnover:
    """Accounts that came, went, or changed how they ended.

    Attributes:
        new, closed: accounts of one report only.
        newly_failing: FAILED now, and in the report before with another status.
        no_longer_failing: the other way round.
        newly_rated, no_longer_rated: accounts of both that are SUCCESS in one only.
    """

    new: int
    closed: int
    newly_failing: int
    no_longer_failing: int
    newly_rated: int
    no_longer_rated: int


def turnover(before: Side, now: Side) -> Turnover:
    """Who came and went."""
    pairs = paired(before.frame.index, now.frame.index)
    then, later = both_of(before, now, "status", pairs)
    failed, rated = Status.FAILED.value, Status.SUCCESS.value
    return Turnover(
        new=len(pairs.come),
        closed=len(pairs.gone),
        newly_failing=int(((later == failed) & (then != failed)).sum()),
        no_longer_failing=int(((later != failed) & (then == failed)).sum()),
        newly_rated=int(((later == rated) & (then != rated)).sum()),
        no_longer_rated=int(((later != rated) & (then == rated)).sum()),
    )


@dataclass(frozen=True)
class Migration:
    """Rating letters of the accounts that are rated with a letter of the scale in both reports.

    Attributes:
        cells: accounts by (letter before, letter now); only cells that occur.
    """

    cells: Mapping[tuple[str, str], int]

    @property
    def accounts(self) -> int:
        """All accounts of the matrix."""
        return sum(self.cells.values())

    @property
    def upgrades(self) -> int:
        """Accounts with a better letter than before."""
        return sum(n for (then, now), n in self.cells.items() if RATINGS.index(now) < RATINGS.index(then))

    @property
    def downgrades(self) -> int:
        """Accounts with a worse letter than before."""
        return sum(n for (then, now), n in self.cells.items() if RATINGS.index(now) > RATINGS.index(then))


def migration(before: Side, now: Side) -> Migration:
    """The migration matrix; letters off the scale are in none of its cells."""
    then, later = both_of(before, now, "letter")
    found = Counter(zip(then, later, strict=True))
    known = {(old, new): n for (old, new), n in found.items() if old in RATINGS and new in RATINGS}
    return Migration(dict(sorted(known.items())))


def both_of(before: Side, now: Side, column: str, pairs: Pairing | None = None) -> tuple[Any, Any]:
    """A column of the accounts that are in both reports, as two arrays in the same order."""
    pairs = pairs or paired(before.frame.index, now.frame.index)
    return before.frame[column].to_numpy()[pairs.then], now.frame[column].to_numpy()[pairs.now]
