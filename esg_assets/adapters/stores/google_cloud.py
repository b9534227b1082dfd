"""A store in a bucket of Google Cloud Storage (port ObjectStore), over Google's own client.

How the bucket is looked after is in `tended_google`.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from esg_assets.adapters.stores.google_entry import TIMEOUT, GoogleEntry, translated
from esg_assets.adapters.stores.google_uploads import CHUNK_BYTES, GoogleUpload, put_new, put_over
from esg_assets.core.errors import KeyExists, KeyMissing
from esg_assets.core.object_keys import check_key, check_prefix, is_segment
from esg_assets.core.ports import Sink, Source
from esg_assets.core.store_care import AtRest, StoredObject


class GoogleObjects:
    """Objects in a bucket, below an optional prefix. Safe to use from several threads.

    For how long deletion is refused is the bucket's retention policy; ESG_RETENTION_YEARS is not put
    on single objects.
    """

    def __init__(self, entry: GoogleEntry, at_rest: AtRest) -> None:
        self._entry = entry
        self._at_rest = at_rest

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return. Raises KeyExists."""
        put_new(self._entry, check_key(key), data, self._at_rest.kms_key)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        """Stream a new object; it appears on a clean exit. Raises KeyExists, on exit at the latest."""
        check_key(key)
        with translated(f"Writing {key} to the store", key):
            if self._blob(key).exists(timeout=TIMEOUT):
                raise KeyExists(f"{key} is in the store already.")
        upload = GoogleUpload(self._entry, key, self._at_rest.kms_key)
        with contextlib.closing(upload):
            try:
                yield upload
                upload.finish()
            except BaseException:
                upload.abandon()
                raise

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""
        with translated(f"Reading {check_key(key)} from the store", key):
            return bytes(self._blob(key).download_as_bytes(timeout=TIMEOUT, checksum="crc32c"))

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        """Stream an object. Raises KeyMissing."""
        doing = f"Reading {check_key(key)} from the store"
        with translated(doing, key):
            blob = self._blob(key)
            blob.reload(timeout=TIMEOUT)
        # Requests of a range each: one long answer would run into the timeout of a slow reader.
        with blob.open("rb", chunk_size=CHUNK_BYTES, timeout=TIMEOUT) as reader:
            yield _DownloadSource(reader, doing, key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, ascending by code point."""
        yield from (each.key for each in self.listed(prefix))

    def listed(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix`, ascending by key."""
        folder = check_prefix(prefix)
        with translated("Listing the store", prefix):
            blobs = self._entry.bucket.list_blobs(
                prefix=self._entry.full(folder),
                fields="items(name,size,updated),nextPageToken",
                timeout=TIMEOUT,
            )
            found = [StoredObject(self._entry.own(blob.name), int(blob.size), blob.updated) for blob in blobs]
        whole = (each for each in found if all(map(is_segment, each.key.split("/"))))
        yield from sorted(whole, key=lambda each: each.key)

    def delete(self, key: str) -> None:
        """Remove an object; no error if it is not there."""
        with contextlib.suppress(KeyMissing), translated(f"Deleting {check_key(key)} from the store", key):
            self._blob(key).delete(timeout=TIMEOUT)

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in place of an object, in one step and durable on return. Raises KeyMissing."""
        put_over(self._entry, check_key(key), data, self._at_rest.kms_key)

    def _blob(self, key: str) -> Any:
        return self._entry.bucket.blob(self._entry.full(key))


class _DownloadSource:
    """Source of an object in the bucket."""

    def __init__(self, reader: Any, doing: str, key: str) -> None:
        self._reader = reader
        self._doing = doing
        self._key = key

    def read(self, size: int = -1, /) -> bytes:
        with translated(self._doing, self._key):
            return bytes(self._reader.read(size))
