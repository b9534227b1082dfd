"""A run that is killed in its middle: the sensor or the next run reports it, and nothing hangs."""

import csv
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import pytest

from esg_assets import cli_runs
from esg_assets.adapters.leases import FileLeases
from esg_assets.run_records import record_ended_runs
from esg_assets.sensors import stale_runs_sensor
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.pipeline.house import DAY, accounts, home_in_force, instance_of, new_house
from esg_assets_tests.pipeline.test_leases import assert_reported
from esg_assets_tests.pipeline.watched import Watched

CURRENT = {"active_accounts": {"current_accounts": True}}

RUN = f"""
import dagster as dg
from datetime import date
from esg_assets.cli_runs import run_partition
with dg.DagsterInstance.get() as instance:
    run_partition(instance, date.fromisoformat("{DAY}"), config={CURRENT!r}, tags={{}})
"""


@dataclass
class Killed:
    """What a SIGKILL left."""

    home: Path
    run_id: str
    simulator: SimulatorServer


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """A home whose only run was killed after some of its forty calls."""
    folder = tmp_path_factory.mktemp("killed")
    rows = accounts(40)
    with (
        home_in_force(folder) as home,
        (home / "accounts.csv").open("w", newline="", encoding="utf-8") as file,
        pytest.MonkeyPatch.context() as patch,
    ):
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        options = Options(accounts_file=str(home / "accounts.csv"), latency=1.0, auth="none")
        with SimulatorServer(options) as simulator, instance_of(home) as instance:
            patch.setenv("ESG_API_URL", simulator.url)
            patch.setenv("ESG_API_CONCURRENCY", "2")
            with subprocess.Popen([sys.executable, "-c", RUN], stderr=subprocess.DEVNULL) as process:
                try:
                    while simulator.stats()["calls"] < 6 and process.poll() is None:
                        time.sleep(0.02)
                finally:
                    process.kill()
            assert process.returncode == -signal.SIGKILL
            (run,) = instance.get_runs()
            assert run.status is dg.DagsterRunStatus.STARTED
            patch.setenv("ESG_API_CONCURRENCY", "40")
            patch.setenv("ESG_API_RATE_LIMIT", "1000")
            yield Killed(home, run.run_id, simulator)


def test_the_sensor_reports_it(killed: Killed, tmp_path: Path) -> None:
    shutil.copytree(killed.home, tmp_path / "copy")
    (tmp_path / "unused").mkdir()
    with instance_of(tmp_path / "copy") as instance:
        leases = FileLeases(tmp_path / "copy" / "leases")
        with dg.build_sensor_context(instance=instance, resources={"leases": leases}) as context:
            said = stale_runs_sensor.evaluate_tick(context).skip_message
        assert said == f"marked 1 runs as failed whose process is gone: {killed.run_id}"
        assert_reported(instance, killed.run_id)
        history = MemoryHistory()
        watched = Watched(replace(new_house(tmp_path / "unused", instance), history=history))
        watched.look()
        assert watched.open() == [f"{DAY}/run_killed"]
        record_ended_runs(instance, history, None)
        assert [(run.run_id, run.status) for run in history.runs] == [(killed.run_id, "failed")]


def test_the_next_run_reports_it_and_asks_only_for_what_is_open(killed: Killed) -> None:
    calls = killed.simulator.stats()["calls"]
    with instance_of(killed.home) as instance:
        run = cli_runs.run_partition(instance, DAY, config=CURRENT, tags={})
        assert run.status is dg.DagsterRunStatus.SUCCESS
        assert_reported(instance, killed.run_id)
        assert len(instance.get_runs()) == 2
    again = killed.simulator.stats()["calls"]
    # Two were in flight, and the last flush, a second before at most, may not have had the last four.
    assert again <= 40 + 2 + 4, (calls, again)
