"""What changed between two reports, account by account: who came and went, and why the mean moved.

Exact, and of single accounts: for sealed outputs and for `esg_assets.core.change_disclosure`, which
says what of it may stand in the clear. Changes of figures that stand in the clear already are
`esg_assets.core.comparison`.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.figures import FigureRules, numbers, texts
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import Status

UNDATED = "undated"


@dataclass(frozen=True)
class Side:
    """One report, as far as changes look at it.

    Attributes:
        frame: rows by account_id (unique): `status`, `counted` (whether the account counts for
            averages), the four scores (NaN where there is none; also of accounts that do not count),
            `letter` ("" where there is none, and unless SUCCESS), `weight` (market value above zero in
            `currency`, else NaN), `stale` (whether the rating is).
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
    table = outcomes.combine_chunks()
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
    }
    ids = pd.Index(accounts.column("account_id").to_numpy(), name="account_id")
    return Side(pd.DataFrame(columns, index=ids), currency)


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
    old, new = _counting(before, score, weighted=weighted), _counting(now, score, weighted=weighted)
    both = before.frame.index.intersection(now.frame.index, sort=False)
    gone, come = old.index.difference(both, sort=False), new.index.difference(both, sort=False)
    stay_old, stay_new = old.drop(gone), new.drop(come)
    common = stay_old.index.intersection(stay_new.index, sort=False)
    begun = stay_new.drop(common)
    kept = stay_old.loc[common]
    scored = kept.assign(score=stay_new.loc[common, "score"])
    steps = [old, stay_old, pd.concat([kept, begun]), pd.concat([scored, begun]), stay_new, new]
    if any(step.empty for step in steps):
        return None
    means = [_mean(step) for step in steps]
    moved = [later - earlier for earlier, later in itertools.pairwise(means)]
    changed_weight = (kept["weight"] != stay_new.loc[common, "weight"]).sum()
    return Attribution(
        before=means[0],
        now=means[-1],
        left=Part(moved[0], len(gone)),
        coverage=Part(moved[1], len(stay_old) - len(common) + len(begun)),
        scores=Part(moved[2], int((kept["score"] != scored["score"]).sum())),
        market_value=Part(moved[3], int(changed_weight)),
        joined=Part(moved[4], len(come)),
    )


def _counting(side: Side, score: str, *, weighted: bool) -> pd.DataFrame:
    """Score and weight of the accounts that are behind the mean."""
    frame = side.frame
    weight = frame["weight"] if weighted else pd.Series(1.0, index=frame.index)
    table = pd.DataFrame({"score": frame[score], "weight": weight})
    return table[frame["counted"] & table["score"].notna() & table["weight"].notna()]


def _mean(table: pd.DataFrame) -> float:
    # Scaled by a power of two, which loses no bit: products of any amounts stay finite.
    weights = table["weight"].to_numpy()
    scaled = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    return math.fsum((table["score"].to_numpy() * scaled).tolist()) / math.fsum(scaled.tolist())


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
    both = before.frame.index.intersection(now.frame.index, sort=False)
    then, later = before.frame.loc[both, "status"], now.frame.loc[both, "status"]
    failed, rated = Status.FAILED.value, Status.SUCCESS.value
    return Turnover(
        new=now.accounts - len(both),
        closed=before.accounts - len(both),
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
    both = before.frame.index.intersection(now.frame.index, sort=False)
    then, later = before.frame.loc[both, "letter"], now.frame.loc[both, "letter"]
    known = then.isin(RATINGS) & later.isin(RATINGS)
    pairs = Counter(zip(then[known].tolist(), later[known].tolist(), strict=True))
    return Migration(dict(sorted(pairs.items())))
