"""A run from the command line: a real Dagster run, in this process, without a daemon.

`execute_in_process` would leave a run that the job's page does not show and that cannot be executed
again from the UI. So the run is created with the job's origin, as the webserver does, and executed
here. The private names of Dagster that this takes are imported in this module only, and
`esg_assets_tests/pipeline/test_cli_runs.py` holds them to what is used of them.
"""

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from esg_assets.jobs import NIGHTLY

MODULE = "esg_assets.definitions"
LOCATION = "esg_assets"  # as in workspace.yaml
REPOSITORY = "__repository__"  # what Dagster calls the definitions of a location


def run_partition(
    instance: dg.DagsterInstance,
    partition: date,
    *,
    config: Mapping[str, Mapping[str, object]],
    tags: Mapping[str, str],
    run_id: str | None = None,
) -> dg.DagsterRun:
    """Make the report of one date; the finished run, whatever became of it.

    Args:
        instance: where the run is kept.
        partition: the report's date.
        config: switches by asset name.
        tags: further tags of the run.
        run_id: the run's id; a new one if None.
    """
    job = ReconstructableJob(
        repository=ReconstructableRepository.for_module(MODULE, "defs", working_directory=str(Path.cwd())),
        job_name=NIGHTLY,
    )
    definition = job.get_definition()
    run = instance.create_run_for_job(
        definition,
        run_id=run_id,
        run_config={
            "ops": {asset: {"config": dict(switches)} for asset, switches in config.items()},
            "loggers": {"console": {}},  # ours (`run_logger`); without it Dagster's own debugging is printed
        },
        tags={
            **definition.get_tags_for_partition_key(partition.isoformat(), selected_asset_keys=None),
            ".dagster/repository": f"{REPOSITORY}@{LOCATION}",
            **tags,
        },
        remote_job_origin=_origin(),
        job_code_origin=job.get_python_origin(),
    )
    execute_run(job, run, instance)
    finished = instance.get_run_by_id(run.run_id)
    assert finished is not None
    return finished


def _origin() -> RemoteJobOrigin:
    target = LoadableTargetOrigin(
        executable_path=sys.executable, module_name=MODULE, working_directory=str(Path.cwd())
    )
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), NIGHTLY)
