"""The schedule by what instance and history know, and in Dagster's own scheduler loop on odd days."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._core.test_utils import freeze_time  # private: the clock of Dagster's own scheduler tests
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs

from esg_assets import cli_runs, composition
from esg_assets.core.central_time import CENTRAL
from esg_assets.core.errors import SourceUnavailable
from esg_assets.core.history import PublishedReport
from esg_assets.core.ports import History
from esg_assets.core.ratings import Reply, Status
from esg_assets.jobs import NIGHTLY
from esg_assets.schedules import SCHEDULED_TAG, nightly_schedule
from esg_assets.settings import load_settings
from esg_assets.stale_runs import PARTITION_TAG
from esg_assets_tests.pipeline.house import DAY, NEXT, House, accounts, house_on_disk, instance_of
from esg_assets_tests.pipeline.served import workspace_of

FIVE = {"hour": 5, "minute": 0}
SCHEDULED = {SCHEDULED_TAG: "an earlier tick"}


def at(day: date, hour: int = 5, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CENTRAL)


def publish(history: History, day: date) -> None:
    """As if the date had been published."""
    counts = {Status.SUCCESS: 1, Status.NOT_RATED: 0, Status.FAILED: 0}
    as_of = day - timedelta(days=1)
    published = PublishedReport(
        report_date=day,
        version=1,
        sequence=day.toordinal(),
        head_sha256=f"{day.toordinal():064x}",
        run_id="a run",
        counts=counts,
        as_of=as_of,
        accounts_as_of=as_of.isoformat(),
    )
    history.record_publication(published, {"accounts": 1.0})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """On a disk: a schedule's context wants an instance that can be opened again."""
    with house_on_disk(tmp_path) as house:
        yield house


def tick(house: House, day: date, **settings: Any) -> ScheduleExecutionData:
    """What the tick at 05:00 gives."""
    schedule = nightly_schedule(house.settings.model_copy(update=settings))
    with dg.build_schedule_context(
        instance=house.instance,
        scheduled_execution_time=at(day),
        resources={"history": house.history},
        repository_def=house.defs().get_repository_def(),
    ) as context:
        return schedule.evaluate_tick(context)


def wanted(house: House, day: date, **settings: Any) -> list[str]:
    """The dates that a tick at 05:00 asks for; the reasons of a skip if it asks for none."""
    found = tick(house, day, **settings)
    return [request.tags[PARTITION_TAG] for request in found.run_requests or []] or [str(found.skip_message)]


def under_way(house: House, day: date, status: dg.DagsterRunStatus) -> None:
    job = house.defs().resolve_job_def(NIGHTLY)
    house.instance.create_run_for_job(
        job,
        status=status,
        tags={PARTITION_TAG: day.isoformat()},
        remote_job_origin=cli_runs._origin(),
    )


def test_on_the_first_morning_only_the_day_itself_is_asked_for(house: House) -> None:
    assert wanted(house, DAY) == ["2026-01-15"]


def test_a_published_day_is_not_asked_for_again(house: House) -> None:
    assert house.run(DAY).success
    assert wanted(house, DAY) == ["2026-01-15: published"]


def test_a_report_without_its_summary_is_asked_for_again(house: House) -> None:
    house.run(DAY, only=["active_accounts", "esg_ratings", "encrypted_report_csv"])
    assert wanted(house, DAY) == ["2026-01-15"]
    house.answers()
    assert house.run(DAY).success
    assert house.asked == []


def test_a_day_under_way_is_left_alone(house: House) -> None:
    for n, status in enumerate(["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"]):
        day = DAY + timedelta(days=n)
        under_way(house, day, dg.DagsterRunStatus[status])
        assert wanted(house, day) == [f"{day}: under way"]


def test_a_day_that_failed_for_a_passing_reason_is_tried_again(house: House) -> None:
    house.source.error = SourceUnavailable("The account system does not answer.")
    house.run(DAY, tags=SCHEDULED)
    assert wanted(house, DAY) == ["2026-01-15"]


def test_a_blocked_day_is_tried_again_because_it_asks_again_for_what_is_open(house: House) -> None:
    house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(9)})
    assert "Nothing was published" in house.run(DAY, tags=SCHEDULED).failure
    assert wanted(house, DAY) == ["2026-01-15"]


def test_a_day_that_a_repeat_cannot_mend_waits_for_somebody(house: House) -> None:
    house.source.past = None
    house.run(DAY, tags=SCHEDULED)
    (reason,) = wanted(house, DAY)
    assert "ended with an error that a repeat cannot mend" in reason
    house.run(DAY, config={"active_accounts": {"current_accounts": True}}, only=["active_accounts"])
    assert wanted(house, DAY) == ["2026-01-15"]


def test_a_day_is_given_up_after_so_many_runs_of_the_schedule(house: House) -> None:
    house.answers({"ACC-00000": [OSError("broken")]})
    for _ in range(2):
        house.run(DAY, tags=SCHEDULED)
    assert wanted(house, DAY, max_date_attempts=3) == ["2026-01-15"]
    assert wanted(house, DAY, max_date_attempts=2) == [
        "2026-01-15: given up after 2 runs (ESG_MAX_DATE_ATTEMPTS)"
    ]


def test_runs_by_hand_and_runs_that_yielded_do_not_count_as_attempts(house: House) -> None:
    house.answers({"ACC-00000": [OSError("broken")]})
    house.run(DAY)
    yielded = house.run(DAY, tags=SCHEDULED)
    house.instance.add_run_tags(yielded.run.run_id, {"esg/yielded": "true"})
    assert wanted(house, DAY, max_date_attempts=1) == ["2026-01-15"]


def test_a_run_that_is_executed_again_does_not_inherit_what_became_of_its_parent(house: House) -> None:
    house.source.error = SourceUnavailable("The account system does not answer.")
    ran = house.run(DAY, tags={"esg/permanent": "true", "esg/yielded": "true", "esg/released_at": "1"})
    assert (ran.run.tags["esg/permanent"], ran.run.tags["esg/yielded"]) == ("", "")
    assert wanted(house, DAY) == ["2026-01-15"]


def test_a_day_that_a_lagging_store_stopped_is_taken_up_again_when_the_loss_is_accepted(house: House) -> None:
    assert house.run(DAY).success
    (house.home / "store" / "chain" / "0000000002").unlink()
    house.source.past = {DAY: accounts(12)}
    for _ in range(2):
        assert "ends at entry 1, and entry 2 is remembered" in house.run(NEXT, tags=SCHEDULED).failure
    # Its entries may come back by themselves, so it is tried as often as any other day, and then given up.
    assert wanted(house, NEXT, max_date_attempts=3) == ["2026-01-16"]
    given_up = ["2026-01-16: given up after 2 runs (ESG_MAX_DATE_ATTEMPTS); 2026-01-15: published"]
    assert wanted(house, NEXT, max_date_attempts=2) == given_up
    house.stores.accept_restore(requested_by="jane", reason="the bucket was restored")
    assert wanted(house, NEXT, max_date_attempts=2) == ["2026-01-16"]
    assert house.run(NEXT, tags=SCHEDULED).success
    assert wanted(house, NEXT)[0].startswith("2026-01-16: published")


def test_missed_days_since_the_first_publication_are_made_up_for_after_today(house: House) -> None:
    house.run(DAY)
    assert wanted(house, DAY + timedelta(days=3)) == ["2026-01-18", "2026-01-16", "2026-01-17"]
    assert wanted(house, DAY + timedelta(days=9)) == ["2026-01-24", "2026-01-21", "2026-01-22", "2026-01-23"]
    assert wanted(house, NEXT, catchup_days=0) == ["2026-01-16"]


def test_a_request_names_its_partition_and_why(house: House) -> None:
    house.run(DAY)
    today, missed = tick(house, DAY + timedelta(days=2)).run_requests or []
    assert today.tags["dagster/partition"] == "2026-01-17"
    assert today.tags[SCHEDULED_TAG] == "2026-01-17T05:00:00-06:00"
    assert "esg/catchup" not in today.tags
    assert missed.tags["dagster/partition"] == "2026-01-16"
    assert missed.tags["esg/catchup"] == "true"
    assert today.run_key != missed.run_key


# --- Dagster's own loop ---------------------------------------------------------------------------


@dataclass
class Daemon:
    """The scheduler's loop over the definitions, at moments that a test says; nothing is ever switched on."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    history: History
    _times: dict[str, ScheduleIterationTimes] = field(default_factory=dict)

    def looks(self, moment: datetime) -> list[str]:
        """One iteration; the dates it asked for, sorted."""
        moment = moment.astimezone(UTC)
        before = {run.run_id for run in self.instance.get_runs()}
        with freeze_time(moment):
            for error in launch_scheduled_runs(
                self.workspace, logging.getLogger("daemon"), moment, self._times
            ):
                assert error is None, error
        return sorted(
            run.tags["dagster/partition"]
            for run in self.instance.get_runs(dg.RunsFilter(job_name="nightly_esg_report"))
            if run.run_id not in before
        )

    def restarts(self) -> None:
        """The process is a new one: what it held in memory is gone."""
        self._times = {}


@contextmanager
def daemon_in(home: Path) -> Iterator[Daemon]:
    with instance_of(home) as instance, workspace_of(instance) as workspace:
        yield Daemon(instance, workspace, composition.history(load_settings(dotenv=None)))


@pytest.fixture
def daemon(esg_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setenv("ESG_FIRST_DATE", "2024-01-01")
    with daemon_in(esg_home) as made:
        yield made


def test_a_daemon_that_nobody_touched_asks_for_the_day_at_five_central(daemon: Daemon) -> None:
    for day, utc_hour in {
        date(2024, 1, 17): 11,
        date(2024, 3, 9): 11,
        date(2024, 3, 10): 10,  # the night with 23 hours
        date(2024, 7, 4): 10,
        date(2024, 11, 2): 10,
        date(2024, 11, 3): 11,  # the night with 25 hours
    }.items():
        five = at(day)
        assert five.astimezone(UTC).hour == utc_hour
        daemon.looks(five - timedelta(hours=3))  # the last tick of the evening before is seen late
        assert daemon.looks(five - timedelta(seconds=1)) == []
        assert daemon.looks(five + timedelta(seconds=1)) == [day.isoformat()]
        run = daemon.instance.get_runs(limit=1)[0]
        assert (run.job_name, run.status) == (NIGHTLY, dg.DagsterRunStatus.QUEUED)
        assert datetime.fromisoformat(run.tags[SCHEDULED_TAG]) == five
        assert daemon.looks(five + timedelta(minutes=31)) == []  # it is under way


def test_two_days_over_a_change_of_the_clock_are_asked_for_once_each(daemon: Daemon) -> None:
    daemon.looks(at(date(2024, 11, 1), 23, 59))
    asked: list[str] = []
    for hours in range(0, 48, 2):
        found = daemon.looks(at(date(2024, 11, 2), 0, 1) + timedelta(hours=hours))
        for day in found:
            publish(daemon.history, date.fromisoformat(day))
        asked += found
    assert asked == ["2024-11-02", "2024-11-03"]


def test_days_missed_while_the_daemon_was_down_are_made_up_for_once(daemon: Daemon) -> None:
    day = date(2024, 10, 29)
    daemon.looks(at(day, 4, 59))
    assert daemon.looks(at(day, 5, 1)) == ["2024-10-29"]
    publish(daemon.history, day)
    daemon.restarts()
    assert daemon.looks(at(date(2024, 11, 1), 9, 1)) == ["2024-10-30", "2024-10-31", "2024-11-01"]
    assert daemon.looks(at(date(2024, 11, 1), 9, 31)) == []


def test_after_half_past_eleven_at_night_nothing_is_asked_for(daemon: Daemon) -> None:
    daemon.looks(at(date(2024, 1, 17), 23, 31))
    assert daemon.looks(at(date(2024, 1, 18), 4, 59)) == []
