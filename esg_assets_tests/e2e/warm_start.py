"""A process that has loaded the libraries, and forks one of its own for each command that is to be run.

Most of a command's two seconds goes into loading Dagster, pandas and the like. Here that happens once for a
worker of the tests; everything of ours is loaded anew in every process, whose environment, folder, streams
and session are its own. Not for commands whose start, death or command line is looked at.

On standard input: one JSON object for each command, see `Warm.run`; on standard output: its process id, then
how it ended.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = (
    "alembic.command",
    "aws_cryptographic_material_providers.mpl",
    "boto3",
    "cryptography.x509",
    "dagster",
    "dagster_pandas",
    "numpy",
    "obstore.store",
    "pandas",
    "psycopg",
    "pyarrow.parquet",
    "pydantic_settings",
    "requests",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "tenacity",
    "typer",
)


class Warm:
    """The process, seen by a worker of the tests; one command at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        streams: tuple[Path, Path],
        timeout: float,
    ) -> int:
        """Run a console script of ours to its end; its exit status, or minus the signal that ended it.

        Args:
            command: the script and its arguments.
            cwd: the working folder.
            environment: all that it sees.
            streams: files for standard output and standard error.
            timeout: seconds after which it is killed.
        """
        wanted = {
            "command": [*command],
            "cwd": str(cwd),
            "environment": dict(environment),
            "streams": [str(path) for path in streams],
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            pid = int(self._process.stdout.readline())
            too_long = threading.Timer(timeout, os.killpg, (pid, signal.SIGKILL))
            too_long.start()
            try:
                return int(self._process.stdout.readline())
            finally:
                too_long.cancel()
                with contextlib.suppress(ProcessLookupError):  # what is left of its session
                    os.killpg(pid, signal.SIGKILL)

    def close(self) -> None:
        self._process.communicate()


@functools.cache
def warm() -> Warm:
    """That of this worker."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    made = Warm(kept)
    atexit.register(made.close)
    return made


def serve() -> None:
    """Fork for each command that is asked for; returns in the forked process, and at the end of them."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # what is shared stays shared: no collection goes through it in a forked process
    for line in sys.stdin:
        wanted = json.loads(line)
        told, tell = os.pipe()
        pid = os.fork()
        if not pid:
            os.setsid()
            os.write(tell, b"!")  # from here on its process group can be killed
            os.close(tell)
            os.close(told)
            _become(wanted)
            return
        os.close(tell)
        os.read(told, 1)
        os.close(told)
        _answer(pid)
        _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    sys.exit()


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _become(wanted: dict[str, Any]) -> None:
    """Make this process what a new one would be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = wanted["command"]
    sys.path[0] = str(Path(wanted["command"][0]).parent)
    for number, path in enumerate([os.devnull, *wanted["streams"]]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)


if __name__ == "__main__":
    serve()
    from esg_assets.cli.main import main

    main()
