"""Other Python processes that tests talk to and kill."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator


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


def line_from(process: subprocess.Popen[str]) -> str:
    """The next line that it prints, "" if it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")
