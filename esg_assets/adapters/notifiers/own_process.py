"""A program of ours in a process of its own: its environment, its home, and its end are given to it.

For libraries that read the environment and the user's home, log, or cannot be told to end in time.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from esg_assets.core.errors import ChannelUnavailable


def answer_of(program: Path, given: bytes, *, called: str, keep: Sequence[str], seconds: float) -> bytes:
    """What the program writes when it has read `given`; its home is empty and is removed afterwards.

    Args:
        program: a Python file of ours, which imports nothing of its own folder.
        given: its standard input, so that nothing of it shows among the machine's processes.
        called: what it is, for messages.
        keep: names of variables that it sees, if they are set.
        seconds: when they are over it is killed.

    Raises:
        ChannelUnavailable: it could not be started, did not end in time, or failed.
    """
    kept = {name: os.environ[name] for name in keep if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="esg_own_") as home:
        try:
            done = subprocess.run(  # noqa: S603 - our own program, and nothing of an order on its command line
                [sys.executable, "-I", "-W", "ignore", str(program)],
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                cwd=home,
                env={**kept, "HOME": home, "TMPDIR": home},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ChannelUnavailable(f"{called} did not end within {seconds:g} s.") from None
        except OSError:
            raise ChannelUnavailable(f"{called} could not be started.") from None
    if done.returncode:
        raise ChannelUnavailable(f"{called} ended with status {done.returncode}.")
    return done.stdout
