"""What changed between two reports, from their cleared figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from esg_assets.core.history import ClearFigures, PastReport
from esg_assets.core.methodology import methodology_change


@dataclass(frozen=True)
class Comparison:
    """Changes against an earlier report.

    Attributes:
        report_date, version: the earlier report.
        changes: now minus then, by name of figure; only figures that both reports show. A change of a
            percentage is in percentage points.
        methodology: one sentence where the provider's methodology has another version, else "".
    """

    report_date: date
    version: int
    changes: Mapping[str, float]
    methodology: str = ""


def compare(now: ClearFigures, before: PastReport | None) -> Comparison | None:
    """The changes from `before` to `now`; None if there is nothing to compare with."""
    if before is None:
        return None
    changes = {}
    for name, value in now.items():
        then = before.figures.get(name)
        if value is not None and then is not None:
            changes[name] = round(value - then, 1)  # both have one decimal: this removes binary dust
    published = before.published
    return Comparison(
        published.report_date, published.version, changes, methodology_change(now, before.figures)
    )
