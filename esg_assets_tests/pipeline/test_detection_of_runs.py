"""Detection of what runs say, each through a real run of Dagster: how it ended, and what its checks found."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import JobFailureData, RunFailureReason

from esg_assets import cli_runs
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.errors import SourceUnavailable
from esg_assets.core.ratings import Reply
from esg_assets.detection import run_record, runs
from esg_assets.jobs import NIGHTLY
from esg_assets.schedules import CATCH_UP_TAG
from esg_assets.stale_runs import COMMAND_LINE_TAG, PARTITION_TAG, sweep
from esg_assets.working_window import ARCHIVE
from esg_assets_tests.pipeline.house import DAY, NEXT, House
from esg_assets_tests.pipeline.watched import Watched

NOT_THERE = SourceUnavailable("Reading the accounts: the account system does not answer.")


@pytest.fixture
def watched(house: House) -> Watched:
    house.source.past = {DAY + timedelta(days=n): house.source.rows for n in range(-2, 3)}
    return Watched(house)


def created(
    house: House, tags: Mapping[str, str] | None = None, *, job: str = NIGHTLY, day: date | None = DAY
) -> dg.DagsterRun:
    """A run that has started, and of which a test tells the rest."""
    return house.instance.create_run_for_job(
        house.defs().resolve_job_def(job),
        status=dg.DagsterRunStatus.STARTED,
        tags={**({} if day is None else {PARTITION_TAG: day.isoformat()}), **(tags or {})},
        remote_job_origin=cli_runs._origin(),
    )


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
    assert watched.incident("run_failed", DAY, "SourceUnavailable").resolved_at is not None


def test_looking_twice_changes_nothing(watched: Watched) -> None:
    watched.house.answers({"ACC-00000": [OSError("broken")]})
    watched.house.run()
    watched.look()
    before = (dict(watched.outbox.incidents), watched.queued())
    again = watched.look()
    assert again.changed == ()
    assert (dict(watched.outbox.incidents), watched.queued()) == before


def test_two_runs_that_fail_between_two_looks_are_both_seen(watched: Watched) -> None:
    watched.look()
    watched.house.source.error = NOT_THERE
    for _ in range(2):
        watched.house.run(DAY)
    watched.house.run(NEXT)
    watched.look()
    assert watched.keys() == [
        f"{DAY}/run_failed/SourceUnavailable",
        f"{NEXT}/run_failed/SourceUnavailable",
    ]
    assert watched.incident("run_failed", DAY, "SourceUnavailable").occurrences == 2


def test_the_next_nights_good_run_ends_the_causes_of_earlier_ones(watched: Watched) -> None:
    watched.house.source.error = NOT_THERE
    watched.house.run(DAY)
    watched.look()
    watched.house.source.error = None
    watched.house.run(NEXT)
    watched.look()
    assert watched.open() == []


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


def test_a_run_of_any_job_counts_and_one_without_a_date_ends_with_its_own_job(watched: Watched) -> None:
    house = watched.house
    for _ in range(2):
        house.instance.report_run_failed(created(house, job=ARCHIVE, day=None))
    watched.look()
    assert watched.open() == [f"-/run_failed/{ARCHIVE}"]
    assert watched.incident("run_failed", None, ARCHIVE).occurrences == 2
    house.run()
    watched.look()
    assert watched.open() == [f"-/run_failed/{ARCHIVE}"]
    done = created(house, job=ARCHIVE, day=None)
    house.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.PIPELINE_SUCCESS.value, ARCHIVE), run_id=done.run_id
    )
    watched.look()
    assert watched.open() == []


def test_a_backfills_run_of_all_assets_counts_though_it_is_of_dagsters_own_job(watched: Watched) -> None:
    watched.house.source.error = NOT_THERE
    job = watched.house.defs().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=watched.house.instance, partition_key=str(DAY), raise_on_error=False
    )
    run = watched.house.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.job_name == "__ASSET_JOB"
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/SourceUnavailable"]


def test_a_run_over_a_range_of_dates_is_one_incident_of_its_first(watched: Watched) -> None:
    tags = {
        "dagster/asset_partition_range_start": "2026-01-15",
        "dagster/asset_partition_range_end": "2026-02-20",
    }
    watched.house.instance.report_run_failed(created(watched.house, tags, day=None))
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
    run = created(house)
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
    watched.house.instance.report_run_failed(created(watched.house), message or None, data)
    watched.look()
    assert watched.open() == [f"{DAY}/run_killed"]


def test_a_run_that_took_too_long_timed_out_however_dagster_ended_it(watched: Watched) -> None:
    instance = watched.house.instance
    message = "Canceling due to exceeding maximum runtime of 43200 seconds."
    canceled, marked = created(watched.house), created(watched.house, day=NEXT)
    instance.report_run_canceling(canceled, message=message)
    instance.report_run_canceled(canceled)
    instance.report_run_failed(marked, "Exceeded maximum runtime of 43200 seconds.")
    watched.look()
    assert watched.open() == [f"{DAY}/run_timed_out", f"{NEXT}/run_timed_out"]


def test_a_run_that_never_started_timed_out(watched: Watched) -> None:
    data = JobFailureData(error=None, failure_reason=RunFailureReason.START_TIMEOUT)
    watched.house.instance.report_run_failed(created(watched.house), "Run timed out due to …", data)
    watched.look()
    assert watched.open() == [f"{DAY}/run_timed_out"]


def test_a_run_that_a_person_cancelled_or_that_gave_way_is_no_alert(watched: Watched) -> None:
    house = watched.house
    ended, broken, command, gave_way = (
        created(house),
        created(house),
        created(house, {COMMAND_LINE_TAG: "true"}),
        created(house, {"esg/yielded": "true"}),
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
    run = created(watched.house, {"dagster/will_retry": "true", "dagster/max_retries": "2"})
    watched.house.instance.report_run_failed(run)
    watched.look()
    assert watched.open() == [f"{DAY}/run_failed/Unexpected"]


def test_a_run_that_came_in_anothers_way_warns_only(watched: Watched) -> None:
    with watched.house.leases.hold(f"partition/{DAY}", "another run"):
        watched.house.run()
    watched.look()
    assert watched.incident("run_failed", DAY, "LeaseBusy").severity is Severity.WARN


# --- checks ---------------------------------------------------------------------------------------


def test_a_blocked_report_is_told_by_its_check_and_by_nothing_else(watched: Watched) -> None:
    watched.house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(9)})
    watched.house.run()
    watched.look()
    incident = watched.incident("failure_rate", DAY)
    assert watched.keys() == [f"{DAY}/failure_rate"]
    assert incident.severity is Severity.ERROR
    assert incident.facts["blocks_publication"] == 1
    assert (incident.facts["failed"], incident.facts["accounts"], incident.facts["share"]) == (9, 12, 0.75)
    assert incident.facts["reason.unavailable"] == 9
    assert incident.facts["limit"] == 0.5
    assert "9 of 12 accounts failed" in str(incident.facts["note"])
    watched.house.answers()
    watched.house.run()
    watched.look()
    assert watched.open() == []


def test_a_report_that_is_blocked_in_a_run_without_its_check_is_a_failed_run(watched: Watched) -> None:
    watched.house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(9)})
    watched.house.run(only=["active_accounts", "esg_ratings"])
    watched.house.run(only=["encrypted_report_csv"])
    watched.look()
    assert watched.keys() == [f"{DAY}/failure_rate", f"{DAY}/run_failed/ReportBlocked"]


def test_a_warning_is_a_warning_and_ends_with_the_next_good_night(watched: Watched) -> None:
    house = watched.house
    house.run(DAY)
    house.source.past = {DAY: [*house.source.rows, *house.source.rows[:0]][:10]}
    house.run(NEXT)
    watched.look()
    incident = watched.incident("account_count_plausible", NEXT)
    assert (incident.severity, incident.facts["blocks_publication"]) == (Severity.WARN, 0)
    assert incident.facts["share"] == pytest.approx(-0.1667)
    assert [queued for queued in watched.queued() if queued[0] == "account_count_plausible"] == [
        ("account_count_plausible", "open", "apprise developers"),
        ("account_count_plausible", "open", "email developers"),
        ("account_count_plausible", "open", "slack developers"),
    ]


def test_accounts_that_were_refused_are_told_by_their_check(watched: Watched) -> None:
    watched.house.source.rows = [*watched.house.source.rows, watched.house.source.rows[0]]
    watched.house.source.past = None
    watched.house.run(config={"active_accounts": {"current_accounts": True}})
    watched.look()
    assert watched.keys() == [f"{DAY}/accounts_complete_and_unique"]


def test_a_check_is_seen_while_its_run_goes_on(watched: Watched) -> None:
    """Dagster notes no change of a run when a check of it is evaluated."""
    run = created(watched.house)
    long_ago = datetime.now(UTC) + timedelta(hours=2)
    watched.look(long_ago)
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("esg_ratings"),
        check_name="failure_rate",
        passed=False,
        metadata={},
        severity=dg.AssetCheckSeverity.WARN,
        partition=str(DAY),
    )
    event = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, NIGHTLY, event_specific_data=evaluation
    )
    watched.house.instance.report_dagster_event(event, run_id=run.run_id)
    watched.look(long_ago + timedelta(seconds=30))
    assert watched.open() == [f"{DAY}/failure_rate"]


def test_a_check_of_the_firms_own_is_known_by_name_and_its_words_are_not_shown(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_record, "_PAGE", 3)
    run = created(watched.house)
    for number in range(8):  # more than two pages
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("theirs"),
            check_name=f"theirs_{number % 2}",
            passed=bool(number % 2),
            metadata={"failed": 3},
            severity=dg.AssetCheckSeverity.ERROR,
            description="ACC-00001 is wrong",
            partition=str(DAY),
        )
        event = dg.DagsterEvent(
            dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, NIGHTLY, event_specific_data=evaluation
        )
        watched.house.instance.report_dagster_event(event, run_id=run.run_id)
    watched.look()
    incident = watched.incident("check_failed", DAY, "theirs_0")
    assert watched.keys() == [f"{DAY}/check_failed/theirs_0"]
    assert incident.occurrences == 4
    assert "ACC" not in str(incident.facts)


def test_that_a_later_report_verifies_says_nothing_of_an_earlier_one(watched: Watched) -> None:
    house = watched.house
    house.run(DAY)
    for path in (house.home / "store" / "reports" / str(DAY)).iterdir():
        path.chmod(0o600)
        path.write_bytes(b"spoilt")
    house.run(DAY, only=["encrypted_report_csv"])
    job = (
        house.defs()
        .resolve_implicit_global_asset_job_def()
        .get_subset(
            asset_check_selection={
                dg.AssetCheckKey(dg.AssetKey("encrypted_report_csv"), "report_still_verifies")
            },
            asset_selection=set(),
        )
    )
    job.execute_in_process(instance=house.instance, partition_key=str(DAY), raise_on_error=False)
    watched.look()
    assert f"{DAY}/report_still_verifies" in watched.open()
    house.run(NEXT)
    watched.look()
    assert f"{DAY}/report_still_verifies" in watched.open()


# --- which runs -----------------------------------------------------------------------------------


def test_the_first_look_tells_no_old_news(watched: Watched) -> None:
    watched.house.instance.report_run_failed(created(watched.house))
    watched.look(datetime.now(UTC) + timedelta(days=3))
    assert watched.keys() == []


def test_what_happened_while_nobody_looked_is_seen_later(watched: Watched) -> None:
    watched.look()
    watched.house.instance.report_run_failed(created(watched.house))
    watched.look(datetime.now(UTC) + timedelta(days=10))
    assert watched.open() == [f"{DAY}/run_failed/Unexpected"]


def test_more_runs_than_one_look_takes_are_seen_by_the_next_ones(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST", 3)
    watched.look()
    for n in range(8):
        watched.house.instance.report_run_failed(created(watched.house, day=DAY + timedelta(days=n)))
    later = datetime.now(UTC) + timedelta(minutes=5)
    counts = []
    for n in range(4):
        watched.look(later + timedelta(seconds=30 * n))
        counts.append(len(watched.keys()))
    assert counts[0] == 3
    assert counts[-1] == 8


def test_a_run_that_cannot_be_read_hides_no_other_and_is_told_all_the_same(watched: Watched) -> None:
    house = watched.house
    broken = created(house, day=NEXT)
    house.instance.report_run_failed(broken)
    house.instance.report_run_failed(created(house))
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
