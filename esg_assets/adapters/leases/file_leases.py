"""Leases of one host: a locked file each (flock)."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from esg_assets.adapters.leases.waiting import busy_message, take
from esg_assets.core.errors import LeaseBusy, StoreUnavailable
from esg_assets.core.ports import HeldLease

_MAX_HOLDER_BYTES = 1024


@dataclass(frozen=True)
class FileLease:
    """A lease that is held."""

    previous_holder: str


class FileLeases:
    """One file in `folder` for each lease; its content is the name of who holds it or held it last.

    The kernel frees a lock when the last process that has it open ends, however it ends. The folder
    must be on a disk of this host: over a network, locks of a dead host may stay. A process that
    was forked from the holder without exec keeps the lease as long as it lives.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    @contextlib.contextmanager
    def hold(self, name: str, holder: str, *, wait_seconds: float = 0.0) -> Iterator[HeldLease]:
        """Hold the lease `name` as `holder` for the length of the block. Raises LeaseBusy."""
        with _errors_of(name):
            descriptor = self._opened(name)
        try:
            with _errors_of(name):
                take(lambda: _lock(descriptor), wait_seconds, lambda: _busy(name, descriptor))
                previous = _read(descriptor)
                _write(descriptor, holder)
            yield FileLease(previous)
        finally:
            # Closing frees the lock. The file stays: two processes would lock two files of one name
            # if it were removed between the opening and the locking of the second.
            os.close(descriptor)

    def _opened(self, name: str) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._folder / f"{quote(name, safe='')}.lock", flags, 0o600)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(name: str, descriptor: int) -> LeaseBusy:
    return busy_message(name, _read(descriptor))


def _read(descriptor: int) -> str:
    return os.pread(descriptor, _MAX_HOLDER_BYTES, 0).decode("utf-8", errors="replace").strip()


def _write(descriptor: int, holder: str) -> None:
    # In one write and then cut: who reads meanwhile sees the old name, the new one or both, never none.
    data = holder.encode()[: _MAX_HOLDER_BYTES - 1] + b"\n"
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)  # after a power cut, too, the next holder must learn whose run has ended


@contextlib.contextmanager
def _errors_of(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        raise StoreUnavailable(
            f"The lease {name} could not be asked for: {os.strerror(number)} "
            f"({errno.errorcode.get(number, number)}) in the folder of the leases."
        ) from None
