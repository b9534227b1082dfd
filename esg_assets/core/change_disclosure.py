"""What of a change may stand in the clear; the exact one is `esg_assets.core.change`.

* Who came, went, fails or is rated again: counts, and counts always show.
* The migration matrix is a table whose total is known: its small cells are withheld as in
  `esg_assets.core.disclosure`. How many went up or down shows when it is none or enough accounts.
* Parts of a moved mean over too few accounts are told together with others until there are enough: one
  newcomer's part would be that account's score. They are told at all only where the mean itself was
  made anew for this report and for the one before (`esg_assets.core.differencing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from esg_assets.core.change import Attribution, Migration, Turnover
from esg_assets.core.disclosure import withheld

CAUSES = {
    "joined": "accounts that came",
    "left": "accounts that went",
    "coverage": "coverage and outcome",
    "scores": "changed scores",
    "market_value": "market values",
}
"""The parts by name, in words."""


@dataclass(frozen=True)
class ClearPart:
    """One cause, or several that are told together.

    Attributes:
        causes: names of CAUSES.
        points: rounded to one decimal.
    """

    causes: tuple[str, ...]
    points: float


@dataclass(frozen=True)
class ClearMigration:
    """The migration matrix as it may be seen.

    Attributes:
        cells: accounts by (letter before, letter now), None where withheld; cells that do not occur
            are not in it.
        accounts: all accounts of the matrix.
        upgrades, downgrades: None where withheld.
    """

    cells: Mapping[tuple[str, str], int | None]
    accounts: int
    upgrades: int | None
    downgrades: int | None


@dataclass(frozen=True)
class ClearChange:
    """What may be seen of a change between two reports.

    Attributes:
        before: date of the earlier report, ISO.
        turnover: who came and went.
        migration: letters.
        means: by name of mean (`overall_score.mean`, `overall_score.weighted_mean` …): why it moved;
            only those that can be told.
    """

    before: str
    turnover: Turnover
    migration: ClearMigration
    means: Mapping[str, Sequence[ClearPart]]


def clear_migration(found: Migration, min_cell: int) -> ClearMigration:
    """The matrix with its small cells withheld."""
    named = {f"{then}>{now}": n for (then, now), n in found.cells.items()}
    hidden = withheld(named, min_cell)
    return ClearMigration(
        cells={
            (then, now): None if f"{then}>{now}" in hidden else n for (then, now), n in found.cells.items()
        },
        accounts=found.accounts,
        upgrades=_enough(found.upgrades, found, min_cell),
        downgrades=_enough(found.downgrades, found, min_cell),
    )


def _enough(count: int, found: Migration, min_cell: int) -> int | None:
    """A count that shows if it, and what it leaves of the whole, are none or enough accounts."""
    others = (found.upgrades, found.downgrades, found.accounts - found.upgrades - found.downgrades)
    return count if all(n == 0 or n >= min_cell for n in others) else None


def clear_parts(found: Attribution, min_cell: int) -> tuple[ClearPart, ...] | None:
    """The parts of a moved mean, those over too few accounts pooled; None if nothing moved it.

    What is pooled covers at least `min_cell` accounts; if even all parts together do not, nothing is
    told.
    """
    filled = sorted(
        ((part.accounts, name, part.points) for name, part in found.parts.items() if part.accounts),
    )
    pooled: list[tuple[int, str, float]] = []
    while filled and (filled[0][0] < min_cell or 0 < sum(n for n, _, _ in pooled) < min_cell):
        pooled.append(filled.pop(0))
    if pooled and sum(n for n, _, _ in pooled) < min_cell:
        return None
    shown = [ClearPart((name,), round(points, 1)) for _, name, points in filled]
    if pooled:
        names = tuple(name for name in CAUSES if name in {name for _, name, _ in pooled})
        shown.append(ClearPart(names, round(sum(points for _, _, points in pooled), 1)))
    order = list(CAUSES)
    return tuple(sorted(shown, key=lambda part: order.index(part.causes[0]))) or None
