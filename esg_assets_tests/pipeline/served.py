"""The definitions as Dagster's webserver and daemon see them, without a process for any of the three.

Dagster's own tests load a code location in the process (`InProcessTestWorkspaceLoadTarget`): private,
and used here alone; the webserver's application and the scheduler's loop over it are the real ones.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import requests
import uvicorn
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.applications import Starlette

from esg_assets.cli_runs import LOCATION, MODULE, REPOSITORY
from esg_assets.jobs import NIGHTLY
from esg_assets_tests.pipeline.house import instance_of

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message reason } }
    ... on PythonError { message stack }
  }
}
"""


@contextlib.contextmanager
def workspace_of(instance: dg.DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    """The project's code location."""
    target = LoadableTargetOrigin(module_name=MODULE, working_directory=str(Path.cwd()), attribute="defs")
    origin = InProcessCodeLocationOrigin(target, location_name=LOCATION)
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget([origin])) as workspace:
        yield workspace


@dataclass
class Served:
    """The webserver, on loopback."""

    instance: dg.DagsterInstance
    url: str

    def post(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The data that GraphQL answers."""
        answer = requests.post(self.url, json={"query": query, "variables": variables or {}}, timeout=60)
        body: dict[str, Any] = answer.json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def get(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The same by GET from another site, which the webserver lets through."""
        answer = requests.get(
            self.url,
            params={"query": query, "variables": json.dumps(variables)},
            headers={"Host": "attacker.example", "Origin": "https://attacker.example"},
            timeout=60,
        )
        data: dict[str, Any] = answer.json()["data"]
        return data


def launch_params(partition: str, run_config: Mapping[str, object]) -> dict[str, object]:
    """Variables of LAUNCH for the nightly job."""
    return {
        "params": {
            "selector": {
                "repositoryLocationName": LOCATION,
                "repositoryName": REPOSITORY,
                "jobName": NIGHTLY,
            },
            "runConfigData": run_config,
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
        }
    }


@contextlib.contextmanager
def served(home: Path) -> Iterator[Served]:
    """The webserver over the instance in `home`; the environment must be that of the code server."""
    with (
        instance_of(home) as instance,
        workspace_of(instance) as workspace,
        _listening(create_app_from_workspace_process_context(workspace)) as url,
    ):
        yield Served(instance, f"{url}/graphql")


@contextlib.contextmanager
def _listening(app: Starlette) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
