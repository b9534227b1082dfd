"""Disclosure control: which figures may stand in the clear, and how they are named there.

Cleared figures go to the history database, Dagster's metadata, metrics, the site and mails; the exact
ones (`esg_assets.core.figures`) only into sealed summaries.

* Everything is rounded to one decimal; shares are percentages.
* Counts by status and by reason always show.
* A mean or quartile shows when at least `min_cell` accounts are behind it; a weighted mean when also
  the effective number of accounts is that high, since one account that outweighs all others would
  otherwise have its score shown. Lowest and highest scores, each one account's own, never show.
* Every other count is a cell of a table whose total is known. A cell of fewer than `min_cell`
  accounts (but not an empty one) is withheld, and with it the next smallest until what is withheld
  is at least two cells and `min_cell` accounts: the rest of the total gives none of them away.
* A letter or focus outside the known scales is counted as "other": its text is the provider's. So are
  versions of its methodology that fewer than `min_cell` accounts have.

What the difference of two days would tell is `esg_assets.core.differencing`. Not covered: what can be
learned by replaying these rules on every table that fits what is shown, which in rare ties leaves one.
"""

from collections.abc import Mapping, Sequence

from esg_assets.core.figures import BIN_POINTS, Figures
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import PILLARS, Reason, Status

NONE, OTHER = "none", "other"

FAILURE_REASONS = tuple(r for r in Reason if r is not Reason.NOT_COVERED)


def clear(figures: Figures, min_cell: int) -> dict[str, float | None]:
    """The figures that may stand in the clear, under the names of `esg_assets.core.history.ClearFigures`.

    Args:
        figures: the exact ones.
        min_cell: ESG_MIN_CELL; 0 or 1 withholds nothing.
    """
    coverage = {
        "enough": figures.enough_coverage,
        "unknown": figures.unknown_coverage,
        "below": figures.below_coverage,
    }
    ages = {
        "current": figures.current_ratings,
        "stale": figures.stale_ratings,
        "undated": figures.undated_ratings,
    }
    unknown = figures.unknown_market_value
    values = {"known": figures.accounts - unknown, "unknown": unknown}
    shown: dict[str, float | None] = {"accounts": figures.accounts}
    shown |= {f"accounts.{status}": figures.by_status[status] for status in Status}
    rate = figures.success_rate
    shown["success_rate_pct"] = None if rate is None else round(100 * rate, 1)
    shown |= {f"failures.{reason}": figures.failures.get(reason, 0) for reason in FAILURE_REASONS}
    shown |= _table("coverage", coverage, min_cell)
    shown |= _weighting(figures, scored_shown=shown["coverage.below"] is not None, min_cell=min_cell)
    shown |= _table("ratings", ages, min_cell)
    shown |= _table("market_value", values, min_cell)
    shown |= _table("focus", _labelled(figures.focus, PILLARS), min_cell)
    shown |= _table("letter", _labelled(figures.letters, RATINGS), min_cell)
    shown |= _table("methodology", _versions(figures.methodologies, min_cell), min_cell)
    shown |= _averages(figures, min_cell)
    bins = {f"{BIN_POINTS * n:02d}": count for n, count in enumerate(figures.histogram)}
    shown |= _table("histogram.overall", bins, min_cell)
    return shown


def withheld(cells: Mapping[str, int], min_cell: int) -> set[str]:
    """Names of the cells to withhold of a table whose total is known."""
    filled = sorted((n, name) for name, n in cells.items() if n)
    small = [name for n, name in filled if n < min_cell]
    if not small:
        return set()
    # `filled` ascends, so the small cells come first and the next smallest after them.
    for count in range(max(len(small), 2), len(filled) + 1):
        if sum(n for n, _ in filled[:count]) >= min_cell:
            return {name for _, name in filled[:count]}
    # Nothing but the empty cells could hide the small ones: that they are empty would tell it all.
    return set(cells)


def _table(name: str, cells: Mapping[str, int], min_cell: int) -> dict[str, float | None]:
    hidden = withheld(cells, min_cell)
    return {f"{name}.{cell}": None if cell in hidden else n for cell, n in cells.items()}


def _labelled(cells: Mapping[str, int], scale: Sequence[str]) -> dict[str, int]:
    """Cells under names that may be shown: the whole scale, then what is off it."""
    named = dict.fromkeys(scale, 0)
    for label, n in cells.items():
        name = NONE if not label else label if label in scale else OTHER
        named[name] = named.get(name, 0) + n
    return named


def _versions(cells: Mapping[str, int], min_cell: int) -> dict[str, int]:
    """Cells under names that may be shown: those of enough accounts, then what is left."""
    named: dict[str, int] = {}
    for label, n in cells.items():
        name = NONE if not label else label if n >= min_cell else OTHER
        named[name] = named.get(name, 0) + n
    return named


def _weighting(figures: Figures, *, scored_shown: bool, min_cell: int) -> dict[str, float | None]:
    """Accounts that count for averages, and how many of them carry weights."""
    cells = {
        "accounts": figures.weighting.accounts,
        "other_currency": figures.weighting.other_currency,
        "not_positive": figures.weighting.not_positive,
        "unknown_market_value": figures.weighting.unknown_market_value,
    }
    # Their sum is scored_accounts, and that tells how many have too little coverage.
    table = _table("weighting", cells, min_cell) if scored_shown else {f"weighting.{c}": None for c in cells}
    return {"scored_accounts": figures.scored_accounts if scored_shown else None, **table}


def _averages(figures: Figures, min_cell: int) -> dict[str, float | None]:
    shown: dict[str, float | None] = {}
    for name, spread in figures.scores.items():
        plain = spread.accounts >= min_cell
        weighted = min(spread.weighted_accounts, spread.effective_accounts) >= min_cell
        shown |= {
            f"{name}.mean": _rounded(spread.mean, plain),
            f"{name}.median": _rounded(spread.median, plain),
            f"{name}.lower_quartile": _rounded(spread.lower_quartile, plain),
            f"{name}.upper_quartile": _rounded(spread.upper_quartile, plain),
            f"{name}.weighted_mean": _rounded(spread.weighted_mean, weighted),
        }
    for name, average in figures.metrics.items():
        shown[f"metric.{name}.mean"] = _rounded(average.mean, average.accounts >= min_cell)
    return shown


def _rounded(value: float | None, allowed: bool) -> float | None:
    return round(value, 1) if allowed and value is not None else None
