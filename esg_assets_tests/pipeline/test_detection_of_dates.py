"""Detection of dates: published, missing, too late, and given up."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
)

from esg_assets import cli_runs, schedules
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.alerts.punctuality import deadline_of
from esg_assets.core.central_time import central_date
from esg_assets.core.history import ChainHead
from esg_assets.schedules import SCHEDULED_TAG
from esg_assets_tests.pipeline.house import DAY, NEXT, House, house_on_disk
from esg_assets_tests.pipeline.test_schedule import at, publish
from esg_assets_tests.pipeline.watched import Clock, Watched, in_service, published_at, started

MINUTE = timedelta(minutes=1)
BEFORE, AFTER = at(NEXT, 6, 59), at(NEXT, 7, 1)


@pytest.fixture
def watched(house: House, clock: Clock) -> Watched:
    return in_service(house, clock)


def switch_on(instance: dg.DagsterInstance, since: datetime) -> InstigatorState:
    """As the daemon notes a schedule that is on by default."""
    origin = RemoteInstigatorOrigin(cli_runs._origin().repository_origin, schedules.NAME)
    data = ScheduleInstigatorData(schedules.CRON, since.timestamp())
    declared = InstigatorStatus.DECLARED_IN_CODE
    return instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, declared, data))


def test_each_version_is_told_once_with_its_counts_and_the_chains_head(watched: Watched) -> None:
    notice = watched.incident("report_published", DAY, "1")
    assert notice.resolved_at is not None
    assert notice.facts == {
        "version": 1,
        "published": 1,
        "accounts": 1,
        "failed": 0,
        "not_rated": 0,
        "head": f"{DAY.toordinal()}:{DAY.toordinal():064x}",
    }
    assert watched.queued() == [("report_published", "open", "heartbeat monitors")]
    watched.look(at(NEXT, 5))
    assert len(watched.queued()) == 1


def test_a_date_is_late_a_moment_after_its_deadline_and_not_before(watched: Watched) -> None:
    watched.look(BEFORE)
    assert watched.open() == []
    watched.look(AFTER)
    incident = watched.incident("report_late", NEXT)
    assert (incident.severity, incident.opened_at) == (Severity.ERROR, at(NEXT, 7))
    assert incident.facts["deadline"] == "2026-01-16T13:00:00+00:00"
    assert (incident.facts["published"], incident.facts["attempts"]) == (0, 0)
    watched.look(AFTER + MINUTE)
    assert watched.incident("report_late", NEXT).occurrences == 1


def test_an_incident_without_a_report_has_the_chains_head_too(watched: Watched) -> None:
    watched.house.history.remember_head(ChainHead(7, "a" * 64))
    watched.look(AFTER)
    assert watched.incident("report_late", NEXT).facts["head"] == f"7:{'a' * 64}"


def test_a_date_that_was_published_in_time_is_not_late(watched: Watched, clock: Clock) -> None:
    published_at(watched, clock, NEXT, at(NEXT, 5, 20))
    watched.look(AFTER)
    assert watched.keys() == []


def test_publication_ends_lateness(watched: Watched, clock: Clock) -> None:
    watched.look(AFTER)
    published_at(watched, clock, NEXT, at(NEXT, 9))
    watched.look(at(NEXT, 9, 1))
    incident = watched.incident("report_late", NEXT)
    assert (incident.resolved_at, incident.facts["version"]) == (at(NEXT, 9), 1)
    watched.look(at(NEXT + timedelta(days=1), 6))
    assert watched.open() == []
    assert watched.keys() == [f"{NEXT}/report_late"]


def test_a_date_that_came_too_late_while_nobody_looked_has_its_one_incident(
    watched: Watched, clock: Clock
) -> None:
    published_at(watched, clock, NEXT, at(NEXT, 15))
    watched.look(at(NEXT + timedelta(days=1), 6))
    incident = watched.incident("report_late", NEXT)
    assert (incident.opened_at, incident.resolved_at) == (at(NEXT, 7), at(NEXT, 15))
    late = {state for kind, state, _ in watched.queued() if kind == "report_late"}
    assert late == {"open", "resolved"}


def test_dates_that_nobody_asked_for_are_not_missing(house: House) -> None:
    """Before the first publication, and around a report of long ago that somebody tried the software with."""
    watched = Watched(house)
    watched.look(AFTER)
    publish(house.history, DAY - timedelta(days=100))
    watched.look(AFTER + timedelta(days=1))
    assert watched.keys() == []


def test_a_backfill_of_old_dates_makes_no_gap_a_fault(watched: Watched, clock: Clock) -> None:
    published_at(watched, clock, NEXT, at(NEXT, 5, 20))
    for n in range(20, 10, -1):
        published_at(watched, clock, DAY - timedelta(days=n), at(NEXT, 5, 30) + n * MINUTE)
    watched.look(at(NEXT, 8))
    assert watched.keys() == []


def test_a_schedule_that_is_on_makes_its_first_report_due(tmp_path: Path) -> None:
    with house_on_disk(tmp_path) as there:
        watched = Watched(there)
        there.settings = there.settings.model_copy(update={"first_date": DAY})
        switch_on(there.instance, at(DAY, 4))
        watched.look(at(DAY, 4, 1))
        watched.look(at(DAY, 7, 1))
        assert watched.open() == [f"{DAY}/report_late"]
        assert watched.incident("report_late", DAY).facts["tries_again"] == 1


def test_a_schedule_that_was_set_up_after_the_deadline_owes_nothing_that_day(tmp_path: Path) -> None:
    with house_on_disk(tmp_path) as there:
        watched = Watched(there)
        switch_on(there.instance, at(DAY, 9))
        watched.look(at(DAY, 9, 1))
        assert watched.open() == []
        watched.look(at(NEXT, 7, 1))
        assert watched.open() == [f"{NEXT}/report_late"]


def test_the_deadline_keeps_its_wall_clock_over_both_changes_of_the_clock() -> None:
    hours = {
        day: deadline_of(day, time(7)).hour
        for day in (date(2026, 3, 7), date(2026, 3, 8), date(2026, 10, 31), date(2026, 11, 1))
    }
    assert hours == {
        date(2026, 3, 7): 13,
        date(2026, 3, 8): 12,
        date(2026, 10, 31): 12,
        date(2026, 11, 1): 13,
    }


def test_a_failing_date_that_gets_late_stays_one_incident(watched: Watched) -> None:
    house = watched.house
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "dagster._core.storage.runs.sql_run_storage.get_current_datetime", lambda: at(NEXT, 5, 10)
        )
        for _ in range(2):
            house.instance.report_run_failed(started(house, day=NEXT))
    watched.look(at(NEXT, 5, 11))
    watched.look(AFTER)
    assert watched.keys() == [f"{NEXT}/run_failed/Unexpected"]
    assert set(watched.incident("run_failed", NEXT, "Unexpected").unwell) == {"run_failed", "report_late"}


def test_a_date_that_was_tried_too_often_is_given_up_and_gets_worse_once(tmp_path: Path) -> None:
    with house_on_disk(tmp_path) as house:
        watched = Watched(house)
        house.settings = house.settings.model_copy(update={"max_date_attempts": 2})
        today = datetime.now(UTC)
        day = central_date(today)
        switch_on(house.instance, today - timedelta(days=9))
        for n in range(2):
            watched.look()
            assert watched.outbox.open_incidents() == [] or n
            house.instance.report_run_failed(started(house, {SCHEDULED_TAG: "a tick"}, day=day))
        for _ in range(2):
            watched.look()
        incident = watched.incident("run_failed", day, "Unexpected")
        assert "date_given_up" in incident.unwell
        assert (incident.facts["attempts"], incident.facts["max_attempts"]) == (2, 2)
        assert incident.facts["tries_again"] == 0
        worse = [one for one in watched.queued(State.WORSE) if one[2] == "pagerduty developers"]
        assert len(worse) == 1


def test_a_date_that_is_too_old_to_be_made_up_for_is_given_up(watched: Watched) -> None:
    days = watched.house.settings.catchup_days
    watched.look(AFTER)
    watched.look(AFTER + timedelta(days=days))
    assert "date_given_up" not in watched.incident("report_late", NEXT).unwell
    watched.look(AFTER + timedelta(days=days + 1))
    assert "date_given_up" in watched.incident("report_late", NEXT).unwell
    told = [one for one in watched.queued() if one[2] == "pagerduty developers" and one[0] == "report_late"]
    assert [state for _, state, _ in told].count("worse") == 1


def test_of_dates_that_are_too_old_when_somebody_looks_again_each_is_told_once(watched: Watched) -> None:
    watched.look(AFTER + timedelta(days=8))
    late = [NEXT + timedelta(days=n) for n in range(9)]
    assert sorted(i.date for i in watched.outbox.open_incidents() if i.date) == late
    assert watched.queued(State.WORSE) == []
    assert watched.incident("date_given_up", NEXT).severity is Severity.ERROR
