"""What is kept of each comparison, and each line of each trend chart, figure by figure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.change_disclosure import ClearChange, ClearMigration, ClearPart
from esg_assets.core.earlier_reports import Compared
from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import Check, Methods, Period, ReportDetails, checks_of, periods
from esg_assets.core.trend_figures import NAMES, SPANS, trend
from esg_assets.core.verdicts import Verdict
from esg_assets_tests.unit.test_report_details import BEFORE, DAY, EXACT, OWN, past

WEEK, MONTH = date(2026, 1, 9), date(2025, 12, 17)
CHANGE = ClearChange(
    before="2026-01-15",
    turnover=EXACT.turnover,
    migration=ClearMigration({("A", "A"): 80, ("A", "AA"): None, ("AA", "A"): None}, 94, None, None),
    means={"overall_score.mean": (ClearPart(("joined",), 0.2), ClearPart(("scores",), 0.8))},
)
UNKNOWN = "the accounts of 2026-01-15 can no longer be opened on this host"
MOVED = {**dict.fromkeys(("letter.A", "letter.AA"), 0.0), "overall_score.mean": 1.0}
MOVED |= {"unchanged_days.letter": 0.0, "unchanged_days.overall_score": 0.0}


def test_each_period_says_what_it_compares_with_or_why_it_cannot() -> None:
    earlier = {"previous": past(), "week": None, "month": past()}
    asked: list[date] = []

    def compared(day: date) -> Compared:
        asked.append(day)
        return EXACT

    found = periods(OWN, DAY, earlier, compared, 10)
    assert found == [
        Period("previous", BEFORE, 1, MOVED, CHANGE, ""),
        Period("week", WEEK, 0, {}, None, "no report of 2026-01-09 is published"),
        Period("month", BEFORE, 1, MOVED, CHANGE, ""),
    ]
    assert asked == [BEFORE, BEFORE]


def test_without_any_earlier_report_and_without_its_accounts_the_reason_is_told() -> None:
    assert periods(OWN, DAY, {}, lambda _day: None, 10) == [
        Period("previous", None, 0, {}, None, "there is no earlier report"),
        Period("week", WEEK, 0, {}, None, "no report of 2026-01-09 is published"),
        Period("month", MONTH, 0, {}, None, "no report of 2025-12-17 is published"),
    ]
    (closed, *_) = periods(OWN, DAY, {"previous": past()}, lambda _day: None, 10)
    assert closed == Period("previous", BEFORE, 1, MOVED, None, UNKNOWN)


def test_another_version_of_the_methodology_is_told_with_and_without_accounts() -> None:
    now, before = {**OWN, "methodology.2": 90.0}, past(**{"methodology.1": 90.0})
    said = (
        "The provider's methodology was version 1 then and is version 2 now: scores of the two may not be "
        "comparable."
    )
    for found in (EXACT, None):
        (period, *_) = periods(now, DAY, {"previous": before}, lambda _day, one=found: one, 10)  # type: ignore[misc]  # bound now
        assert period.methodology == said
        kept = ReportDetails(Methods("", 1, 0, 0, 0, 0), {}, [], [period], "").as_json()
        assert ReportDetails.from_json(kept).periods == [period]


def test_what_was_kept_before_methodologies_were_counted_can_still_be_read() -> None:
    period = Period("previous", BEFORE, 1, MOVED, CHANGE, "")
    kept = ReportDetails(Methods("", 1, 0, 0, 0, 0), {}, [], [period], "").as_json()
    rows = kept["periods"]
    assert isinstance(rows, list)
    del rows[0]["methodology"]
    assert ReportDetails.from_json(kept).periods == [period]


def test_where_nothing_is_withheld_what_stands_is_told_too() -> None:
    standing = {**OWN, "unchanged_days.letter": 1.0, "unchanged_days.overall_score": 1.0}
    for smallest, told in ((0, True), (1, True), (2, False)):
        change = periods(standing, DAY, {"previous": past()}, lambda _day: EXACT, smallest)[0].change
        assert change is not None
        assert (bool(change.migration.cells), bool(change.means)) == (told, told)


def test_a_mean_that_is_withheld_on_either_day_has_no_causes() -> None:
    for now, before in (
        ({**OWN, "overall_score.mean": None}, past()),
        (OWN, past(**{"overall_score.mean": None})),
    ):
        change = periods(now, DAY, {"previous": before}, lambda _day: EXACT, 10)[0].change
        assert change is not None
        assert change.means == {}


def test_details_are_kept_under_names_that_do_not_change() -> None:
    period = Period("previous", BEFORE, 1, {"letter.A": 1.0}, CHANGE, "")
    empty = Period("week", None, 0, {}, None, "why", "said")
    methods = Methods("USD", 10, 65.0, 366, 0.01, 0.05)
    details = ReportDetails(
        methods,
        {"python": "3"},
        [Check("c", passed=True, severity="WARN", note="n")],
        [period, empty],
        "5:ab",
    )
    assert details.as_json() == {
        "schema": 1,
        "methods": {
            "currency": "USD",
            "min_cell": 10,
            "min_coverage_pct": 65.0,
            "max_rating_age_days": 366,
            "failure_warn": 0.01,
            "failure_error": 0.05,
            "metrics": (),
        },
        "software": {"python": "3"},
        "checks": [{"name": "c", "passed": True, "severity": "WARN", "note": "n"}],
        "periods": [
            {
                "name": "previous",
                "report_date": "2026-01-15",
                "version": 1,
                "unavailable": "",
                "changes": {"letter.A": 1.0},
                "methodology": "",
                "change": {
                    "before": "2026-01-15",
                    "turnover": vars(EXACT.turnover),
                    "migration": {
                        "cells": [["A", "A", 80], ["A", "AA", None], ["AA", "A", None]],
                        "accounts": 94,
                        "upgrades": None,
                        "downgrades": None,
                    },
                    "means": {
                        "overall_score.mean": (
                            {"causes": ("joined",), "points": 0.2},
                            {"causes": ("scores",), "points": 0.8},
                        )
                    },
                },
            },
            {
                "name": "week",
                "report_date": None,
                "version": 0,
                "unavailable": "why",
                "changes": {},
                "methodology": "said",
                "change": None,
            },
        ],
        "head": "5:ab",
    }


def test_checks_and_shown_moves_come_back_as_they_were_kept() -> None:
    verdict = Verdict("ratings_drift", passed=False, severity="ERROR", note="odd")
    checks = checks_of([verdict])
    assert checks == [Check("ratings_drift", passed=False, severity="ERROR", note="odd")]
    change = replace(CHANGE, migration=ClearMigration({("A", "B"): 40}, 40, 11, 12))
    kept = [Period("previous", BEFORE, 1, {}, change, ""), Period("previous", None, 0, {}, None, "none")]
    details = ReportDetails(Methods("", 1, 0, 0, 0, 0), {}, checks, kept, "")
    assert ReportDetails.from_json(details.as_json()) == details


def test_a_mean_that_stood_on_the_day_before_has_no_causes() -> None:
    before = past(**{"unchanged_days.overall_score": 3.0})
    change = periods(OWN, DAY, {"previous": before}, lambda _day: EXACT, 10)[0].change
    assert change is not None
    assert change.means == {}


def test_a_brief_collection_is_told_in_seconds() -> None:
    found = trend(
        [_report(1, **{"collection.seconds": None}), _report(0, **{"collection.seconds": 9.0})], SPANS[0]
    )
    (chart,) = [each for each in found.charts if each.name == "duration"]
    assert (chart.title, chart.unit) == ("Time at the provider", "seconds")
    assert chart.lines[0].values == [None, 9.0]


def test_rows_say_how_many_of_their_days_have_a_report_and_which_version_a_day_has() -> None:
    two = trend([_report(n) for n in range(70, -1, -1) if n != 1], SPANS[2])
    assert two.row_step == 2
    assert [row[1] for row in two.charts[0].rows[:3]] == ["1 of 1", "1 of 2", "2 of 2"]
    corrected = replace(_report(0), published=replace(_report(0).published, version=2))
    days = trend([_report(1), corrected], SPANS[0])
    assert [row[1] for row in days.charts[0].rows] == ["version 2, a correction", "version 1"]


def _report(days_ago: int, **figures: float | None) -> PastReport:
    counts = {Status.SUCCESS: 70, Status.NOT_RATED: 10, Status.FAILED: 20}
    day = DAY - timedelta(days=days_ago)
    shown: dict[str, float | None] = {
        "overall_score.mean": 51.0,
        "overall_score.weighted_mean": 52.0,
        "environmental_score.mean": 53.0,
        "social_score.mean": 54.0,
        "governance_score.mean": 55.0,
        "collection.seconds": 240.0,
        "collection.calls": 120.0,
        "collection.retries": 20.0,
        "coverage.enough": 30.0,
        "coverage.unknown": 10.0,
        "coverage.below": 40.0,
        "focus.environmental": 10.0,
        "focus.social": 20.0,
        "focus.governance": 30.0,
        "focus.none": 15.0,
        "focus.other": 25.0,
        **figures,
    }
    published = PublishedReport(day, 1, 1, "", "", counts, day, day.isoformat())
    return PastReport(published, shown, datetime.now(UTC))


def test_every_line_of_every_chart_is_the_figure_it_is_called_by() -> None:
    found = trend([_report(0)], SPANS[0])
    assert {(chart.name, line.label): line.values for chart in found.charts for line in chart.lines} == {
        ("scores", "Overall"): [51.0],
        ("scores", "Overall by market value"): [52.0],
        ("scores", "Environmental"): [53.0],
        ("scores", "Social"): [54.0],
        ("scores", "Governance"): [55.0],
        ("coverage", "Rated"): [70.0],
        ("coverage", "Of the rated, in averages"): [50.0],
        ("failures", "Failed"): [20.0],
        ("focus", "Environmental"): [10.0],
        ("focus", "Social"): [20.0],
        ("focus", "Governance"): [30.0],
        ("duration", "Duration"): [4.0],
        ("calls", "Calls"): [120.0],
        ("calls", "Retries"): [20.0],
    }
    assert set(_report(0).figures) <= NAMES


def test_nobody_withheld_cells_and_empty_tables_have_no_share() -> None:
    nobody = replace(_report(0).published, counts=dict.fromkeys(Status, 0))
    empty = {name: 0.0 for name in _report(0).figures if name.startswith(("focus.", "coverage."))}
    without = PastReport(nobody, empty, datetime.now(UTC))
    withheld = _report(1, **{"focus.none": None, "coverage.below": None})
    absent = PastReport(_report(2).published, {"focus.social": 3.0, "focus.none": 1.0}, datetime.now(UTC))
    found = trend([absent, withheld, without], SPANS[0])
    lines = {(chart.name, line.label): line.values for chart in found.charts for line in chart.lines}
    assert lines["focus", "Social"] == [75.0, None, None]
    assert lines["coverage", "Of the rated, in averages"] == [None, None, None]
    assert lines["coverage", "Rated"] == [70.0, 70.0, None]
    assert lines["duration", "Duration"] == [None, 4.0, None]


def test_points_and_rows_of_long_spans_are_means_over_the_days_that_have_a_report() -> None:
    reports = [_report(n, **{"overall_score.mean": float(n)}) for n in range(740, -1, -1) if n % 3]
    found = trend(reports, SPANS[2])
    (first, *_, last) = found.charts[0].lines[0].values
    assert (found.step, found.row_step, len(found.days)) == (2, 12, 370)
    assert found.days[:2] == [DAY - timedelta(days=740), DAY - timedelta(days=738)]
    assert first == 739.5
    assert last == 1.5
    rows = found.charts[0].rows
    assert len(rows) == 62
    assert rows[-1][:3] == ((DAY - timedelta(days=740)).isoformat(), "8 of 12", "735.0")
