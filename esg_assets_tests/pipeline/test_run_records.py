"""How runs went is recorded whatever became of them: published, unchanged, blocked, failed, stopped."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

import esg_assets
from esg_assets import run_reasons, run_records
from esg_assets.core.history import RunRecord
from esg_assets.core.ratings import Reply
from esg_assets.jobs import NIGHTLY
from esg_assets.run_effort import EFFORT_TAG
from esg_assets.run_records import record_ended_runs
from esg_assets.run_results import result_of
from esg_assets.sensors import run_records_sensor
from esg_assets.stale_runs import PARTITION_TAG
from esg_assets_tests.pipeline.house import DAY, House, house_on_disk

WHO = {run_reasons.REQUESTED_BY_TAG: "somebody"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_on_disk(tmp_path) as made:
        yield made


def recorded(house: House) -> list[RunRecord]:
    """Every record, after the runs that have ended were looked at."""
    record_ended_runs(house.instance, house.history, None)
    return house.history.runs_since(datetime(2026, 1, 1, tzinfo=UTC))


def left_by(house: House, tags: dict[str, str]) -> dg.DagsterRun:
    """A run that began and has no process any more."""
    job = house.defs().resolve_job_def(NIGHTLY)
    run = house.instance.create_run_for_job(job, tags=tags)
    house.instance.report_run_canceling(run)
    return run


def test_a_run_that_published_is_recorded_with_its_own_figures(house: House) -> None:
    before = datetime.now(UTC)
    house.answers(
        {"ACC-00003": [Reply(404)], "ACC-00007": [Reply(503), Reply(422)], "ACC-00009": [Reply(429)]}
    )
    ran = house.run(tags=WHO)
    (record,) = recorded(house)
    assert (record.run_id, record.report_date, record.status) == (ran.run.run_id, DAY, "published")
    assert record.version == 1
    assert (record.calls, record.retries, record.refusals) == (14, 2, 2)
    assert record.requested_by == "somebody"
    assert record.ended_at is not None
    assert before - timedelta(seconds=1) < record.started_at < record.ended_at < datetime.now(UTC)
    figures = dict(record.figures)
    assert {name: figures.pop(name) for name in ("accounts", "asked")} == {"accounts": 12, "asked": 12}
    counts = {"accounts.SUCCESS": 9, "accounts.NOT_RATED": 1, "accounts.FAILED": 2}
    assert {name: figures.pop(name) for name in counts} == counts
    assert figures.pop("report_bytes") == ran.metadata("encrypted_report_csv")["sealed_bytes"]
    received = figures.pop("received_bytes")
    assert isinstance(received, int)
    assert 9 * 100 < received < 12 * 1000
    assert figures.pop("python") == platform.python_version()
    assert figures.pop("dagster") == dg.__version__
    assert figures.pop("esg_assets") == esg_assets.__version__
    assert sorted(figures) == ["p50_seconds", "p90_seconds", "p99_seconds"]


def test_a_run_with_nothing_new_and_a_run_of_some_assets_are_unchanged(house: House) -> None:
    house.run()
    house.run()
    house.run(only=["active_accounts"])
    first, again, some = recorded(house)
    assert [record.status for record in (first, again, some)] == ["published", "unchanged", "unchanged"]
    assert (again.calls, again.version, again.figures["accounts.SUCCESS"]) == (0, None, 12)
    assert "report_bytes" not in again.figures
    assert (some.figures["accounts"], "accounts.SUCCESS" in some.figures) == (12, False)


def test_a_run_that_a_verdict_stopped_is_blocked(house: House) -> None:
    house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(7)})
    assert not house.run().success
    (record,) = recorded(house)
    assert (record.status, record.version, record.figures["error"]) == ("blocked", None, "ReportBlocked")
    assert (record.calls, record.figures["accounts.FAILED"]) == (19, 7)


def test_a_run_that_another_error_ended_is_failed_and_its_calls_count(house: House) -> None:
    house.answers(otherwise=lambda _account, _as_of: Reply(401))
    assert not house.run(tags=WHO).success
    (record,) = recorded(house)
    assert (record.status, record.figures["error"]) == ("failed", "AccessDenied")
    assert record.calls == 10
    assert record.requested_by == "somebody"
    assert "p99_seconds" in record.figures


def test_the_command_line_tells_the_calls_of_a_run_that_failed_while_it_asked(house: House) -> None:
    house.answers(otherwise=lambda _account, _as_of: Reply(401))
    result = result_of(house.instance, house.run().run, DAY, 1.0)
    assert (result.status, result.counts, result.calls, result.retries) == ("failed", {}, 10, 0)
    assert result.as_json()["calls"] == 10


def test_a_run_whose_resources_could_not_be_made_is_failed_without_figures(house: House) -> None:
    house.overrides["settings"] = house.settings.model_copy(update={"signing_key": None})
    assert not house.run(tags=WHO).success
    (record,) = recorded(house)
    assert (record.status, record.calls, record.figures) == ("failed", 0, {})
    assert record.requested_by == ""  # nobody has looked yet whether that text names an account


def test_a_run_that_was_ended_from_outside_is_stopped_and_one_that_died_failed(house: House) -> None:
    stopped = left_by(house, {PARTITION_TAG: DAY.isoformat()})
    house.instance.report_run_canceled(stopped)
    died = left_by(house, {PARTITION_TAG: DAY.isoformat()})
    house.instance.report_run_failed(died)
    assert {r.run_id: r.status for r in recorded(house)} == {stopped.run_id: "stopped", died.run_id: "failed"}


def test_tags_of_the_run_that_is_executed_again_say_nothing_of_the_new_one(house: House) -> None:
    parent = house.run()
    child = left_by(house, {**parent.run.tags, EFFORT_TAG: parent.run.tags[EFFORT_TAG]})
    house.instance.report_run_failed(child)
    made = {record.run_id: record for record in recorded(house)}
    assert made[parent.run.run_id].calls == 12
    assert (made[child.run_id].calls, made[child.run_id].figures) == (0, {})


@pytest.mark.parametrize("tag", ["", "{", "[1]", '{"run": 7, "calls": 3}', '"calls"'])
def test_a_tag_that_somebody_else_wrote_is_no_effort(house: House, tag: str) -> None:
    run = left_by(house, {PARTITION_TAG: DAY.isoformat(), EFFORT_TAG: tag})
    house.instance.report_run_failed(run)
    (record,) = recorded(house)
    assert record.calls == 0


def test_runs_that_go_on_and_runs_of_no_date_are_left_alone(house: House) -> None:
    left_by(house, {PARTITION_TAG: DAY.isoformat()})
    house.instance.report_run_failed(left_by(house, {}))
    assert recorded(house) == []


def test_the_sensor_records_each_run_once_and_goes_on_from_its_cursor(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_records, "MOST_AT_ONCE", 2)

    def tick(cursor: str | None) -> tuple[str | None, str | None]:
        with dg.build_sensor_context(
            instance=house.instance, cursor=cursor, resources={"history": house.history}
        ) as context:
            ticked = run_records_sensor.evaluate_tick(context)
        return ticked.skip_message, ticked.cursor

    assert tick(None) == ("every run that has ended is recorded", None)
    for _ in range(3):
        house.instance.report_run_failed(left_by(house, {PARTITION_TAG: DAY.isoformat()}))
    said, cursor = tick(None)
    assert said == "recorded 2 runs"
    said, cursor = tick(cursor)
    assert said == "recorded 1 run"
    assert tick(cursor)[0] == "every run that has ended is recorded"
    house.instance.report_run_failed(left_by(house, {PARTITION_TAG: DAY.isoformat()}))
    assert tick(cursor)[0] == "recorded 1 run"
    assert len(house.history.runs) == 4
