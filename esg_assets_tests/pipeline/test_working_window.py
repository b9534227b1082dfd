"""The job archive_working_data over real stores: by itself, never beside a run, and told."""

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.core.record_ports import Window
from esg_assets.core.retention import Closed, Outcome
from esg_assets.lifecycle import LifecycleStores
from esg_assets.stale_runs import lease_name, sweep
from esg_assets.working_window import ARCHIVE, close_windows
from esg_assets_tests.pipeline.house import DAY, NEXT, House, accounts


def archived(house: House) -> dg.ExecuteInProcessResult:
    """One run of the job; the window ends at once."""
    house.overrides["settings"] = house.settings.model_copy(update={"working_days": 0})
    job = house.defs().resolve_job_def(ARCHIVE)
    return job.execute_in_process(instance=house.instance, raise_on_error=False)


def work_files(house: House) -> list[str]:
    work = house.home / "work"
    return sorted(str(p.relative_to(work)) for p in work.rglob("*") if p.is_file() and p.name != "store_id")


def two_days(house: House) -> None:
    house.source.past = {DAY - dt.timedelta(days=1): accounts(12), DAY: accounts(12)}
    house.run(DAY)
    house.run(NEXT)


def test_the_job_gives_away_what_is_older_than_the_window(house: House) -> None:
    two_days(house)
    assert work_files(house)
    assert archived(house).success
    assert work_files(house) == []
    assert house.entries() == 6
    assert len(house.report(DAY)) == 12
    (run,) = house.instance.get_runs(dg.RunsFilter(job_name=ARCHIVE))
    assert run.status is dg.DagsterRunStatus.SUCCESS


def test_a_date_that_a_run_works_on_waits_and_the_others_do_not(house: House) -> None:
    two_days(house)
    with house.leases.hold(lease_name(DAY), "a run"):
        assert archived(house).success
    assert {name.split("/")[1] for name in work_files(house) if name.startswith("parts/")} == {str(DAY)}
    assert archived(house).success
    assert work_files(house) == []


def test_damage_to_one_date_is_told_and_the_others_are_archived(house: House) -> None:
    two_days(house)
    part = next((house.home / "work" / "parts" / str(DAY)).rglob("0000*1"))
    part.write_bytes(part.read_bytes()[:-1])
    result = archived(house)
    assert not result.success
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    told = failed.step_failure_data.user_failure_data
    assert told is not None
    assert "1 of 2 dates could not be archived" in (told.description or "")
    assert f"{DAY}: A sealed object does not open" in (told.description or "")
    assert not [name for name in work_files(house) if str(NEXT) in name]


def test_the_next_run_of_a_date_does_not_take_the_archiving_run_for_dead(house: House) -> None:
    two_days(house)
    seen: list[str] = []

    class Watched(Window):
        def dates(self) -> list[dt.date]:
            return [DAY, NEXT]

        def close(self, date: dt.date) -> Closed:
            seen.extend(sweep(house.instance, house.leases, by="the sensor"))
            return LifecycleStores(house.settings).window.close(date)

    house.overrides["working_window"] = Watched()
    assert archived(house).success
    assert seen == []
    assert house.run(DAY).success
    (run,) = house.instance.get_runs(dg.RunsFilter(job_name=ARCHIVE))
    assert run.status is dg.DagsterRunStatus.SUCCESS


def test_what_is_unexpected_is_told_without_its_text(house: House) -> None:
    class Broken(Window):
        def dates(self) -> list[dt.date]:
            return [DAY]

        def close(self, date: dt.date) -> Closed:
            raise KeyError("ACC-00001")

    (turn,) = close_windows(Broken(), house.leases, "test", [DAY])
    assert "an unexpected KeyError" in turn.fault
    assert "ACC" not in str(turn)


def test_what_is_within_the_window_is_told_with_its_end(house: House, tmp_path: Path) -> None:
    house.run(DAY)
    (turn,) = close_windows(LifecycleStores(house.settings).window, house.leases, "test", [DAY])
    assert turn.closed is not None
    assert turn.closed.outcome is Outcome.KEPT
    published = house.published(DAY)
    assert published is not None
    assert turn.closed.until == published.recorded_at + dt.timedelta(days=35)
    assert "version 1: open to this host until" in str(turn)


def test_missing_keys_fail_the_run_and_not_the_loading(house: House) -> None:
    house.overrides["settings"] = house.settings.model_copy(update={"report_recipients": ()})
    job = house.defs().resolve_job_def(ARCHIVE)
    with pytest.raises(dg.DagsterError) as told:
        job.execute_in_process(instance=house.instance)
    assert "ESG_REPORT_RECIPIENTS is not set" in str(told.value.__cause__)
