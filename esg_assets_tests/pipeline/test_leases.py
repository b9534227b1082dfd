"""One run for a date, one run at the provider, and runs whose process is gone: nobody waits for them."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from esg_assets import cli_runs, run_lease, stale_runs
from esg_assets.adapters.leases import FileLeases
from esg_assets.jobs import NIGHTLY
from esg_assets.sensors import stale_runs_sensor
from esg_assets.stale_runs import PARTITION_TAG, lease_name
from esg_assets_tests.fakes import FakeRatingsApi
from esg_assets_tests.pipeline.house import DAY, NEXT, QUICK, House, Ran, house_on_disk

GONE = "The process of this run is gone"


class Gate:
    """Stops calls to the provider until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, account_id: str) -> None:
        self.reached.set()
        assert self.open.wait(60)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(run_lease, "SWEEP_SECONDS", 0.2)
    with house_on_disk(tmp_path) as made:
        made.overrides["leases"] = FileLeases(made.home / "leases")
        yield made


@contextlib.contextmanager
def in_the_middle(house: House, day: date) -> Iterator[Future[Ran]]:
    """A run of the date in another thread that is at the provider; it goes on at the end of the block."""
    gate = Gate()
    house.api = FakeRatingsApi(policy=QUICK, during=gate)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(house.run, day)
        try:
            assert gate.reached.wait(60)
            yield running
        finally:
            gate.open.set()


def sensed(house: House) -> str:
    """What the sensor's tick says."""
    leases = house.overrides["leases"]
    with dg.build_sensor_context(instance=house.instance, resources={"leases": leases}) as context:
        return str(stale_runs_sensor.evaluate_tick(context).skip_message)


def left_behind(
    house: House, status: dg.DagsterRunStatus, day: date = DAY, *, leased: bool = False, seconds: float = 0.0
) -> str:
    """A run that is not finished and has no process; `leased` if it got as far as its lease."""
    job = house.defs().resolve_job_def(NIGHTLY)
    run = house.instance.create_run_for_job(
        job, status=status, tags={PARTITION_TAG: day.isoformat()}, remote_job_origin=cli_runs._origin()
    )
    if leased:
        with FileLeases(house.home / "leases").hold(lease_name(day), run.run_id):
            pass
    return run.run_id


def assert_reported(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert any(GONE in str(entry.dagster_event) for entry in instance.all_logs(run_id))


def test_of_two_runs_of_a_date_one_refuses_and_makes_no_call(house: House) -> None:
    with in_the_middle(house, DAY) as running:
        first = house.api
        house.answers()
        refused = house.run(DAY)
        assert house.asked == []
    assert running.result().success
    assert len(first.calls) == 12
    assert f"Another run is making the report of {DAY}" in refused.failure
    assert running.result().run.run_id in refused.failure
    assert "nothing of this run was done" in refused.failure
    assert "esg/permanent" not in refused.run.tags
    assert house.entries() == 2


def test_a_single_asset_of_a_date_in_work_is_refused_too(house: House) -> None:
    assert house.run(DAY).success
    gate = Gate()
    house.api = FakeRatingsApi(policy=QUICK, during=gate)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(house.run, DAY, config={"esg_ratings": {"refresh": "all"}})
        try:
            assert gate.reached.wait(60)
            for asset in ("encrypted_report_csv", "daily_summary"):
                assert "Another run is making the report" in house.run(DAY, only=[asset]).failure
        finally:
            gate.open.set()
    assert running.result().success


def test_runs_of_two_dates_take_turns_at_the_provider(house: House) -> None:
    with ThreadPoolExecutor(1) as pool:
        with in_the_middle(house, DAY) as running:
            house.answers()
            second = pool.submit(house.run, NEXT)
            waiting = dg.RunsFilter(tags={PARTITION_TAG: NEXT.isoformat(), run_lease.WAITING_TAG: "true"})
            while not house.instance.get_runs(waiting) and not second.done():
                time.sleep(0.02)
            assert house.asked == []
        assert running.result().success
        assert second.result().success
    assert len(house.asked) == 12


def test_a_run_in_the_middle_is_left_alone_by_the_sensor(house: House) -> None:
    with in_the_middle(house, DAY) as running:
        assert sensed(house) == "every unfinished run is alive"
    assert running.result().success


def test_a_run_that_has_just_let_go_and_is_about_to_end_is_not_called_dead(house: House) -> None:
    # Resources are torn down, and the lease with them, a moment before the run is marked as successful.
    ended = house.run(DAY)
    run_id = left_behind(house, dg.DagsterRunStatus.STARTED, leased=True)
    released = ended.run.tags[stale_runs.RELEASED_TAG]
    house.instance.add_run_tags(run_id, {stale_runs.RELEASED_TAG: released})
    assert sensed(house) == "every unfinished run is alive"
    house.answers()
    assert house.run(DAY).success
    run = house.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize("status", ["STARTING", "STARTED", "CANCELING"])
def test_a_run_whose_lease_is_free_is_reported_by_the_sensor(house: House, status: str) -> None:
    run_id = left_behind(house, dg.DagsterRunStatus[status], leased=True)
    assert sensed(house) == f"marked 1 runs as failed whose process is gone: {run_id}"
    assert sensed(house) == "every unfinished run is alive"
    assert_reported(house.instance, run_id)


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED"])
def test_a_run_that_died_before_it_had_a_lease_is_reported_after_a_while(
    house: House, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = left_behind(house, dg.DagsterRunStatus[status])
    assert sensed(house) == "every unfinished run is alive"
    monkeypatch.setattr(stale_runs, "LEASELESS_SECONDS", 0.0)
    assert run_id in sensed(house)
    assert_reported(house.instance, run_id)


def test_a_run_of_checks_alone_holds_no_lease_and_is_not_called_dead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale_runs, "LEASELESS_SECONDS", 0.0)
    job = house.defs().resolve_job_def(NIGHTLY)
    key = dg.AssetCheckKey(dg.AssetKey("encrypted_report_csv"), "report_still_verifies")
    checks_only = job.get_subset(asset_selection=set(), asset_check_selection={key})
    house.instance.create_run_for_job(
        checks_only,
        status=dg.DagsterRunStatus.STARTED,
        tags={PARTITION_TAG: DAY.isoformat()},
        asset_selection=frozenset(),
    )
    assert sensed(house) == "every unfinished run is alive"


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED"])
def test_a_commands_run_that_died_before_it_had_a_lease_is_reported_at_once(
    house: House, status: str
) -> None:
    run_id = left_behind(house, dg.DagsterRunStatus[status])
    house.instance.add_run_tags(run_id, {stale_runs.COMMAND_LINE_TAG: "true"})
    with FileLeases(house.home / "leases").hold(stale_runs.command_lease(DAY), run_id):
        assert sensed(house) == "every unfinished run is alive", "its command still holds the lease"
    assert run_id in sensed(house)
    assert_reported(house.instance, run_id)


def test_a_commands_run_that_died_in_its_very_last_moment_is_reported_at_once(house: House) -> None:
    run_id = left_behind(house, dg.DagsterRunStatus.STARTED, leased=True)
    released = {stale_runs.COMMAND_LINE_TAG: "true", stale_runs.RELEASED_TAG: str(time.time())}
    house.instance.add_run_tags(run_id, released)
    with FileLeases(house.home / "leases").hold(stale_runs.command_lease(DAY), run_id):
        assert sensed(house) == "every unfinished run is alive", "Dagster is about to mark its end"
    assert run_id in sensed(house)
    assert_reported(house.instance, run_id)
