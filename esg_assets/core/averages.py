"""Means, quartiles and weighted means of numbers of accounts; what counts is ruled in `core.figures`.

Sums are correctly rounded (`math.fsum`), so the order of the numbers changes no bit. Quartiles
interpolate linearly between the two nearest accounts (Hyndman and Fan's type 7).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """One score (0 to 100) over the accounts that count for averages; None where there are none.

    Attributes:
        accounts: how many have the score.
        weighted_accounts: how many of them carry the weighted mean.
        effective_accounts: Kish's effective number of those, (sum of weights)² / sum of squares: 1
            where one account outweighs all others. Disclosure control looks at it.
    """

    accounts: int
    mean: float | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    weighted_accounts: int
    effective_accounts: float
    weighted_mean: float | None


@dataclass(frozen=True)
class Average:
    """A further metric over the accounts that count for averages and have it."""

    accounts: int
    mean: float | None


def _mean(values: Floats) -> float | None:
    return math.fsum(values.tolist()) / len(values) if len(values) else None


def average(values: Floats) -> Average:
    """Mean of the values that are there (not NaN)."""
    there = values[np.isfinite(values)]
    return Average(len(there), _mean(there))


def spread(score: Floats, weights: Floats) -> Spread:
    """What there is to say of one score.

    Args:
        score: of each account; NaN for one that has none.
        weights: of each account, above zero; NaN for one that carries no weight.
    """
    there = np.isfinite(score)
    values = score[there]
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if len(values) else [None] * 3
    weighted = there & np.isfinite(weights)
    mean, effective = _weighted_mean(score[weighted], weights[weighted])
    return Spread(
        accounts=len(values),
        mean=_mean(values),
        lower_quartile=lower,
        median=median,
        upper_quartile=upper,
        weighted_accounts=int(weighted.sum()),
        effective_accounts=effective,
        weighted_mean=mean,
    )


def _weighted_mean(values: Floats, weights: Floats) -> tuple[float | None, float]:
    """Weighted mean, and the effective number of accounts behind it; weights are above zero."""
    if not len(values):
        return None, 0.0
    # Scaled by a power of two, which loses no bit: squares and products of any amounts stay finite.
    scaled = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    total = math.fsum(scaled.tolist())
    return (
        math.fsum((values * scaled).tolist()) / total,
        total**2 / math.fsum((scaled**2).tolist()),
    )
