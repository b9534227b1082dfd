"""Whether a day's ratings look like yesterday's: drift and jumps that no single account's rule would notice.

A provider that changes its scale, loses a field, serves last year's file or downgrades half the book
answers every call with a valid rating. Each rule below compares the two reports' accounts and says, in
plain words, what is odd. The limits are far outside what rating changes of a night do (a seeded walk
of ninety nights over the sample book raises none) and well inside what a broken feed does.
"""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import date

import numpy as np

from esg_assets.core.averages import Floats
from esg_assets.core.change import Side, attribution, both_of, migration
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Status
from esg_assets.core.verdicts import RATINGS_DRIFT, Verdict

FEWEST = 30
"""Accounts rated in both reports below which shares say nothing."""

FAR_POINTS, FAR_SHARE = 15.0, 0.05
"""More than this share of scores moved by more than so many points: another scale or direction."""

MEAN_POINTS = 1.5
"""A mean that scores alone moved by more than this, and by more than four standard errors."""

SHAPE_DISTANCE = 0.15
"""Largest distance of the two cumulative distributions (Kolmogorov and Smirnov's)."""

MISSING_RISE, STALE_RISE = 0.1, 0.1
"""A rise of the share of rated accounts that lack a value, or whose rating is stale, by more than this."""

METHOD_SHARE = 0.05
"""More than this share of ratings by another version of the provider's methodology than before."""

DOWNGRADE_SHARE, DOWNGRADE_RATIO, _TIMES = 0.05, 3, "three times"
"""More than this share of letters went down, and that many times more than went up."""


def drift(before: Side | None, now: Side, before_date: date | None) -> Verdict:
    """Whether the ratings are plausible against the report before.

    Args:
        before: the report before, None where there is none or nobody here can open it any more.
        now: the report.
        before_date: of the report before, None if there is none.
    """
    if before is None or before_date is None:
        return uncompared(before_date)
    rated = _rated_in_both(before, now)
    measured: dict[str, float | int | str] = {"compared_with": before_date.isoformat(), "accounts": rated}
    if rated < FEWEST:
        note = f"{rated:,} accounts are rated here and in the report of {before_date}: too few to judge"
        return Verdict(RATINGS_DRIFT, passed=True, severity="WARN", note=note, measured=measured)
    odd = [*_scale(before, now), *_means(before, now), *_shape(before, now), *_missing(before, now)]
    odd += [*_stale(before, now), *_downgrades(before, now), *_methodology(before, now)]
    note = (
        f"{'; '.join(odd)}. Compared with the report of {before_date} over {rated:,} accounts. Ask the "
        "provider before the figures are used"
        if odd
        else f"the ratings of {rated:,} accounts move as those of a normal night since {before_date}"
    )
    measured["findings"] = len(odd)
    return Verdict(RATINGS_DRIFT, passed=not odd, severity="WARN", note=note, measured=measured)


def uncompared(before_date: date | None) -> Verdict:
    """The verdict where nobody here can open the report before, or there is none (None)."""
    why = "no earlier report" if before_date is None else f"the accounts of {before_date} are archived"
    return Verdict(RATINGS_DRIFT, passed=True, severity="WARN", note=f"nothing to compare with: {why}")


def _rated_in_both(before: Side, now: Side) -> int:
    then, later = both_of(before, now, "status")
    rated = Status.SUCCESS.value
    return int(((then == rated) & (later == rated)).sum())


def _pairs(before: Side, now: Side, score: str) -> tuple[Floats, Floats]:
    """That score of the accounts that have it in both reports."""
    then, later = both_of(before, now, score)
    there = np.isfinite(then) & np.isfinite(later)
    return then[there], later[there]


def _scale(before: Side, now: Side) -> Iterator[str]:
    for score in SCORE_COLUMNS:
        then, later = _pairs(before, now, score)
        if len(then) < FEWEST:
            continue
        far = float((np.abs(later - then) > FAR_POINTS).mean())
        if far > FAR_SHARE:
            yield (
                f"{far:.0%} of the {_name(score)} scores moved by more than {FAR_POINTS:.0f} points: the "
                "scale or its direction may have changed"
            )


def _means(before: Side, now: Side) -> Iterator[str]:
    for score in SCORE_COLUMNS:
        then, later = _pairs(before, now, score)
        found = attribution(before, now, score, weighted=False)
        if found is None or len(then) < FEWEST:
            continue
        error = float(np.std(later - then)) / math.sqrt(len(then))
        if abs(found.scores.points) > max(MEAN_POINTS, 4 * error):
            moved = f"{found.scores.points:+.1f} points"
            yield f"changed scores alone moved the mean {_name(score)} score by {moved}"


def _shape(before: Side, now: Side) -> Iterator[str]:
    for score in SCORE_COLUMNS:
        then, later = _pairs(before, now, score)
        if len(then) < FEWEST:
            continue
        grid = np.sort(np.concatenate([then, later]))
        cumulative = (
            np.searchsorted(np.sort(values), grid, side="right") / len(values) for values in (then, later)
        )
        distance = float(np.abs(np.subtract(*cumulative)).max())
        if distance > SHAPE_DISTANCE:
            yield (
                f"the {_name(score)} scores are spread differently: the share of accounts below some score "
                f"changed by {distance:.0%} of all (limit {SHAPE_DISTANCE:.0%})"
            )


def _missing(before: Side, now: Side) -> Iterator[str]:
    for column in (*SCORE_COLUMNS, "letter"):
        then, later = _missing_share(before, column), _missing_share(now, column)
        if later - then > MISSING_RISE:
            lacks = "rating letter" if column == "letter" else f"{_name(column)} score"
            yield f"{later:.0%} of the rated accounts have no {lacks}, {then:.0%} before"


def _missing_share(side: Side, column: str) -> float:
    rated = side.frame.loc[side.frame["status"] == Status.SUCCESS.value, column]
    absent = (rated == "") if column == "letter" else rated.isna()
    return float(absent.mean())


def _stale(before: Side, now: Side) -> Iterator[str]:
    then, later = _stale_share(before), _stale_share(now)
    if later - then > STALE_RISE:
        yield f"{later:.0%} of the ratings are stale (older than ESG_MAX_RATING_AGE_DAYS), {then:.0%} before"


def _stale_share(side: Side) -> float:
    return float(side.frame.loc[side.frame["status"] == Status.SUCCESS.value, "stale"].mean())


def _downgrades(before: Side, now: Side) -> Iterator[str]:
    found = migration(before, now)
    if found.accounts < FEWEST:
        return
    share = found.downgrades / found.accounts
    if share > DOWNGRADE_SHARE and found.downgrades > DOWNGRADE_RATIO * found.upgrades:
        # Without the counts: those of few accounts are withheld wherever else they stand.
        yield f"{share:.0%} of the accounts were downgraded, more than {_TIMES} as many as were upgraded"


def _methodology(before: Side, now: Side) -> Iterator[str]:
    then, later = both_of(before, now, "methodology")
    stated = (then != "") & (later != "")
    changed = stated & (then != later)
    moves = Counter(zip(then[changed], later[changed], strict=True))
    if stated.sum() < FEWEST or not moves:
        return
    share = float(changed.sum() / stated.sum())
    if share > METHOD_SHARE:
        (old, new), _ = min(moves.items(), key=lambda move: (-move[1], move[0]))
        yield (
            f"the provider changed its methodology for {share:.0%} of the ratings, mostly from version {old} "
            f"to {new}: scores before and after may not be comparable"
        )


def _name(column: str) -> str:
    return column.removesuffix("_score")
