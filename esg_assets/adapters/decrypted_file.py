"""Writing what was opened to a file of the reader's: whole and verified, or not at all.

The only place where report data leaves memory in the clear, because its reader asked for it. What is
not verified yet has no name; where the file system has no nameless files, a second process takes the
hidden name away when this one dies.
"""

import contextlib
import ctypes
import errno
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from esg_assets.adapters import nameless_files
from esg_assets.core.errors import Refused
from esg_assets.core.ports import Source

_CHUNK = 1 << 20
# What a file system without hard links answers.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_RENAME_NOREPLACE = 1
# Waits until its standard input ends, which the end of the writing process does too.
_WATCHER = """
import contextlib, os, sys
sys.stdin.buffer.read()
with contextlib.suppress(FileNotFoundError):
    os.unlink(sys.argv[2], dir_fd=int(sys.argv[1]))
"""


def decrypt_to(path: Path, opened: AbstractContextManager[Source]) -> int:
    """Write everything that `opened` gives to a new file, 0600; its size in bytes.

    The bytes go to a file without a name in the target's folder. Only when the block of `opened` was
    left without an exception, which is when everything about them is verified, does the file get its
    name; a crash before leaves nothing behind.

    Raises:
        Refused: something of that name exists, the folder cannot be written to, or the disk is full.
        Tampered: what was opened is not what was published; there is no file then.
    """
    if os.path.lexists(path):
        raise Refused(
            f"Writing {path}: it exists already, and nothing is ever overwritten. Name another file."
        )
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(
            f"Writing {path}: its folder cannot be opened ({error.strerror}). "
            "Name a file in a folder of yours."
        ) from None
    try:
        return _write(folder, path, opened)
    except FileExistsError:
        raise Refused(
            f"Writing {path}: something of that name was put there meanwhile. Nothing was written."
        ) from None
    except OSError as error:
        raise Refused(f"Writing {path}: {error.strerror}. Nothing was written. {_advice(error)}") from None
    finally:
        os.close(folder)


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "Make room there, or name a file on another disk."
    return "Name a file in a folder that you can write to."


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
            _give_name(folder, name, path.name)
        else:
            os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
        os.fsync(folder)
    return size


@contextlib.contextmanager
def _new_file(folder: int) -> Iterator[tuple[int, str]]:
    """An open file in `folder`, 0600: without a name where the system has such files, else hidden."""
    descriptor = nameless_files.open_nameless(folder)
    with contextlib.ExitStack() as held:
        name = ""
        if descriptor is None:
            name = f".{secrets.token_hex(8)}.part"
            held.enter_context(_gone_with_this_process(folder, name))
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        held.callback(os.close, descriptor)
        os.fchmod(descriptor, 0o600)
        yield descriptor, name


@contextlib.contextmanager
def _gone_with_this_process(folder: int, name: str) -> Iterator[None]:
    """On exit, and when this process is killed, `name` is removed from `folder` if it is there."""
    watcher = subprocess.Popen(  # noqa: S603 - our own interpreter and a fixed program
        [sys.executable, "-I", "-S", "-c", _WATCHER, str(folder), name],
        stdin=subprocess.PIPE,
        pass_fds=[folder],
        start_new_session=True,  # what ends this process's group must not end it
    )
    with watcher:  # closes its standard input and waits for it
        yield


def _give_name(folder: int, hidden: str, name: str) -> None:
    """Name a file of `folder` that has a hidden name; never replaces. Raises FileExistsError, OSError."""
    try:
        os.link(hidden, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if rename is None:
            raise
        if rename(folder, os.fsencode(hidden), folder, os.fsencode(name), _RENAME_NOREPLACE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number)) from None
