"""How much memory this process took at most during a block."""

import contextlib
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

STATUS, PEAK_RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextlib.contextmanager
def growth() -> Iterator[Callable[[], int]]:
    """Gives what tells, after the block too, by how many bytes the peak is above the start's memory."""
    with contextlib.suppress(OSError):  # only Linux can forget an old peak: elsewhere it hides smaller ones
        PEAK_RESET.write_text("5", encoding="ascii")
    before = _peak()
    yield lambda: _peak() - before


def _peak() -> int:
    """The largest resident memory so far, in bytes."""
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
