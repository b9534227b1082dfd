"""A store in a folder, with what looking after it needs (port TendedStore)."""

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.stores.local_errors import errors_as_unavailable
from esg_assets.adapters.stores.new_files import TEMPORARY_NAME
from esg_assets.core.object_keys import is_segment
from esg_assets.core.store_care import Leftover, Protection, StoredObject

_KIND = "temporary file"


class TendedFolder(LocalStore):
    """Objects as files below a folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._below = Path(root).absolute()

    def listed(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix`, ascending by key."""
        for key in self.keys(prefix):
            with errors_as_unavailable("Listing the store"):
                found = _status(self._below / key)
            if found is not None:  # else it was removed meanwhile
                yield StoredObject(key, found.st_size, _time(found))

    def leftovers(self) -> list[Leftover]:
        """Temporary files of killed writers; only where the file system has no nameless ones."""
        found = []
        with errors_as_unavailable("Looking for temporary files in the store"):
            for folder, _, names in os.walk(self._below, onerror=_unless_missing):
                for name in filter(TEMPORARY_NAME.fullmatch, names):
                    path = Path(folder, name)
                    status = _status(path)
                    if status is not None and stat.S_ISREG(status.st_mode):
                        where = path.relative_to(self._below).as_posix()
                        found.append(Leftover(_KIND, where, _time(status), where))
        return sorted(found, key=lambda each: each.name)

    def remove_leftover(self, leftover: Leftover) -> None:
        """Remove it; no error if it is gone."""
        *folders, name = leftover.reference.split("/")
        if leftover.kind != _KIND or not TEMPORARY_NAME.fullmatch(name) or not all(map(is_segment, folders)):
            raise ValueError("no leftover of this store")
        with errors_as_unavailable("Removing a temporary file from the store"):
            try:
                with self._folder(folders, make=False) as folder:
                    os.unlink(name, dir_fd=folder)
                    os.fsync(folder)
            except (FileNotFoundError, NotADirectoryError):
                return

    def protection(self) -> Protection:
        """A folder's protection is the host's; the store's own part is its modes."""
        return Protection(bucket=False)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _time(status: os.stat_result) -> dt.datetime:
    return dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
