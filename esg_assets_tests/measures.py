"""What a program takes, measured from outside."""

import subprocess
import sys

_REPORT = "\nimport resource as _r\nprint(_r.getrusage(_r.RUSAGE_SELF).ru_maxrss)\n"


def peak_memory_of(program: str, *arguments: str) -> int:
    """Largest resident memory, in bytes, of a Python process that runs `program`."""
    done = subprocess.run(
        [sys.executable, "-c", program + _REPORT, *arguments], check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[-1]) * 1024
