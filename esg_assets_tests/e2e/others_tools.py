"""Tools that are not ours, installed once for this machine: what opens a report without our software."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_CACHE = Path(tempfile.gettempdir()) / f"esg-assets-tools-{os.getuid()}"
TIMEOUT = 300.0


def npm(commands: str) -> Path:
    """A folder with node_modules, as these commands of the document make it."""
    return _installed("npm", commands)


def aws_command_line(commands: str) -> Path:
    """A folder with the command line's environment, likewise."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return _installed("aws", commands, PATH=path)


def _installed(name: str, commands: str, **environment: str) -> Path:
    """Run `commands` in a folder of the cache, unless they have run there to their end."""
    _CACHE.mkdir(mode=0o700, exist_ok=True)
    folder, lock = _CACHE / name, _CACHE / f"{name}.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = folder / "commands"
        if not (done.exists() and done.read_text(encoding="utf-8") == commands):
            _fresh(folder, lambda: _run(commands, folder, environment))
            done.write_text(commands, encoding="utf-8")
    return folder


def _fresh(folder: Path, install: Callable[[], None]) -> None:
    if folder.exists():
        folder.rename(tempfile.mkdtemp(prefix="old-", dir=_CACHE) + "/gone")
    folder.mkdir(mode=0o700)
    install()


def _run(commands: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
