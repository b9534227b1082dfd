"""Other Python processes that tests talk to and kill."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal


@contextlib.contextmanager
def python_process(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`program` in a process of its own; killed on exit if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def seen_of(process: "subprocess.Popen[Any]", what: Literal["cmdline", "environ"]) -> bytes:
    """What everybody, or its own user, sees of a running process below /proc.

    For a moment while it starts there is nothing to be seen yet.
    """
    seen = b""
    while not seen and process.poll() is None:
        seen = Path(f"/proc/{process.pid}/{what}").read_bytes()
    assert seen, "the process ended before it was looked at"
    return seen


def line_from(process: subprocess.Popen[str]) -> str:
    """The next line that it prints, "" if it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")
