"""What is kept of a report beside its cleared figures, so that its page can be made again as it was.

The checks, what changed against earlier reports, the settings behind the figures: all of it cleared, and
of our own words. It goes to the history database as one JSON object (`as_json`, `from_json`).
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from esg_assets.core.change import Turnover
from esg_assets.core.change_disclosure import (
    ClearChange,
    ClearMigration,
    ClearPart,
    clear_migration,
    clear_parts,
)
from esg_assets.core.comparison import compare
from esg_assets.core.differencing import UNCHANGED
from esg_assets.core.earlier_reports import Compared
from esg_assets.core.history import ClearFigures, PastReport
from esg_assets.core.ratings import Metric
from esg_assets.core.verdicts import Verdict

SCHEMA_VERSION = 1
PREVIOUS = "previous"
PERIODS = {PREVIOUS: 0, "week": 7, "month": 30}
"""What a report is compared with: the report before it, and those of so many days ago."""


@dataclass(frozen=True)
class Check:
    """One check's verdict on the report."""

    name: str
    passed: bool
    severity: str
    note: str


@dataclass(frozen=True)
class Period:
    """The change against one earlier report.

    Attributes:
        name: of PERIODS.
        report_date, version: the earlier report; version 0 where none of that date is published.
        changes: of cleared figures, now minus then, by name.
        change: of accounts; None where `unavailable` says why.
        unavailable: "" where there is a change.
        methodology: one sentence where the provider's methodology has another version, else "".
    """

    name: str
    report_date: date | None
    version: int
    changes: Mapping[str, float]
    change: ClearChange | None
    unavailable: str
    methodology: str = ""


@dataclass(frozen=True)
class Methods:
    """The settings behind the figures.

    Attributes:
        currency: of the market-value weights, "" where accounts have none.
        min_cell, min_coverage_pct, max_rating_age_days, metrics: settings.
        failure_warn, failure_error: shares from 0 to 1.
    """

    currency: str
    min_cell: int
    min_coverage_pct: float
    max_rating_age_days: int
    failure_warn: float
    failure_error: float
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True)
class ReportDetails:
    """What is kept beside the figures.

    Attributes:
        methods: the settings behind the figures.
        software: versions by name.
        checks: every verdict on the report.
        periods: the changes, in the order of PERIODS.
        head: of the chain when the report was published, SEQ:SHA256.
    """

    methods: Methods
    software: Mapping[str, str]
    checks: Sequence[Check]
    periods: Sequence[Period]
    head: str

    def as_json(self) -> dict[str, object]:
        """As one JSON object."""
        periods = []
        for period in self.periods:
            row = dataclasses.asdict(period)
            row["report_date"] = None if period.report_date is None else period.report_date.isoformat()
            if period.change is not None:
                cells = period.change.migration.cells.items()
                row["change"]["migration"]["cells"] = [[then, now, n] for (then, now), n in cells]
            periods.append(row)
        return {
            "schema": SCHEMA_VERSION,
            "methods": dataclasses.asdict(self.methods),
            "software": dict(self.software),
            "checks": [dataclasses.asdict(check) for check in self.checks],
            "periods": periods,
            "head": self.head,
        }

    @classmethod
    def understood(cls, kept: Mapping[str, Any] | None) -> "ReportDetails | None":
        """What is kept, if this version of the software knows its shape.

        None where nothing is kept, or nothing that can be read: the report is shown without its details
        then, and says so, rather than keeping every other page from being made.
        """
        if kept is None or kept.get("schema") != SCHEMA_VERSION:
            return None
        try:
            return cls.from_json(kept)
        except (KeyError, TypeError, ValueError):
            return None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ReportDetails":
        """What `as_json` gave."""
        methods = dict(kept["methods"])
        methods["metrics"] = tuple(Metric(**metric) for metric in methods["metrics"])
        return cls(
            methods=Methods(**methods),
            software=kept["software"],
            checks=[Check(**check) for check in kept["checks"]],
            periods=[_period(period) for period in kept["periods"]],
            head=kept["head"],
        )


def checks_of(verdicts: Sequence[Verdict]) -> list[Check]:
    """Verdicts as they are kept."""
    return [Check(v.check, v.passed, v.severity, v.note) for v in verdicts]


def periods(
    figures: ClearFigures,
    day: date,
    earlier: Mapping[str, PastReport | None],
    compared: Callable[[date], Compared | None],
    min_cell: int,
) -> list[Period]:
    """The changes against each earlier report.

    Args:
        figures: cleared, of the report.
        day: its date.
        earlier: by name of PERIODS the newest version of that report, None where there is none.
        compared: of the accounts, by date.
        min_cell: ESG_MIN_CELL.
    """
    return [
        _changed(
            figures, name, earlier.get(name), day - timedelta(days=days) if days else None, compared, min_cell
        )
        for name, days in PERIODS.items()
    ]


def _changed(
    figures: ClearFigures,
    name: str,
    before: PastReport | None,
    day: date | None,
    compared: Callable[[date], Compared | None],
    min_cell: int,
) -> Period:
    found = compare(figures, before)
    if before is None or found is None:
        why = "there is no earlier report" if day is None else f"no report of {day} is published"
        return Period(name, day, 0, {}, None, why)
    exact = compared(found.report_date)
    if exact is None:
        why = f"the accounts of {found.report_date} can no longer be opened on this host"
        return Period(name, found.report_date, found.version, found.changes, None, why, found.methodology)
    change = ClearChange(
        before=found.report_date.isoformat(),
        turnover=exact.turnover,
        migration=_migration(figures, before.figures, exact, min_cell),
        means=_means(figures, before.figures, exact, min_cell),
    )
    return Period(name, found.report_date, found.version, found.changes, change, "", found.methodology)


def _own(group: str, *both: ClearFigures) -> bool:
    """Whether both reports show that group's figures of their own accounts, not of an earlier day's."""
    return all(figures.get(UNCHANGED + group) == 0 for figures in both)


def _migration(figures: ClearFigures, before: ClearFigures, exact: Compared, min_cell: int) -> ClearMigration:
    """The matrix; without its cells where letters stand: it would tell which of the few moved."""
    if min_cell > 1 and not _own("letter", figures, before):
        return ClearMigration({}, exact.migration.accounts, None, None)
    shown = clear_migration(exact.migration, min_cell)
    # A letter whose number is withheld must not be bounded by the accounts that kept it.
    hidden = {
        (then, now)
        for then, now in shown.cells
        if figures.get(f"letter.{now}") is None or before.get(f"letter.{then}") is None
    }
    return replace(shown, cells={cell: None if cell in hidden else n for cell, n in shown.cells.items()})


def _means(
    figures: ClearFigures, before: ClearFigures, exact: Compared, min_cell: int
) -> dict[str, tuple[ClearPart, ...]]:
    told = {}
    for name, found in exact.means.items():
        shown = figures.get(name) is not None and before.get(name) is not None
        if shown and (min_cell <= 1 or _own(name.partition(".")[0], figures, before)):
            parts = clear_parts(found, min_cell)
            if parts is not None:
                told[name] = parts
    return told


def _period(kept: Mapping[str, Any]) -> Period:
    day, change = kept["report_date"], kept["change"]
    return Period(
        name=kept["name"],
        report_date=None if day is None else date.fromisoformat(day),
        version=kept["version"],
        changes=kept["changes"],
        change=None if change is None else _change(change),
        unavailable=kept["unavailable"],
        methodology=kept.get("methodology", ""),  # none in what was kept before it was counted
    )


def _change(kept: Mapping[str, Any]) -> ClearChange:
    matrix = kept["migration"]
    return ClearChange(
        before=kept["before"],
        turnover=Turnover(**kept["turnover"]),
        migration=ClearMigration(
            cells={(then, now): n for then, now, n in matrix["cells"]},
            accounts=matrix["accounts"],
            upgrades=matrix["upgrades"],
            downgrades=matrix["downgrades"],
        ),
        means={
            name: tuple(ClearPart(tuple(part["causes"]), part["points"]) for part in parts)
            for name, parts in kept["means"].items()
        },
    )
