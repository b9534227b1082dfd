"""A real `dagster dev` on an installation, and what a browser would ask it through GraphQL."""

import contextlib
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from esg_assets_tests.e2e.installation import PROJECT, TIMEOUT, Installation, Started, program
from esg_assets_tests.servers import free_ports

JOB = "nightly_esg_report"
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "esg_assets"}
ASSETS = ("active_accounts", "esg_ratings", "encrypted_report_csv", "daily_summary")

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
REEXECUTE = """
mutation ($run: String!) {
  launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: ALL_STEPS}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
BACKFILL = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""
TERMINATE = """
mutation ($run: String!) {
  terminateRun(runId: $run) {
    __typename ... on TerminateRunFailure { message } ... on PythonError { message }
  }
}"""
RUNS = """
query ($filter: RunsFilter!) {
  runsOrError(filter: $filter) { ... on Runs { results { runId status jobName tags { key value } } } }
}"""
CHECKS = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks { name
      partitionStatuses { ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } } }
    } } }
  } }
}"""
MATERIALIZED = """
query ($key: AssetKeyInput!, $days: [String!]) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    assetMaterializations(partitions: $days) { partition runId }
  } }
}"""
AUTOMATION = """
query ($repository: RepositorySelector!) {
  schedulesOrError(repositorySelector: $repository) { ... on Schedules { results {
    name scheduleState { status ticks { status error { message } } } } } }
  sensorsOrError(repositorySelector: $repository) { ... on Sensors { results {
    name sensorState { status ticks { status skipReason error { message } } } } } }
}"""


class DagsterDev:
    """`dagster dev` on an installation: webserver, daemon and code server; `close` ends all three."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = self._start()

    def _start(self) -> Started:
        command = [program("dagster"), "dev", "-w", str(PROJECT / "workspace.yaml"), "-h", "127.0.0.1"]
        process = Started([*command, "-p", str(self.port)], self.house.home, self.house.environment)
        try:
            self.wait_for(self._is_up, process)
        except BaseException:
            process.close()
            raise
        return process

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError, KeyError, TypeError):
            return bool(self.ask(AUTOMATION, repository=REPOSITORY)["sensorsOrError"]["results"])
        return False

    def said(self) -> tuple[str, str]:
        """Standard output and standard error since the last start."""
        return self._process.said()

    def stop(self) -> None:
        """Ctrl-C, and wait; kills what is left of it."""
        self._process.send(signal.SIGINT)
        try:
            self._process.end(60)
        finally:
            self._process.close()

    def kill(self) -> None:
        """SIGKILL to all of it, as if the host were gone."""
        self._process.close()

    def restart(self) -> None:
        """Stop it and start it again on the same DAGSTER_HOME and port."""
        self.stop()
        self._process = self._start()

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        data = told["data"]
        assert isinstance(data, dict)
        return data

    def wait_for(self, come: Callable[[], object], process: Started | None = None) -> None:
        """Look until it has come."""
        alive, deadline = process or self._process, time.monotonic() + TIMEOUT
        while not come():
            assert alive.process.poll() is None, alive.said()[1][-3000:]
            assert time.monotonic() < deadline, alive.said()[1][-3000:]
            time.sleep(0.2)

    def launch(self, day: str) -> str:
        """Launch the job for one date, as its page does; the run's id."""
        tags = [{"key": "dagster/partition", "value": day}]
        params = {
            "selector": {**REPOSITORY, "jobName": JOB},
            "runConfigData": {},
            "executionMetadata": {"tags": tags},
        }
        told = self.ask(LAUNCH, params=params)["launchRun"]
        return str(told["run"]["runId"])

    def reexecute(self, run_id: str) -> str:
        """Execute a run again, all of it; the new run's id."""
        told = self.ask(REEXECUTE, run=run_id)["launchRunReexecution"]
        assert told["__typename"] == "LaunchRunSuccess", told
        return str(told["run"]["runId"])

    def backfill(self, days: Sequence[str]) -> str:
        """Backfill all assets for these dates, as the asset graph does; the backfill's id."""
        keys = [{"path": [name]} for name in ASSETS]
        params = {"assetSelection": keys, "partitionNames": list(days)}
        told = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        return str(told["backfillId"])

    def terminate(self, run_id: str) -> None:
        """The UI's Terminate."""
        told = self.ask(TERMINATE, run=run_id)["terminateRun"]
        assert told["__typename"] == "TerminateRunSuccess", told

    def runs(self, **wanted: object) -> list[dict[str, Any]]:
        """Runs by Dagster's RunsFilter, newest first."""
        found = self.ask(RUNS, filter=wanted)["runsOrError"]["results"]
        assert isinstance(found, list)
        return found

    def runs_on_the_job_page(self) -> list[str]:
        """Ids of the runs that the job's page lists."""
        tag = {"key": ".dagster/repository", "value": "__repository__@esg_assets"}
        return [run["runId"] for run in self.runs(pipelineName=JOB, tags=[tag])]

    def status(self, run_id: str) -> str:
        """A run's status."""
        (run,) = self.runs(runIds=[run_id])
        return str(run["status"])

    def ended(self, run_id: str) -> str:
        """Wait for a run's end; its status then."""
        self.wait_for(lambda: self.status(run_id) in {"SUCCESS", "FAILURE", "CANCELED"})
        return self.status(run_id)

    def runs_of(self, backfill_id: str) -> list[dict[str, Any]]:
        """The runs that a backfill has asked for so far."""
        return self.runs(tags=[{"key": "dagster/backfill", "value": backfill_id}])

    def checks(self, asset: str, day: str) -> dict[str, str]:
        """An asset's checks by name: how each stands on that partition."""
        node = self.ask(CHECKS, key={"path": [asset]})["assetNodeOrError"]
        return {
            check["name"]: span["status"]
            for check in node["assetChecksOrError"]["checks"]
            for span in check["partitionStatuses"]["ranges"]
            if span["startKey"] <= day <= span["endKey"]
        }

    def materialized(self, asset: str, *days: str) -> dict[str, str]:
        """Run ids by partition of the materializations on these dates."""
        node = self.ask(MATERIALIZED, key={"path": [asset]}, days=days)["assetNodeOrError"]
        newest_first = node["assetMaterializations"]
        return {each["partition"]: each["runId"] for each in reversed(newest_first)}

    def automation(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Schedules and sensors, each with its state and ticks."""
        told = self.ask(AUTOMATION, repository=REPOSITORY)
        return told["schedulesOrError"]["results"], told["sensorsOrError"]["results"]


@contextlib.contextmanager
def dagster_dev(house: Installation) -> Iterator[DagsterDev]:
    """`dagster dev` on an installation, stopped on exit."""
    running = DagsterDev(house)
    try:
        yield running
    finally:
        running.stop()
