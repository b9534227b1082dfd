"""Writing what was opened to a file of the reader's: whole and verified, or not at all.

The only place where report data leaves memory in the clear, because its reader asked for it.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from esg_assets.core.errors import Refused
from esg_assets.core.ports import Source

_CHUNK = 1 << 20
# What a file system without nameless files answers.
_NO_NAMELESS_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


def decrypt_to(path: Path, opened: AbstractContextManager[Source]) -> int:
    """Write everything that `opened` gives to a new file, 0600; its size in bytes.

    The bytes go to a file without a name in the target's folder. Only when the block of `opened` was
    left without an exception, which is when everything about them is verified, does the file get its
    name; a crash before leaves nothing behind.

    Raises:
        Refused: something of that name exists, or the folder cannot be written to.
        Tampered: what was opened is not what was published; there is no file then.
    """
    if os.path.lexists(path):
        raise Refused(
            f"Writing {path}: it exists already, and nothing is ever overwritten. Name another file."
        )
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(f"Writing {path}: its folder cannot be opened ({error.strerror}).") from None
    try:
        return _write(folder, path, opened)
    except FileExistsError:
        raise Refused(
            f"Writing {path}: something of that name was put there meanwhile. Nothing was written."
        ) from None
    except OSError as error:
        raise Refused(f"Writing {path}: {error.strerror}. Nothing was written.") from None
    finally:
        os.close(folder)


def _write(folder: int, path: Path, opened: AbstractContextManager[Source]) -> int:
    with _new_file(folder) as (descriptor, name):
        size = 0
        with opened as source:
            while chunk := source.read(_CHUNK):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
                size += len(chunk)
        os.fsync(descriptor)
        if name:
            os.link(name, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        else:
            os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
        os.fsync(folder)
    return size


@contextlib.contextmanager
def _new_file(folder: int) -> Iterator[tuple[int, str]]:
    """An open file in `folder`, 0600: without a name where the system has such files, else hidden."""
    name = ""
    descriptor = _nameless(folder)
    if descriptor is None:
        name = f".{secrets.token_hex(8)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        os.fchmod(descriptor, 0o600)
        yield descriptor, name
    finally:
        os.close(descriptor)
        if name:
            os.unlink(name, dir_fd=folder)


def _nameless(folder: int) -> int | None:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").exists():
        return None
    try:
        return os.open(".", flag | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_NAMELESS_FILES:
            return None
        raise
