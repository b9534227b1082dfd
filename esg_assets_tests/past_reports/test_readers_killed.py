"""A reader that is killed when it has most of a report in memory: nothing was written, before or after."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from esg_assets_tests.leak_search import find_leaks
from esg_assets_tests.past_reports.nights import CHANGED, FIRST, THIRD

_PROGRAM = """
import importlib, os, signal, sys
module, name = sys.argv.pop(1).split(":")
def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        if arguments[0] != os.devnull:
            os.write(2, f"written: {arguments[0]}\\n".encode())
def die(*_, **__):
    os.write(2, b"killed")
    os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
setattr(importlib.import_module(module), name, die)
from esg_assets.cli import main as cli
cli.run(sys.argv[1:])
"""
SPAN = ["--from", str(FIRST), "--to", str(THIRD)]


@pytest.mark.parametrize(
    ("at", "arguments"),
    [
        ("esg_assets.core.reproduction:commitment", ["reproduce", "--date", str(FIRST)]),
        ("esg_assets.cli.report_account:_words", ["account", *SPAN]),
        ("esg_assets.core.row_changes:words", ["diff", str(FIRST), str(THIRD)]),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_nothing_is_written_by_a_reader_that_is_killed(
    home: Path, key: list[str], at: str, arguments: list[str]
) -> None:
    place = home.parent
    (place / "tmp").mkdir()

    def files() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_size, path.stat().st_mtime_ns)
            for path in place.rglob("*")
            if path.is_file()
        }

    before = files()
    done = subprocess.run(
        [sys.executable, "-B", "-c", _PROGRAM, at, "report", *arguments, *key],
        env={**os.environ, "TMPDIR": str(place / "tmp"), "PYTHONPATH": str(Path(__file__).parents[2])},
        input=f"{CHANGED}\n".encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"killed")
    assert files() == before
    assert not find_leaks([CHANGED], folders=[place])
