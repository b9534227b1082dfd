"""Against the difference of two days: a figure about a group only changes when enough accounts have.

Rounding alone does not hide a newcomer. The means of two days with one account more on the second give
that account's score to within 0.05 * (2n + 1) points, which is one point in a group of ten; a count of
letters that rises by one gives its letter. So each group of figures (GROUPS, and each metric) is made
anew only if no account or at least `min_cell` accounts differ from those behind the figures that were
shown last. Until then these stand, and `unchanged_days.GROUP` says for how many days.

An account differs if it counts on one side only, or with another value. Market values do not count as
a difference: many change every day, and whoever attacks may know them.

Counts by status and reason are no such group: they always show, as `esg_assets.core.disclosure` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.figures import FigureRules, numbers, texts
from esg_assets.core.history import ClearFigures, PastReport
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.pairing import paired
from esg_assets.core.ratings import Status

UNCHANGED = "unchanged_days."
GROUPS = (*SCORE_COLUMNS, "coverage", "focus", "letter", "ratings", "methodology")
_COVERAGE = frozenset({"coverage", "weighting", "scored_accounts"})

Differing = Callable[[date], Mapping[str, int] | None]
"""How many accounts differ from those of that date's report, by group; None if nobody can tell.

Of a date with several versions: the fewest that differ from any of them but are not none, since the
figures that stand may be of any."""


def group_of(name: str) -> str:
    """The group that a figure belongs to, "" if it always shows."""
    head, _, rest = name.partition(".")
    if head == "metric":
        return f"metric.{rest.partition('.')[0]}"
    if head in _COVERAGE:
        return "coverage"
    if head == "histogram":
        return SCORE_COLUMNS[0]
    return head if head in GROUPS else ""


def stands(figures: ClearFigures, group: str, rated: int) -> bool:
    """Whether a group's counts are of an earlier report's accounts, so that no share of these can be told.

    Its mark says so of an earlier day's; after a correction of few it is that they do not add up to these.

    Args:
        figures: cleared, of the report.
        group: of counts that add up to the rated accounts: focus, letter or ratings.
        rated: rated accounts of the report.
    """
    if figures.get(UNCHANGED + group):
        return True
    counts = [n for name, n in figures.items() if name.startswith(f"{group}.")]
    known = [n for n in counts if n is not None]
    return sum(known) > rated or (sum(known) < rated and len(known) == len(counts) > 0)


def contributions(account_ids: pa.ChunkedArray, outcomes: pa.Table, rules: FigureRules) -> pd.DataFrame:
    """What each account puts into each group of figures; NaN or None where nothing.

    Args:
        account_ids: of the snapshot, or a unique number for each account in their place.
        outcomes: OUTCOME_SCHEMA without `raw`, one row for each of them, in the same order.
        rules: of the figures.

    Returns:
        Rows by account_id, a column for each group.
    """
    table = outcomes.select([*_LOOKED_AT, *(["metrics"] if rules.metrics else [])]).combine_chunks()
    rated = np.asarray(pc.fill_null(pc.equal(table["status"], Status.SUCCESS.value), False))  # noqa: FBT003  # pyarrow's signature
    coverage = numbers(table["coverage_pct"])
    below = coverage < rules.min_coverage_pct
    counted = rated & ~below
    kind = _KINDS[np.where(np.isnan(coverage), 2, below)]
    oldest = (rules.as_of - timedelta(days=rules.max_rating_age_days)).isoformat()
    age = pc.fill_null(pc.if_else(pc.less(table["rating_as_of"], oldest), "stale", "current"), "undated")
    columns: dict[str, object] = {
        name: np.where(counted, numbers(table[name]), np.nan) for name in SCORE_COLUMNS
    }
    columns["coverage"] = _where(rated, kind)
    told = {
        "focus": table["primary_focus"],
        "letter": table["rating"],
        "ratings": age,
        "methodology": table["methodology_version"],
    }
    for group, values in told.items():
        columns[group] = _where(rated, texts(pc.fill_null(values, "").combine_chunks()))
    for metric in rules.metrics:
        sent = pc.map_lookup(table["metrics"], pa.scalar(metric.name), "first")
        columns[f"metric.{metric.name}"] = np.where(counted, numbers(sent), np.nan)
    return pd.DataFrame(columns, index=pd.Index(account_ids.to_numpy(), name="account_id"), copy=False)


_LOOKED_AT = [
    *("status", *SCORE_COLUMNS, "primary_focus", "rating", "coverage_pct", "rating_as_of"),
    "methodology_version",
]
_KINDS = np.array(["enough", "below", "unknown"], dtype=object)


def _where(rated: Any, values: Any) -> Any:
    return np.where(rated, values, None)


def differing(now: pd.DataFrame, before: pd.DataFrame) -> dict[str, int]:
    """How many accounts differ between two tables of `contributions`, by group."""
    pairs = paired(before.index, now.index)
    found = {}
    for group in now.columns:
        new = now[group].to_numpy()
        if group in before.columns:
            old = before[group].to_numpy()
            then, later = old[pairs.then], new[pairs.now]
            changed = int(((later != then) & ~(pd.isna(later) & pd.isna(then))).sum())
            alone = int(pd.notna(old[pairs.gone]).sum()) + int(pd.notna(new[pairs.come]).sum())
            found[str(group)] = changed + alone
        else:
            found[str(group)] = int(pd.notna(new).sum())
    return found


@dataclass(frozen=True)
class Shown:
    """What was shown before, that a report's figures are held against.

    Attributes:
        latest: the newest version of the same date, None for a first version.
        before: the newest version of the latest earlier date, None if there is none.
    """

    latest: PastReport | None
    before: PastReport | None


def held(
    fresh: ClearFigures,
    *,
    day: date,
    version: int,
    shown: Shown,
    differing: Differing,
    min_cell: int,
) -> dict[str, float | None]:
    """The figures to show for a report: each group made anew, or as it was shown last.

    A correction (a later version of the same date) is held against the versions before it; where these
    cannot be opened any more, it makes them anew if the number of rated accounts changed by `min_cell`.
    The same version again shows the same figures.

    Args:
        fresh: what `esg_assets.core.disclosure.clear` cleared.
        day: the report's date.
        version: of the report.
        shown: what was shown before.
        differing: compares this report's accounts with those of an earlier date's, and with those of
            earlier versions of its own date.
        min_cell: ESG_MIN_CELL; 0 or 1 holds nothing back.
    """
    groups = list(dict.fromkeys(filter(None, map(group_of, fresh))))
    figures: dict[str, float | None] = {**fresh, **{f"{UNCHANGED}{group}": 0 for group in groups}}
    last = shown.latest or shown.before
    if last is None or not last.figures or min_cell <= 1:
        return figures
    for group in groups:
        since = last.published.report_date - timedelta(days=int(last.figures.get(UNCHANGED + group) or 0))
        if shown.latest is not None and version == last.published.version:
            anew = False
        elif (counts := differing(since)) is not None:
            anew = not 0 < counts.get(group, 0) < min_cell
        else:
            anew = shown.latest is None or _many_more(fresh, last, min_cell)
        if not anew:
            figures |= {name: last.figures.get(name) for name in fresh if group_of(name) == group}
            figures[UNCHANGED + group] = (day - since).days
    return figures


def _many_more(fresh: ClearFigures, last: PastReport, min_cell: int) -> bool:
    rated = fresh[f"accounts.{Status.SUCCESS}"] or 0
    return abs(rated - last.published.counts[Status.SUCCESS]) >= min_cell
