"""One contender as a process of its own: what it costs, and what it repeats after a kill.

Nothing heavy is imported here: on Linux a child's peak memory counts from its parent's size.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from esg_assets_tests.bench.access_log import OK, Calls, read_calls
from esg_assets_tests.bench.contenders.task import Task

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.02
TAIL_CHARS = 2000


@dataclass(frozen=True)
class Contender:
    """Who competes.

    Attributes:
        name: as the tables say it.
        module: what is run.
        python: with which interpreter.
        limited_only: whether it makes sense only under a limit.
        paced: whether it keeps to a limit by itself.
    """

    name: str
    module: str
    python: str = sys.executable
    limited_only: bool = False
    paced: bool = False


@dataclass(frozen=True)
class Cost:
    """What one process took, start-up and end included.

    Attributes:
        wall_seconds: from its start to its end.
        cpu_seconds: user and system.
        peak_mb: peak resident memory in MB (10^6 bytes).
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


class ContenderFailed(Exception):
    """A contender did not finish its work."""


def run(contender: Contender, task: Task, timeout_seconds: float) -> Cost:
    """Run it to its end.

    Raises:
        ContenderFailed: it failed or took longer than that.
    """
    process = _start(contender, task)
    started = time.monotonic()
    while True:
        # wait4 gives this child's own figures; RUSAGE_CHILDREN would give the greatest peak of all.
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        wall = time.monotonic() - started
        if pid:
            break
        if wall > timeout_seconds:
            _kill(process)
            raise ContenderFailed(f"{contender.name} took longer than {timeout_seconds:,.0f} s.")
        time.sleep(POLL_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = _log(task).read_text(encoding="utf-8", errors="replace")[-TAIL_CHARS:]
        raise ContenderFailed(f"{contender.name} ended with status {process.returncode}:\n{tail}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def run_with_a_kill(contender: Contender, task: Task, log: Path, timeout_seconds: float) -> Calls:
    """Kill it with SIGKILL when half of the accounts have been answered, start it again, count.

    Args:
        contender: who.
        task: what to collect.
        log: the server's, which grows meanwhile.
        timeout_seconds: for each of the two runs.

    Raises:
        ContenderFailed: it failed, took too long, or was done before it could be killed.
    """
    half = len(task.account_ids) // 2
    process = _start(contender, task)
    until = time.monotonic() + timeout_seconds
    while _answers(log) < half:
        if process.poll() is not None or time.monotonic() > until:
            _kill(process)
            raise ContenderFailed(
                f"{contender.name} ended or stalled before half of its accounts were answered."
            )
        time.sleep(POLL_SECONDS)
    _kill(process)
    run(contender, task, timeout_seconds)
    return read_calls(log.read_text(encoding="utf-8").splitlines())


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _start(contender: Contender, task: Task) -> "subprocess.Popen[bytes]":
    out = Path(task.out)
    file = out / "task.json"
    task.write(file)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with _log(task).open("ab") as log:
        return subprocess.Popen(
            [contender.python, "-m", contender.module, str(file)],
            cwd=out,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _log(task: Task) -> Path:
    return Path(task.out) / "contender.log"


def _answers(log: Path) -> int:
    if not log.exists():
        return 0
    return sum(
        line.split()[2] == OK for line in log.read_text(encoding="utf-8").splitlines() if line.count(" ") >= 3
    )
