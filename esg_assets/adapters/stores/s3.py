"""A store in a bucket of S3 (port ObjectStore). How the bucket is looked after is in `tended_s3`."""

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import obstore
from botocore.exceptions import BotoCoreError, ClientError

from esg_assets.adapters.stores.s3_entry import S3Entry
from esg_assets.adapters.stores.s3_errors import translated
from esg_assets.adapters.stores.s3_uploads import PART_BYTES, S3Upload, put_new, put_over
from esg_assets.core.errors import KeyExists, KeyMissing
from esg_assets.core.object_keys import check_key, check_prefix, is_segment
from esg_assets.core.ports import Sink, Source
from esg_assets.core.store_care import AtRest

if TYPE_CHECKING:  # exists in obstore's stubs only
    from obstore import ReadableFile


class S3Objects:
    """Objects in a bucket, below an optional prefix. Safe to use from several threads.

    An object that was written has the retention and the encryption that `at_rest` asks for, where the
    bucket offers them.
    """

    def __init__(
        self,
        entry: S3Entry,
        at_rest: AtRest,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._entry = entry
        self._at_rest = at_rest
        self._now = now
        self._lock = threading.Lock()
        self._lock_mode: str | None = None

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return. Raises KeyExists."""
        put_new(self._entry, check_key(key), data, self._headers())

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        """Stream a new object; it appears on a clean exit. Raises KeyExists, on exit at the latest."""
        check_key(key)
        with translated(f"Writing {key} to the store", key):
            if self._there(key):
                raise KeyExists(f"{key} is in the store already.")
        upload = S3Upload(self._entry, key, self._headers())
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.abandon()
            raise

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""
        with translated(f"Reading {check_key(key)} from the store", key):
            return bytes(obstore.get(self._entry.reading, key).bytes())

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        """Stream an object. Raises KeyMissing."""
        doing = f"Reading {check_key(key)} from the store"
        # Requests of a range each: one long answer would run into the timeout of a slow reader.
        with translated(doing, key):
            reader = obstore.open_reader(self._entry.reading, key, buffer_size=PART_BYTES)
        yield _DownloadSource(reader, doing, key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, ascending by code point."""
        folder = check_prefix(prefix).removesuffix("/")
        with translated("Listing the store", prefix):
            batches = obstore.list(self._entry.reading, folder or None)
            listed = [meta["path"] for batch in batches for meta in batch]
        # Not every server lists in the order of the keys; and markers of folders are no objects.
        yield from sorted(key for key in listed if all(map(is_segment, key.split("/"))))

    def delete(self, key: str) -> None:
        """Remove an object; no error if it is not there."""
        with contextlib.suppress(KeyMissing), translated(f"Deleting {check_key(key)} from the store", key):
            obstore.delete(self._entry.reading, key)

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in place of an object, in one step and durable on return. Raises KeyMissing."""
        with translated(f"Replacing {check_key(key)} in the store", key):
            if not self._there(key):
                raise KeyMissing(f"There is no {key} in the store.")
        put_over(self._entry, key, data, self._headers())

    def _there(self, key: str) -> bool:
        try:
            obstore.head(self._entry.reading, key)
        except FileNotFoundError:
            return False
        return True

    def _headers(self) -> dict[str, Any]:
        """What goes with every object that is written."""
        headers: dict[str, Any] = {}
        if self._at_rest.kms_key:
            headers |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._at_rest.kms_key}
        if self._at_rest.retention_years and (mode := self._retention_mode()):
            until = years_after(self._now(), self._at_rest.retention_years)
            headers |= {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}
        return headers

    def _retention_mode(self) -> str:
        """The mode to lock an object in, "" if there is nothing to ask for. The bucket is asked once.

        Nothing is where the bucket has no object lock, does not tell, or locks for long enough by itself:
        a role that may lock nothing of its own accord may write there too.
        """
        with self._lock:
            if self._lock_mode is None:
                rule = object_lock(self._entry)
                enough = rule is None or locked_days(rule) >= _days(self._at_rest.retention_years)
                self._lock_mode = "" if rule is None or enough else str(rule.get("Mode", "GOVERNANCE"))
            return self._lock_mode


def object_lock(entry: S3Entry) -> dict[str, Any] | None:
    """The default retention of the bucket's object lock ({} without one), None if it has no object lock.

    None too where these credentials may not see it, or the server does not know the question.
    """
    try:
        answer = entry.writing.get_object_lock_configuration(Bucket=entry.bucket)
    except (ClientError, BotoCoreError):
        return None
    lock = answer.get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        return None
    return dict(lock.get("Rule", {}).get("DefaultRetention", {}))


def locked_days(rule: dict[str, Any]) -> int:
    """For how many days an object lock's default rule locks what is written."""
    return int(rule.get("Days", 0)) + _days(int(rule.get("Years", 0)))


def _days(years: int) -> int:
    return years * 366  # no six years have more


def years_after(moment: dt.datetime, years: int) -> dt.datetime:
    """The same day and time so many years later; 1 March after a 29 February that does not come."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)


class _DownloadSource:
    """Source of an object in the bucket."""

    def __init__(self, reader: "ReadableFile", doing: str, key: str) -> None:
        self._reader = reader
        self._doing = doing
        self._key = key

    def read(self, size: int = -1, /) -> bytes:
        with translated(self._doing, self._key):
            return bytes(self._reader.read(None if size < 0 else size))
