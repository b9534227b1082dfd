"""What is said of the version of the provider's methodology: of one report, and between two.

Scores that were made in two ways are not alike, whatever their scale. Counts by version are figures like
others (`methodology.VERSION` in `esg_assets.core.history.ClearFigures`), cleared in
`esg_assets.core.disclosure`; only they come in here. Single accounts are compared in
`esg_assets.core.drift`.
"""

from collections.abc import Sequence

from esg_assets.core.disclosure import NONE, OTHER
from esg_assets.core.history import ClearFigures

_PREFIX = "methodology."
_WORDS = {NONE: "not stated", OTHER: "other versions"}


def methodology_told(figures: ClearFigures) -> str:
    """One sentence on the versions behind a report's ratings; "" where nobody counted them."""
    cells = _cells(figures)
    if not cells:
        return ""
    if set(cells) == {NONE}:
        return "The provider states no version of its methodology."
    if not methodology_mixed(figures):
        return f"All ratings are by version {next(iter(cells))} of the provider's methodology."
    parts = [
        f"{_WORDS.get(name, name)} ({_accounts(n)})"
        for name, n in sorted(cells.items(), key=lambda cell: (cell[0] in _WORDS, cell[0]))
    ]
    return (
        f"Ratings are by several versions of the provider's methodology: {', '.join(parts)}. "
        "Figures over all of them mix these."
    )


def methodology_mixed(figures: ClearFigures) -> bool:
    """Whether ratings of a report are known to be by several versions, or by some that state none."""
    cells = _cells(figures)
    return bool(cells) and cells.keys() != {NONE} and (len(cells) > 1 or OTHER in cells)


def methodology_change(now: ClearFigures, before: ClearFigures) -> str:
    """One sentence on a change of version between two reports; "" where none is known of."""
    later, then = _named(now), _named(before)
    if not later or not then or later == then:
        return ""
    return (
        f"The provider's methodology was {_listed(then)} then and is {_listed(later)} now: "
        "scores of the two may not be comparable."
    )


def _cells(figures: ClearFigures) -> dict[str, float | None]:
    """Cells of the table that are not empty, by version."""
    return {
        name.removeprefix(_PREFIX): n for name, n in figures.items() if name.startswith(_PREFIX) and n != 0
    }


def _accounts(n: float | None) -> str:
    if n is None:
        return "withheld"
    return "1 account" if n == 1 else f"{n:,.0f} accounts"


def _named(figures: ClearFigures) -> list[str]:
    return sorted(set(_cells(figures)) - set(_WORDS))


def _listed(versions: Sequence[str]) -> str:
    return f"version{'s' if len(versions) > 1 else ''} {' and '.join(versions)}"
