"""Samples of metrics: which reports are due, which run is the last, and what is absent rather than zero."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from esg_assets.core.central_time import CENTRAL
from esg_assets.core.history import PastReport, PublishedReport, RunRecord
from esg_assets.core.metrics import reports, runs
from esg_assets.core.metrics.catalogue import METRICS
from esg_assets.core.ratings import Status

DAY = date(2026, 1, 15)
SEVEN = time(7)


@pytest.mark.parametrize(
    ("first_publication", "tried", "due"),
    [
        (None, False, []),
        (None, True, [20]),
        (date(2026, 11, 20), True, [20]),
        (date(2026, 11, 19), True, [19, 20]),
        (date(2026, 1, 1), True, [17, 18, 19, 20]),
        (date(2026, 11, 25), True, [20]),
    ],
)
def test_dates_are_due_today_and_as_far_back_as_they_are_made_up_for(
    first_publication: date | None, tried: bool, due: list[int]
) -> None:
    table = reports.Timetable(SEVEN, date(2026, 1, 1), 3)
    found = table.due(datetime(2026, 11, 21, 5, 59, tzinfo=UTC), first_publication, tried=tried)
    assert found == [date(2026, 11, day) for day in due]


@pytest.mark.parametrize("day", [date(2026, 3, 7), date(2026, 3, 8), date(2026, 11, 1)])
def test_a_report_is_overdue_from_its_deadline_on_the_wall_clock_of_central_time(day: date) -> None:
    def overdue(at: datetime) -> tuple[float, float]:
        made = {s.name: s.value for s in reports.punctuality([day], [], None, SEVEN, at)}
        return made["esg_reports_overdue"], made["esg_report_margin_seconds"]

    seven = datetime.combine(day, SEVEN, CENTRAL).astimezone(UTC)
    assert overdue(seven - timedelta(minutes=1)) == (0, 60)
    assert overdue(seven + timedelta(minutes=1)) == (1, -60)


def test_the_margin_is_that_of_the_first_version() -> None:
    published = PublishedReport(DAY, 1, 1, "1" * 64, "r", dict.fromkeys(Status, 1), DAY, DAY.isoformat())
    came = datetime.combine(DAY, time(5, 30), CENTRAL).astimezone(UTC)

    def margin(last: PastReport) -> list[float]:
        found = reports.punctuality([DAY], [DAY], last, SEVEN, came + timedelta(hours=9))
        return [sample.value for sample in found if sample.name == "esg_report_margin_seconds"]

    assert margin(PastReport(published, {}, came)) == [5400]
    assert margin(PastReport(replace(published, version=2), {}, came)) == []


def test_what_is_withheld_has_no_sample_and_what_is_zero_has_one() -> None:
    figures = {"focus.social": None, "focus.governance": 0, "overall_score.mean": None, "letter.AAA": 12}
    published = PublishedReport(DAY, 1, 1, "1" * 64, "r", dict.fromkeys(Status, 0), DAY, DAY.isoformat())
    found = list(reports.newest(PastReport(published, figures, datetime.now(UTC))))
    assert {(s.name, s.value) for s in found if "score" in s.name or "focus" in s.name} == {
        ("esg_primary_focus_accounts", 0)
    }
    assert "esg_rating_coverage_ratio" not in {sample.name for sample in found}  # of no account


def test_the_last_run_is_the_newest_date_s_whatever_a_backfill_does_meanwhile() -> None:
    start = datetime(2026, 1, 16, 11, tzinfo=UTC)
    night = RunRecord("night", date(2026, 1, 16), "failed", start, start + timedelta(minutes=9))
    retry = RunRecord("retry", date(2026, 1, 16), "blocked", start + timedelta(hours=1), None)
    old = RunRecord("old", DAY, "published", start + timedelta(hours=2), start + timedelta(hours=3))
    assert runs.last_of([old, night, retry]) is retry
    assert runs.last_of([night, old]) is night
    assert runs.last_of([]) is None


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_keeps_the_conventions_and_has_no_label_for_an_account(name: str) -> None:
    metric = METRICS[name]
    assert re.fullmatch(r"esg_[a-z_]+", name)
    assert name.endswith("_total") == (metric.kind == "counter")
    assert not re.search(r"_(ms|minutes|hours|days|percent|pct|kb|mb)(_|$)", name)
    assert metric.meaning.endswith(".")
    assert not {"account", "account_id", "name", "run_id"} & set(metric.labels)
