"""Trends: gaps stay gaps, corrections are marked, long spans are told in fewer points."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.ratings import Status
from esg_assets.core.trend_figures import POINTS, ROWS, SPANS, Trend, trend

DAY = date(2026, 6, 30)
MONTH, YEAR, ALL = SPANS


def report(days_ago: int, version: int = 1, mean: float | None = 50.0, failed: int = 1) -> PastReport:
    counts = {Status.SUCCESS: 99 - failed, Status.NOT_RATED: 1, Status.FAILED: failed}
    day = DAY - timedelta(days=days_ago)
    figures = {
        "overall_score.mean": mean,
        "collection.seconds": 90.0,
        "focus.social": None,
        "focus.none": 3.0,
        "coverage.enough": 60.0,
        "coverage.unknown": 15.0,
        "coverage.below": 25.0,
    }
    published = PublishedReport(day, version, 1, "", "", counts, day, day.isoformat())
    return PastReport(published, figures, datetime.now(UTC))


def line(found: Trend, chart: str, label: str) -> list[float | None]:
    (values,) = [
        list(each.values)
        for one in found.charts
        if one.name == chart
        for each in one.lines
        if each.label == label
    ]
    return values


def test_a_day_without_a_report_or_with_a_withheld_figure_is_a_gap() -> None:
    found = trend([report(4, mean=49.0), report(2, mean=None), report(1), report(0, version=2)], MONTH)
    assert line(found, "scores", "Overall") == [49.0, None, None, 50.0, 50.0]
    assert line(found, "focus", "Social") == [None] * 5
    assert found.missing == [DAY - timedelta(days=3)]
    assert found.corrected == [DAY]
    assert (found.first, found.last, found.reports) == (DAY - timedelta(days=4), DAY, 4)


def test_shares_and_minutes_are_of_the_reports_own_counts() -> None:
    found = trend([report(0, failed=6)], MONTH)
    assert line(found, "failures", "Failed") == [6.0]
    assert line(found, "coverage", "Of the rated, in averages") == [75.0]
    assert line(found, "duration", "Duration") == [90.0]


def test_times_are_told_in_minutes_once_a_night_takes_two() -> None:
    short, long = report(1), replace(report(0), figures={"collection.seconds": 120.0})
    (shown,) = [chart for chart in trend([short, long], MONTH).charts if chart.name == "duration"]
    assert (shown.unit, shown.lines[0].values) == ("minutes", [1.5, 2.0])


def test_the_table_behind_a_chart_says_which_days_have_what_newest_first() -> None:
    found = trend([report(2), report(0, version=3)], MONTH)
    assert [row[:3] for row in found.charts[0].rows] == [
        ("2026-06-30", "version 3, a correction", "50.0"),
        ("2026-06-29", "no report", ""),
        ("2026-06-28", "version 1", "50.0"),
    ]


def test_a_span_begins_so_many_days_before_the_last_report() -> None:
    reports = [report(n) for n in range(400, -1, -1)]
    assert [len(trend(reports, span).days) for span in (MONTH, YEAR)] == [30, 365]
    assert trend(reports, ALL).first == DAY - timedelta(days=400)


def test_ten_years_are_told_in_few_points_as_means_of_several_days() -> None:
    found = trend([report(n, mean=float(n % 2)) for n in range(3652, -1, -1)], ALL)
    assert found.step == 10
    assert len(found.days) <= POINTS
    assert set(line(found, "scores", "Overall")) <= {0.0, 0.5, 1 / 3, 2 / 3}
    for chart in found.charts:
        assert len(chart.rows) <= ROWS
    assert found.charts[0].rows[-1][1] == f"{found.row_step} of {found.row_step}"
