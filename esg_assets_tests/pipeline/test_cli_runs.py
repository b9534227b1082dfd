"""A run from the command line is one of the job's: found on its page, and executed again from the UI."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from esg_assets.cli import main as cli
from esg_assets.cli_runs import LOCATION, REPOSITORY, run_partition
from esg_assets.jobs import NIGHTLY
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.pipeline.house import ASSETS, DAY, NEXT, accounts, home_in_force
from esg_assets_tests.pipeline.served import Served, served

CURRENT = {"active_accounts": {"current_accounts": True}}


@dataclass
class Ran:
    """A finished run and the webserver over its instance."""

    run: dg.DagsterRun
    webserver: Served
    simulator: SimulatorServer

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.webserver.instance


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    rows = accounts(12)
    with (
        home_in_force(tmp_path_factory.mktemp("cli")) as home,
        pytest.MonkeyPatch.context() as patch,
    ):
        write_accounts(home / "accounts.csv", rows)
        options = Options(accounts_file=str(home / "accounts.csv"), auth="none")
        with SimulatorServer(options) as simulator, served(home) as webserver:
            patch.setenv("ESG_API_URL", simulator.url)
            patch.setenv("ESG_API_RATE_LIMIT", "1000")
            run = run_partition(
                webserver.instance, DAY, config=CURRENT, tags={"esg/requested_by": "somebody"}
            )
            yield Ran(run, webserver, simulator)


def write_accounts(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_it_runs_here_and_gives_the_finished_run(ran: Ran) -> None:
    assert ran.run.status is dg.DagsterRunStatus.SUCCESS
    assert ran.simulator.stats()["calls"] == 12
    for asset in ASSETS:
        event = ran.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.run_id == ran.run.run_id


def test_it_carries_the_job_s_origin_and_what_the_webserver_would_have_set(ran: Ran) -> None:
    origin = ran.run.remote_job_origin
    assert origin is not None
    assert origin.job_name == NIGHTLY
    assert origin.repository_origin.repository_name == REPOSITORY
    assert origin.repository_origin.code_location_origin.location_name == LOCATION
    assert ran.run.job_code_origin is not None
    assert ran.run.tags[".dagster/repository"] == f"{REPOSITORY}@{LOCATION}"
    assert ran.run.tags["dagster/partition"] == DAY.isoformat()
    assert ran.run.tags["esg/requested_by"] == "somebody"


def test_it_is_found_by_job_and_by_partition(ran: Ran) -> None:
    for found in (
        dg.RunsFilter(job_name=NIGHTLY),
        dg.RunsFilter(tags={"dagster/partition": DAY.isoformat()}),
        dg.RunsFilter(tags={".dagster/repository": f"{REPOSITORY}@{LOCATION}"}),
    ):
        assert ran.run.run_id in [run.run_id for run in ran.instance.get_runs(found)]


def test_the_job_s_page_shows_it(ran: Ran) -> None:
    data = ran.webserver.post(
        "query Page($s: PipelineSelector!) { pipelineOrError(params: $s) "
        "{ ... on Pipeline { runs { runId } } } }",
        {
            "s": {
                "repositoryLocationName": LOCATION,
                "repositoryName": REPOSITORY,
                "pipelineName": NIGHTLY,
            }
        },
    )
    assert ran.run.run_id in [run["runId"] for run in data["pipelineOrError"]["runs"]]


def test_its_partition_is_shown_as_made(ran: Ran) -> None:
    data = ran.webserver.post(
        "query Made($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) { ... on AssetNode "
        "{ assetPartitionStatuses { ... on TimePartitionStatuses "
        "{ ranges { startKey endKey status } } } } } }",
        {"k": {"path": ["encrypted_report_csv"]}},
    )
    assert data["assetNodeOrError"]["assetPartitionStatuses"]["ranges"] == [
        {"startKey": DAY.isoformat(), "endKey": DAY.isoformat(), "status": "MATERIALIZED"}
    ]


@pytest.mark.parametrize("strategy", ["ALL_STEPS", "FROM_FAILURE"])
def test_it_can_be_executed_again_from_the_ui(ran: Ran, strategy: str) -> None:
    parent = ran.run
    if strategy == "FROM_FAILURE":
        parent = run_partition(ran.instance, NEXT, config={}, tags={})
        assert parent.status is dg.DagsterRunStatus.FAILURE
        assert parent.tags["esg/permanent"] == "true"
    data = ran.webserver.post(
        "mutation Again($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) { __typename "
        "... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }",
        {"p": {"parentRunId": parent.run_id, "strategy": strategy}},
    )["launchRunReexecution"]
    assert data["__typename"] == "LaunchRunSuccess", data
    again = ran.instance.get_run_by_id(data["run"]["runId"])
    assert again is not None
    assert again.status is dg.DagsterRunStatus.QUEUED
    assert again.tags[PARENT_RUN_ID_TAG] == parent.run_id
    assert again.tags["dagster/partition"] == parent.tags["dagster/partition"]
    assert again.run_config == parent.run_config


def test_a_run_that_fails_is_given_back_and_not_raised(ran: Ran) -> None:
    run = run_partition(ran.instance, NEXT, config={}, tags={})
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert run.tags["esg/error"] == "NoHistory"


def test_a_date_before_the_first_is_no_partition(ran: Ran) -> None:
    run = run_partition(ran.instance, date(2025, 12, 31), config=CURRENT, tags={})
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert any("2025-12-31" in str(entry.dagster_event) for entry in ran.instance.all_logs(run.run_id))


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--date", str(DAY)),
        ("run", "--date", str(DAY.replace(day=20))),  # no accounts of its own here: those of DAY stand in
        ("backfill", str(DAY), str(NEXT)),
    ],
)
def test_an_account_in_a_reason_is_refused_before_there_is_a_run(
    ran: Ran, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = ran.instance.get_runs_count()
    assert cli.run([*command, "--reason", "asked for by ACC-00007"]) == 2
    told = capsys.readouterr()
    assert "--reason is not taken: it holds the id of an account" in told.err
    assert "ACC-00007" not in told.out + told.err
    assert ran.instance.get_runs_count() == before
