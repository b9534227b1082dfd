"""Detection of what runs say, each through a real run of Dagster: how it ended, and what its checks found."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import JobFailureData, RunFailureReason

from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.errors import SourceUnavailable
from esg_assets.detection import runs
from esg_assets.failures import ERROR_TAG
from esg_assets.schedules import CATCH_UP_TAG
from esg_assets.stale_runs import COMMAND_LINE_TAG, sweep
from esg_assets.working_window import ARCHIVE
from esg_assets_tests.pipeline.house import DAY, NEXT, House
from esg_assets_tests.pipeline.watched import Watched, started

NOT_THERE = SourceUnavailable("Reading the accounts: the account system does not answer.")


@pytest.fixture
def watched(house: House) -> Watched:
    house.source.past = {DAY + timedelta(days=n): house.source.rows for n in range(-2, 3)}
    return Watched(house)


def failed(house: House, day: date, error: str = "KeysUnavailable") -> None:
    """A run that has ended with an error of ours."""
    house.instance.report_run_failed(started(house, {ERROR_TAG: error}, day=day))


def test_a_failed_run_is_an_incident_of_its_date_and_cause_and_a_good_run_ends_it(watched: Watched) -> None:
    watched.house.source.error = NOT_THERE
    failed = watched.house.run().run
    watched.look()
    incident = watched.incident("run_failed", DAY, "SourceUnavailable")
    assert (incident.severity, incident.run_id) == (Severity.ERROR, failed.run_id)
    assert incident.facts["error"] == "SourceUnavailable"
    assert incident.facts["note"] == str(NOT_THERE)
    assert (incident.facts["published"], incident.facts["attempts"]) == (0, 0)
    watched.house.source.error = None
    assert watched.house.run().success
    watched.look()
    assert watched.open() == []
    ended = watched.incident("run_failed", DAY, "SourceUnavailable")
    assert ended.resolved_at is not None
    assert (ended.facts["published"], ended.facts["version"]) == (1, 1)


def test_looking_twice_changes_nothing(watched: Watched) -> None:
    failed(watched.house, DAY)
    watched.look()
    assert watched.look().changed == ()


def test_a_publication_is_nothing_unwell(watched: Watched) -> None:
    assert watched.house.run().success
    found = watched.look()
    assert [incident.kind.name for incident in found.changed] == ["report_published", "report_ready"]
    assert found.unwell == 0


def test_two_runs_that_fail_between_two_looks_are_both_seen(watched: Watched) -> None:
    watched.look()
    for day in (DAY, DAY, NEXT):
        failed(watched.house, day)
    watched.look()
    assert watched.keys() == [f"{DAY}/run_failed/KeysUnavailable", f"{NEXT}/run_failed/KeysUnavailable"]
    assert watched.incident("run_failed", DAY, "KeysUnavailable").occurrences == 2


def test_the_next_nights_good_run_ends_the_causes_of_earlier_ones(watched: Watched) -> None:
    failed(watched.house, DAY)
    watched.look()
    watched.house.run(NEXT)
    watched.look()
    assert watched.open() == []
    assert watched.keys() == [f"{DAY}/run_failed/KeysUnavailable"]


def test_a_run_of_some_assets_is_no_sign_that_the_date_is_well(watched: Watched) -> None:
    watched.house.answers({"ACC-00000": [OSError("broken")]})
    watched.house.run()
    watched.house.answers()
    watched.house.run(only=["active_accounts"])
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/OSError"]
    watched.house.run()
    watched.look()
    assert watched.open() == []


def test_an_error_of_unknown_kind_shows_none_of_its_text(watched: Watched) -> None:
    watched.house.answers({"ACC-00003": [OSError("ACC-00003 of Müller")]})
    watched.house.run()
    watched.look()
    facts = watched.incident("run_failed", DAY, "OSError").facts
    assert "An unexpected OSError" in str(facts["note"])
    assert "ACC-" not in str(facts)


def test_a_run_of_any_job_counts_and_one_without_a_date_warns_and_ends_with_its_job(watched: Watched) -> None:
    house = watched.house
    for _ in range(2):
        house.instance.report_run_failed(started(house, job=ARCHIVE, day=None))
    watched.look()
    assert watched.open() == [f"-/run_failed/{ARCHIVE}"]
    incident = watched.incident("run_failed", None, ARCHIVE)
    assert (incident.occurrences, incident.severity) == (2, Severity.WARN)
    done = started(house, job=ARCHIVE, day=None)
    house.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.PIPELINE_SUCCESS.value, ARCHIVE), run_id=done.run_id
    )
    watched.look()
    assert watched.open() == []


def test_a_backfills_run_of_all_assets_counts_though_it_is_of_dagsters_own_job(watched: Watched) -> None:
    watched.house.source.error = NOT_THERE
    job, instance = watched.house.defs().resolve_implicit_global_asset_job_def(), watched.house.instance
    result = job.execute_in_process(instance=instance, partition_key=str(DAY), raise_on_error=False)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.job_name == "__ASSET_JOB"
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/SourceUnavailable"]


def test_a_run_over_a_range_of_dates_is_one_incident_of_its_first(watched: Watched) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-01-15",
        "dagster/asset_partition_range_end": "2026-02-20",
    }
    watched.house.instance.report_run_failed(started(watched.house, tags, day=None))
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/Unexpected"]
    note = watched.incident("run_failed", DAY, "Unexpected").facts["note"]
    assert note == "A run of all dates from 2026-01-15 to 2026-02-20."


def test_a_setting_that_a_resource_refuses_is_named(watched: Watched) -> None:
    house = watched.house
    house.overrides["rules"] = None
    house.run(DAY, api_url=None)
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/SettingsWrong"]


def test_a_run_whose_process_is_gone_was_killed(watched: Watched) -> None:
    house = watched.house
    run = started(house)
    with house.leases.hold(f"partition/{DAY}", run.run_id):
        pass
    assert sweep(house.instance, house.leases, "a test") == [run.run_id]
    watched.look()
    assert watched.open() == [f"{DAY}/run_killed"]
    house.run()
    watched.look()
    assert watched.open() == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Detected run worker status UNKNOWN. Marking run as failed.", None),
        ("", RunFailureReason.RUN_WORKER_RESTART),
        ("Execution was interrupted unexpectedly.", RunFailureReason.UNEXPECTED_TERMINATION),
    ],
)
def test_a_worker_that_died_was_killed(
    watched: Watched, message: str, reason: RunFailureReason | None
) -> None:
    data = None if reason is None else JobFailureData(error=None, failure_reason=reason)
    watched.house.instance.report_run_failed(started(watched.house), message or None, data)
    watched.look()
    assert watched.open() == [f"{DAY}/run_killed"]


def test_a_run_that_took_too_long_timed_out_however_dagster_ended_it(watched: Watched) -> None:
    instance = watched.house.instance
    message = "Canceling due to exceeding maximum runtime of 43200 seconds."
    canceled, marked = started(watched.house), started(watched.house, day=NEXT)
    instance.report_run_canceling(canceled, message=message)
    instance.report_run_canceled(canceled)
    instance.report_run_failed(marked, "Exceeded maximum runtime of 43200 seconds.")
    watched.look()
    assert watched.open() == [f"{DAY}/run_timed_out", f"{NEXT}/run_timed_out"]


def test_a_run_that_never_started_timed_out(watched: Watched) -> None:
    data = JobFailureData(error=None, failure_reason=RunFailureReason.START_TIMEOUT)
    watched.house.instance.report_run_failed(started(watched.house), "Run timed out due to …", data)
    watched.look()
    assert watched.open() == [f"{DAY}/run_timed_out"]


def test_a_run_that_a_person_cancelled_or_that_gave_way_is_no_alert(watched: Watched) -> None:
    house = watched.house
    ended, broken, command, gave_way = (
        started(house),
        started(house),
        started(house, {COMMAND_LINE_TAG: "true"}),
        started(house, {"esg/yielded": "true"}),
    )
    house.instance.report_run_canceling(ended)
    house.instance.report_run_canceled(ended)
    house.instance.report_run_canceling(broken, "Sending run termination request.")
    house.instance.report_run_failed(broken)
    interrupted = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
    house.instance.report_run_failed(command, "Execution was interrupted unexpectedly.", interrupted)
    house.instance.report_run_canceling(gave_way, "This run gives way to today's report")
    house.instance.report_run_canceled(gave_way)
    assert watched.look().runs == 4
    assert watched.keys() == []


def test_a_promised_retry_holds_no_alert_back(watched: Watched) -> None:
    run = started(watched.house, {"dagster/will_retry": "true", "dagster/max_retries": "2"})
    watched.house.instance.report_run_failed(run)
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/Unexpected"]


def test_a_run_that_came_in_anothers_way_warns_only(watched: Watched) -> None:
    failed(watched.house, DAY, "LeaseBusy")
    watched.look()
    assert watched.incident("run_failed", DAY, "LeaseBusy").severity is Severity.WARN


def test_the_first_look_tells_no_old_news(watched: Watched) -> None:
    watched.house.instance.report_run_failed(started(watched.house))
    watched.look(datetime.now(UTC) + timedelta(days=3))
    assert watched.keys() == []


def test_what_happened_while_nobody_looked_is_seen_later(watched: Watched) -> None:
    watched.look()
    watched.house.instance.report_run_failed(started(watched.house))
    watched.look(datetime.now(UTC) + timedelta(days=10))
    assert watched.open() == [f"{DAY}/run_failed/Unexpected"]


def test_more_runs_than_one_look_takes_are_seen_by_the_next_ones(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST", 3)
    watched.look()
    for n in range(8):
        watched.house.instance.report_run_failed(started(watched.house, day=DAY + timedelta(days=n)))
    counts = []
    for _ in range(5):
        watched.look()
        counts.append(len(watched.keys()))
    assert (counts[0], counts[-1]) == (3, 8)


def test_a_run_that_cannot_be_read_hides_no_other_and_is_told_all_the_same(watched: Watched) -> None:
    house = watched.house
    broken = started(house, day=NEXT)
    house.instance.report_run_failed(broken)
    house.instance.report_run_failed(started(house))
    read = house.instance.get_records_for_run

    def refuse(run_id: str, *args: object, **kwargs: object) -> object:
        if run_id == broken.run_id:
            raise OSError("ACC-00001 cannot be read")
        return read(run_id, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.instance, "get_records_for_run", refuse)
        with pytest.raises(AssertionError, match=f"looking at run {broken.run_id}: an unexpected OSError at"):
            watched.look()
    assert watched.open() == [f"{NEXT}/run_failed/Unexpected", f"{DAY}/run_failed/Unexpected"]
    assert "ACC-" not in str(watched.outbox.incidents)


def test_a_catch_up_run_is_told_once_a_date_and_ends_with_the_publication(watched: Watched) -> None:
    watched.house.source.error = NOT_THERE
    for _ in range(2):
        watched.house.run(tags={CATCH_UP_TAG: "true"})
    watched.look()
    assert watched.open() == [f"{DAY}/catch_up"]
    assert set(watched.incident("catch_up", DAY).unwell) == {"catch_up", "run_failed"}
    watched.house.source.error = None
    watched.house.run(tags={CATCH_UP_TAG: "true"})
    watched.look()
    assert watched.open() == []
    assert len(watched.keys()) == 1
