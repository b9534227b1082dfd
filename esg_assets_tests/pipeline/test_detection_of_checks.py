"""Detection of what checks found, each through a real run of Dagster: WARN and ERROR, on their own dates."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from esg_assets import cli_runs
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.ratings import Reply
from esg_assets.detection import run_record
from esg_assets.jobs import NIGHTLY
from esg_assets.stale_runs import PARTITION_TAG
from esg_assets_tests.pipeline.house import DAY, NEXT, House
from esg_assets_tests.pipeline.watched import Watched


@pytest.fixture
def watched(house: House) -> Watched:
    house.source.past = {DAY + timedelta(days=n): house.source.rows for n in range(-2, 3)}
    return Watched(house)


def started(house: House) -> dg.DagsterRun:
    """A run that goes on."""
    return house.instance.create_run_for_job(
        house.defs().resolve_job_def(NIGHTLY),
        status=dg.DagsterRunStatus.STARTED,
        tags={PARTITION_TAG: DAY.isoformat()},
        remote_job_origin=cli_runs._origin(),
    )


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
    run = started(watched.house)
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
    run = started(watched.house)
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
