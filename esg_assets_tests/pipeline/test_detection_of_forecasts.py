"""Detection of dates that will be late: told while there is still time, and only if the estimate stands."""

from datetime import datetime, timedelta

import dagster as dg
import pytest

from esg_assets.asking import EXPECTED_END_TAG
from esg_assets.core.alerts.kinds import Severity
from esg_assets_tests.pipeline.house import NEXT, House
from esg_assets_tests.pipeline.test_schedule import at
from esg_assets_tests.pipeline.watched import Clock, Watched, in_service, published_at, started

AFTER = at(NEXT, 7, 1)


@pytest.fixture
def watched(house: House, clock: Clock) -> Watched:
    return in_service(house, clock)


def expected(watched: Watched, run: dg.DagsterRun, end: datetime) -> None:
    watched.house.instance.add_run_tags(run.run_id, {EXPECTED_END_TAG: end.isoformat()})


def test_a_run_that_will_not_be_done_in_time_is_told_while_there_is_time(
    watched: Watched, clock: Clock
) -> None:
    run = started(watched.house, day=NEXT)
    expected(watched, run, at(NEXT, 7, 40))
    watched.look(at(NEXT, 5, 10))
    assert watched.open() == []
    watched.look(at(NEXT, 5, 11))
    incident = watched.incident("report_will_be_late", NEXT)
    assert (incident.severity, incident.run_id) == (Severity.WARN, run.run_id)
    assert incident.facts["expected_end"] == "2026-01-16T13:41:00+00:00"
    watched.look(AFTER)
    assert watched.keys() == [f"{NEXT}/report_will_be_late"]
    incident = watched.incident("report_will_be_late", NEXT)
    assert (incident.severity, set(incident.unwell)) == (
        Severity.ERROR,
        {"report_will_be_late", "report_late"},
    )
    published_at(watched, clock, NEXT, at(NEXT, 7, 41))
    watched.look(at(NEXT, 7, 42))
    assert watched.open() == []


def test_an_estimate_that_wavers_for_a_moment_is_no_forecast(watched: Watched) -> None:
    run = started(watched.house, day=NEXT)
    for minute, end in enumerate([at(NEXT, 9), at(NEXT, 6), at(NEXT, 9), at(NEXT, 6)]):
        expected(watched, run, end)
        watched.look(at(NEXT, 5, 10 + minute))
    assert watched.keys() == []


def test_a_forecast_that_was_wrong_ends_with_the_publication(watched: Watched, clock: Clock) -> None:
    run = started(watched.house, day=NEXT)
    expected(watched, run, at(NEXT, 8))
    for minute in (10, 12):
        watched.look(at(NEXT, 5, minute))
    published_at(watched, clock, NEXT, at(NEXT, 6, 30))
    watched.look(at(NEXT, 6, 31))
    assert watched.open() == []
    assert watched.keys() == [f"{NEXT}/report_will_be_late"]


def test_a_run_that_hangs_after_its_expected_end_will_be_late_in_the_end(watched: Watched) -> None:
    run = started(watched.house, day=NEXT)
    expected(watched, run, at(NEXT, 5, 20))
    watched.look(at(NEXT, 6, 50))
    assert watched.open() == []
    for seconds in (10, 40):
        watched.look(at(NEXT, 6, 59) + timedelta(seconds=seconds))
    assert watched.open() == [f"{NEXT}/report_will_be_late"]
