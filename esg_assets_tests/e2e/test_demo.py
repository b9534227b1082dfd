"""`esg-assets demo` as a newcomer meets it: in an empty folder, with the command that it prints."""

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets_tests.e2e.installation import DAY, TIMEOUT, Started, program
from esg_assets_tests.servers import free_ports

ACCOUNTS = "120"


@dataclass(frozen=True)
class Shown:
    """A demo that has ended, in its folder."""

    folder: Path
    out: str


def _shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """As typed into a shell by somebody whose umask is careless, with nothing set."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        ["/bin/sh", "-c", f"umask 000; {command}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("demo")
    done = _shell(folder, f"{program('esg-assets')} demo --accounts {ACCOUNTS} --date {DAY}")
    assert done.returncode == 0, done.stderr
    return Shown(folder, done.stdout)


def test_the_command_it_prints_opens_the_report(shown: Shown) -> None:
    lines = shown.out.splitlines()
    (command,) = [lines[at + 1] for at, line in enumerate(lines) if line.endswith("This opens it:")]
    assert "The sealed report and its chain are in .demo/home/store." in shown.out

    done = _shell(shown.folder, command)

    assert done.returncode == 0, done.stderr
    with (shown.folder / f"esg_report_{DAY}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f" of {len(rows)} accounts rated" in shown.out
    assert {row["report_date"] for row in rows} == {DAY}
    rated = [row for row in rows if row["processing_status"] == "SUCCESS"]
    assert all(0 <= float(row["overall_esg_score"]) <= 100 for row in rated)
    assert (shown.folder / f"esg_report_{DAY}.csv").stat().st_mode & 0o777 == 0o600


def test_other_commands_find_the_demo_by_the_line_it_prints(shown: Shown) -> None:
    (line,) = [line for line in shown.out.splitlines() if "set -a" in line]
    command = f"{line.partition(': ')[2]}; {program('esg-assets')} report list --json"
    done = _shell(shown.folder, command)
    assert done.returncode == 0, done.stderr
    assert [each["date"] for each in json.loads(done.stdout)["reports"]] == [DAY]


def test_json_is_one_object_and_the_only_output(shown: Shown) -> None:
    done = _shell(shown.folder, f"{program('esg-assets')} demo --date {DAY} --json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["date"], told["home"]) == (DAY, str(shown.folder / ".demo"))
    assert done.stdout.count("\n") == 1


def test_the_run_is_recorded_at_once_without_a_daemon(shown: Shown) -> None:
    history = SqlHistory(f"sqlite:///{shown.folder}/.demo/home/history.sqlite", read_only=True)
    run, *_ = history.runs_since(datetime(2020, 1, 1, tzinfo=UTC))
    assert (run.report_date.isoformat(), run.status, run.version) == (DAY, "published", 1)
    assert run.calls > 100
    assert run.requested_by
    assert {"p50_seconds", "p99_seconds", "received_bytes", "report_bytes", "python"} <= set(run.figures)


def test_nobody_else_can_read_anything_below_the_demo(shown: Shown) -> None:
    home = shown.folder / ".demo"
    found = {path.relative_to(home): path.lstat() for path in [home, *home.rglob("*")]}
    too_open = {
        str(name): oct(status.st_mode & 0o777)
        for name, status in found.items()
        # The project's dagster.yaml is linked, and public keys are for everybody.
        if not (home / name).is_symlink() and ".pub." not in name.name and status.st_mode & 0o077
    }
    assert too_open == {}


def test_dev_ends_on_sigterm_although_it_was_started_where_sigint_is_ignored(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = f"trap '' INT; exec {program('esg-assets')} dev --accounts 10 --port {port}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    process = Started(["/bin/sh", "-c", command], tmp_path, environment)
    try:
        deadline = time.monotonic() + TIMEOUT
        while not _answers(port):
            assert process.process.poll() is None, process.said()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send(signal.SIGTERM)
        done = process.end(60)
    finally:
        process.close()
    assert done.status == 0, done
    assert not _answers(port)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
