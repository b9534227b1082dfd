"""A store in a folder of the local file system (port ObjectStore).

An object is one file, complete and on the disk before it has a name: it is written to a file
without a name and then linked, which fails if the name is taken. So a crash at any moment leaves
either the whole object or nothing. Stores behind a network protocol are in `remote`.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from esg_assets.adapters.stores.local_errors import errors_as_unavailable
from esg_assets.adapters.stores.new_files import BUFFER, NewFile
from esg_assets.core.errors import KeyExists, KeyMissing, Refused
from esg_assets.core.object_keys import check_key, check_prefix, is_segment
from esg_assets.core.ports import Sink, Source

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalStore:
    """Objects as files below `root`: folders 0700, files 0600, whatever the umask.

    The folder may be reached through a symbolic link; below it none is followed, so nothing that
    somebody plants in it leads outside. Safe to use from several threads and processes.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(root).absolute()

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return. Raises KeyExists."""
        with self.writer(key) as sink:
            sink.write(data)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        """Stream a new object; it appears on a clean exit. Raises KeyExists, on exit at the latest."""
        *folders, name = check_key(key).split("/")
        doing = f"Writing {key} to the store"
        with contextlib.ExitStack() as held:
            with errors_as_unavailable(doing):
                folder = held.enter_context(self._folder(folders, make=True))
                if _exists(folder, name):
                    raise KeyExists(f"{key} is in the store already.")
                file = NewFile(folder)
            held.callback(file.discard)
            yield _FileSink(file, doing)
            with errors_as_unavailable(doing):
                try:
                    file.publish(name)
                except FileExistsError:
                    raise KeyExists(f"{key} is in the store already.") from None

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""
        with self.open(key) as source:
            return source.read()

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        """Stream an object. Raises KeyMissing."""
        *folders, name = check_key(key).split("/")
        doing = f"Reading {key} from the store"
        with contextlib.ExitStack() as held:
            with errors_as_unavailable(doing):
                try:
                    with self._folder(folders, make=False) as folder:
                        file = held.enter_context(_open_object(folder, name))
                except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    raise KeyMissing(f"There is no {key} in the store.") from None
            yield _FileSource(file, doing)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, ascending by code point; files of other names are not ours."""
        folders = check_prefix(prefix).split("/")[:-1]
        yield from self._keys(folders)

    def delete(self, key: str) -> None:
        """Remove an object; no error if it is not there."""
        *folders, name = check_key(key).split("/")
        with errors_as_unavailable(f"Deleting {key} from the store"):
            try:
                with self._folder(folders, make=False) as folder:
                    os.unlink(name, dir_fd=folder)
                    os.fsync(folder)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in place of an object, in one step and durable on return. Raises KeyMissing."""
        *folders, name = check_key(key).split("/")
        doing = f"Replacing {key} in the store"
        with contextlib.ExitStack() as held, errors_as_unavailable(doing):
            try:
                folder = held.enter_context(self._folder(folders, make=False))
            except (FileNotFoundError, NotADirectoryError):
                raise KeyMissing(f"There is no {key} in the store.") from None
            if not _exists(folder, name):
                raise KeyMissing(f"There is no {key} in the store.")
            file = NewFile(folder)
            held.callback(file.discard)
            file.file.write(data)
            file.take_over(name)

    def _keys(self, folders: Sequence[str]) -> Iterator[str]:
        with errors_as_unavailable("Listing the store"):
            try:
                with self._folder(folders, make=False) as folder:
                    names = sorted(_listed(folder))
            except (FileNotFoundError, NotADirectoryError):
                return
        for name in names:
            if name.endswith("/"):
                yield from self._keys([*folders, name[:-1]])
            else:
                yield "/".join([*folders, name])

    @contextlib.contextmanager
    def _folder(self, folders: Sequence[str], *, make: bool) -> Iterator[int]:
        """Descriptor of a folder below the root, reached step by step and through no link."""
        if make:
            _make_root(self._root)
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in folders:
                below = _step_into(descriptor, name, make=make)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)


class _FileSink:
    """Sink of a file that is being written."""

    def __init__(self, file: NewFile, doing: str) -> None:
        self._file = file.file
        self._doing = doing

    def write(self, data: bytes, /) -> int:
        with errors_as_unavailable(self._doing):
            return self._file.write(data)


class _FileSource:
    """Source of an open file."""

    def __init__(self, file: BinaryIO, doing: str) -> None:
        self._file = file
        self._doing = doing

    def read(self, size: int = -1, /) -> bytes:
        with errors_as_unavailable(self._doing):
            return self._file.read(size)


def _make_root(root: Path) -> None:
    """Make the root and what is missing above it, each 0700 and durable."""
    for folder in reversed([root, *root.parents]):
        if folder.exists():
            continue
        with contextlib.suppress(FileExistsError):  # another process was first
            folder.mkdir(0o700)
            folder.chmod(0o700)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _step_into(folder: int, name: str, *, make: bool) -> int:
    """Descriptor of the folder `name` in `folder`. Raises Refused for a symbolic link."""
    if make:
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            make = False
    _mode(folder, name)
    below = os.open(name, _FOLDER, dir_fd=folder)
    if make:
        os.fchmod(below, 0o700)
        os.fsync(folder)
    return below


def _open_object(folder: int, name: str) -> BinaryIO:
    if not stat.S_ISREG(_mode(folder, name)):
        raise FileNotFoundError
    # O_NONBLOCK: should a pipe have taken the file's place by now, it must not hold us up for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(name, flags, dir_fd=folder), "rb", buffering=BUFFER)


def _mode(folder: int, name: str) -> int:
    """What `name` is. Refuses a symbolic link: O_NOFOLLOW alone gives an errno that tells nobody why."""
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        raise Refused(
            f"In the store stands a symbolic link named {name}. A store holds files and folders only: "
            "put what it leads to in its place, or remove it."
        )
    return mode


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _listed(folder: int) -> Iterator[str]:
    """Names of files, and of folders with '/' after them (so that sorting them sorts whole keys)."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_segment(entry.name):
                continue
            if entry.is_symlink():
                _mode(folder, entry.name)
            elif entry.is_dir(follow_symlinks=False):
                yield f"{entry.name}/"
            elif entry.is_file(follow_symlinks=False):
                yield entry.name
