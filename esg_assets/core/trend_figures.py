"""What the trend pages show: figures of every report over 30 days, a year, and everything.

A day without a report is a gap, and so is a figure that is withheld: no line runs over either. Over long
spans a point stands for several days (the mean of those that have a report), so that a page stays small.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from esg_assets.core.history import PastReport
from esg_assets.core.ratings import PILLARS, Status

POINTS, ROWS = 370, 62
"""At most so many points on a line, and rows in the table behind it."""


BRIEF_SECONDS = 120
"""Where no night takes so long, times are told in seconds."""


@dataclass(frozen=True)
class Span:
    """How far back a trend page looks; `days` None is everything."""

    name: str
    title: str
    days: int | None


SPANS = (
    Span("30-days", "30 days", 30),
    Span("year", "A year", 365),
    Span("everything", "Everything", None),
)


@dataclass(frozen=True)
class Line:
    """One line of a chart: a value for each point of the trend, None for a gap."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """One chart and the table behind it.

    Attributes:
        name: for ids; title: heading; unit: of the axis.
        lines: over the trend's `days`.
        rows: of the table: first day, how many of its days have a report, one text for each line.
    """

    name: str
    title: str
    unit: str
    lines: Sequence[Line]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Trend:
    """What one trend page shows.

    Attributes:
        span: how far back.
        first, last: dates of the first and last report in it.
        step: days that one point stands for.
        row_step: days that one row of a table stands for.
        days: the first day of each point.
        corrected: days whose newest report is a correction; missing: days without a report.
        reports: how many there are.
        charts: in the order of the page.
    """

    span: Span
    first: date
    last: date
    step: int
    row_step: int
    days: Sequence[date]
    corrected: Sequence[date]
    missing: Sequence[date]
    reports: int
    charts: Sequence[Chart]


Value = Callable[[PastReport], float | None]


def _figure(name: str, past: PastReport) -> float | None:
    return past.figures.get(name)


def _of_all(status: Status, past: PastReport) -> float | None:
    """Accounts of that status as a percentage of all."""
    accounts = past.published.accounts
    return 100 * past.published.counts[status] / accounts if accounts else None


def _of(cells: Sequence[str], table: Sequence[str], past: PastReport) -> float | None:
    """Cells as a percentage of their table; None where any cell is withheld or the table is empty."""
    found = {name: past.figures.get(name, 0.0) for name in table}
    shown = {name: n for name, n in found.items() if n is not None}
    total = sum(shown.values())
    part = sum(shown.get(name, 0.0) for name in cells)
    return 100 * part / total if total and len(shown) == len(found) else None


def _minutes(past: PastReport) -> float | None:
    seconds = past.figures.get("collection.seconds")
    return None if seconds is None else seconds / 60


def _briefly(reports: Sequence[PastReport]) -> bool:
    """Whether times are told in seconds."""
    return (
        max((past.figures.get("collection.seconds") or 0.0 for past in reports), default=0.0) < BRIEF_SECONDS
    )


_COVERAGE = ("coverage.enough", "coverage.unknown", "coverage.below")
_FOCUS = (*(f"focus.{pillar}" for pillar in PILLARS), "focus.none", "focus.other")

CHARTS: Sequence[tuple[str, str, str, Mapping[str, Value]]] = (
    (
        *("scores", "Scores, mean", "points, 0 to 100"),
        {
            "Overall": partial(_figure, "overall_score.mean"),
            "Overall by market value": partial(_figure, "overall_score.weighted_mean"),
            "Environmental": partial(_figure, "environmental_score.mean"),
            "Social": partial(_figure, "social_score.mean"),
            "Governance": partial(_figure, "governance_score.mean"),
        },
    ),
    (
        *("coverage", "Coverage", "% of accounts"),
        {
            "Rated": partial(_of_all, Status.SUCCESS),
            "Of the rated, in averages": partial(_of, _COVERAGE[:2], _COVERAGE),
        },
    ),
    ("failures", "Failure rate", "% of accounts", {"Failed": partial(_of_all, Status.FAILED)}),
    (
        *("focus", "Primary focus", "% of rated accounts"),
        {pillar.capitalize(): partial(_of, [f"focus.{pillar}"], _FOCUS) for pillar in PILLARS},
    ),
    ("duration", "Time at the provider", "minutes", {"Duration": _minutes}),
    (
        *("calls", "Calls to the provider", "calls"),
        {"Calls": partial(_figure, "collection.calls"), "Retries": partial(_figure, "collection.retries")},
    ),
)
"""Name, title and unit of each chart, and its lines."""

NAMES = frozenset(
    {
        *("overall_score.mean", "overall_score.weighted_mean", "environmental_score.mean"),
        *("social_score.mean", "governance_score.mean", *_COVERAGE, *_FOCUS),
        *("collection.seconds", "collection.calls", "collection.retries", "success_rate_pct"),
    }
)
"""Figures that trends are made of."""


def trend(reports: Sequence[PastReport], span: Span) -> Trend:
    """One trend page.

    Args:
        reports: the newest version of each date, ascending; at least one.
        span: how far back from the last of them.
    """
    last = reports[-1].published.report_date
    if span.days is not None:
        oldest = last - timedelta(days=span.days - 1)
        reports = [past for past in reports if past.published.report_date >= oldest]
    first = reports[0].published.report_date
    by_day = {past.published.report_date: past for past in reports}
    length = (last - first).days + 1
    step, row_step = -(-length // POINTS), -(-length // ROWS)
    every = [first + timedelta(days=n) for n in range(length)]
    shown = {name: (title, unit, lines) for name, title, unit, lines in CHARTS}
    if _briefly(reports):
        shown["duration"] = (
            shown["duration"][0],
            "seconds",
            {"Duration": partial(_figure, "collection.seconds")},
        )
    charts = [
        Chart(
            *(name, title, unit),
            lines=[Line(label, _means(by_day, every, step, value)) for label, value in lines.items()],
            rows=_rows(by_day, every, row_step, list(lines.values())),
        )
        for name, (title, unit, lines) in shown.items()
    ]
    return Trend(
        *(span, first, last, step, row_step, every[::step]),
        corrected=[day for day, past in by_day.items() if past.published.version > 1],
        missing=[day for day in every if day not in by_day],
        reports=len(by_day),
        charts=charts,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _means(
    by_day: Mapping[date, PastReport], every: Sequence[date], step: int, value: Value
) -> list[float | None]:
    """The mean over each `step` days; None where none of them has the figure."""
    daily = [value(by_day[day]) if day in by_day else None for day in every]
    return [_mean(daily[start : start + step]) for start in range(0, len(daily), step)]


def _rows(
    by_day: Mapping[date, PastReport], every: Sequence[date], step: int, values: Sequence[Value]
) -> list[tuple[str, ...]]:
    columns = [_means(by_day, every, step, value) for value in values]
    rows = []
    for place, start in enumerate(range(0, len(every), step)):
        days = every[start : start + step]
        there = [by_day[day] for day in days if day in by_day]
        of = f"{len(there)} of {len(days)}" if step > 1 else _kind(there)
        numbers = ["" if column[place] is None else f"{column[place]:,.1f}" for column in columns]
        rows.append((days[0].isoformat(), of, *numbers))
    return rows[::-1]


def _kind(there: Sequence[PastReport]) -> str:
    if not there:
        return "no report"
    version = there[0].published.version
    return f"version {version}, a correction" if version > 1 else "version 1"
