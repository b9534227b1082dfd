"""What a program takes, measured from outside."""

import subprocess
import sys

# Not ru_maxrss: a process inherits that of the one that started it, here of the tests.
_REPORT = '\nprint(next(l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM:")))\n'


def peak_memory_of(program: str, *arguments: str) -> int:
    """Largest resident memory, in bytes, of a Python process that runs `program`."""
    done = subprocess.run(
        [sys.executable, "-c", program + _REPORT, *arguments], check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[-1]) * 1024
