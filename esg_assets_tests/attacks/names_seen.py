"""Every name that appears in a folder, however briefly, as the kernel tells it (inotify)."""

import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_CREATED, _MOVED_HERE = 0x100, 0x80
_EVENT = struct.Struct("iIII")


class NamesSeen:
    """What was created in `folder`, linked or moved into it since the block began."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watch = libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _CREATED | _MOVED_HERE)
        if self._descriptor < 0 or watch < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def taken(self) -> set[str]:
        """The names since the last call. Raises RuntimeError if the kernel lost count."""
        names = set()
        try:
            while data := os.read(self._descriptor, 1 << 16):
                names |= _names(data)
        except BlockingIOError:
            return names
        return names


def _names(data: bytes) -> set[str]:
    names, at = set(), 0
    while at < len(data):
        watch, _, _, length = _EVENT.unpack_from(data, at)
        if watch < 0:
            raise RuntimeError("more happened in the folder than was read")
        at += _EVENT.size
        names.add(os.fsdecode(data[at : at + length].rstrip(b"\0")))
        at += length
    return names
