"""Accounts from a CSV or Parquet file: on a local path, in S3 or in Google Cloud Storage.

Its rows are read in `file_rows`, an object is opened in `remote_file`. A file says who is active now,
never who was: it keeps no history.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

from obstore.exceptions import BaseError

from esg_assets.adapters.account_sources.file_rows import csv_rows, parquet_rows
from esg_assets.adapters.account_sources.remote_file import RemoteFile, translated
from esg_assets.core.errors import EsgError, NoHistory, SettingsWrong, SourceUnavailable

SUFFIXES = (".csv", ".parquet")


class FileAccountSource:
    """The firm's account list as a file that some job of the firm's writes."""

    kind = "file"

    def __init__(self, url: str, storage_options: Mapping[str, str] | None = None) -> None:
        """
        Args:
            url: a path, or an `s3://bucket/key` or `gs://bucket/key` URL, ending in .csv or .parquet.
            storage_options: for s3:// and gs:// (see `RemoteFile`).

        Raises:
            SettingsWrong: another ending, or a store that cannot be used (see `RemoteFile`).
        """
        if not url.lower().endswith(SUFFIXES):
            raise SettingsWrong(
                "ESG_ACCOUNTS_URL names a file of another kind. Wanted: an end in .csv or .parquet."
            )
        self._is_csv = url.lower().endswith(".csv")
        self._path = Path(url)
        self._remote = RemoteFile(url, storage_options or {}) if "://" in url else None

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        """See `esg_assets.core.ports.AccountSource.read`."""
        doing = f"Reading the accounts as of {as_of or 'now'} from the file"
        if as_of is not None:
            raise NoHistory(
                f"{doing}: a file keeps no history, it only knows today's accounts. Nothing was stored. "
                "Today's date can be run; for an earlier one, --current-accounts takes today's accounts, "
                "and the report says so."
            )
        return self._read(doing)

    def _read(self, doing: str) -> Iterator[Sequence[Mapping[str, object]]]:
        rows = csv_rows if self._is_csv else parquet_rows
        try:
            if self._remote is None:
                with _opened(self._path) as stream:
                    yield from rows(stream, doing)
            else:
                yield from rows(self._remote.stream() if self._is_csv else self._remote.whole(), doing)
        except _Changed:
            failure: EsgError = SourceUnavailable(
                f"{doing}: it was written to while it was read. Nothing was stored. Run again when it is "
                "complete; best, have it written under another name and renamed."
            )
        except (OSError, BaseError) as error:
            failure = _local(error, doing) if self._remote is None else translated(error, doing)
        else:
            return
        # Raised out here, so that the library's exception, with its path or URL, doesn't come along.
        raise failure


class _Changed(Exception):
    """The file is not what it was when its reading began."""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        before = os.fstat(descriptor)
        # The readers close what they are given, and the file is looked at once more after them.
        with open(descriptor, "rb", closefd=False) as file:  # Path.open takes no descriptor
            yield file
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    # A file that was replaced by another under its name is whole; one that was written into is not.
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _Changed


def _local(error: Exception, doing: str) -> EsgError:
    if isinstance(error, FileNotFoundError):
        return SourceUnavailable(
            f"{doing}: there is no such file. Nothing was stored. "
            "Check ESG_ACCOUNTS_URL, and that the job that writes the file has run."
        )
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
    return SourceUnavailable(
        f"{doing}: it cannot be read ({why}). Nothing was stored. "
        "Check the file that ESG_ACCOUNTS_URL names, and who may read it."
    )
