"""One new object of S3, written as a stream: in one request if it is small, else as an upload in parts.

Each request carries the SHA-256 of its bytes, which the server compares. The last one has the
condition that nothing has the name, so an object is never replaced, and appears whole or not at all.
"""

import base64
import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from esg_assets.adapters.stores.s3_entry import S3Entry
from esg_assets.adapters.stores.s3_errors import code, retried, translated, unavailable
from esg_assets.core.errors import KeyExists

PART_BYTES = 8 << 20
"""Of an upload or a download: 10,000 parts make 80 GiB, and two of them are in memory at most."""

_CONFLICT_TRIES = 5
_UPLOAD_GONE = frozenset({"NoSuchUpload", "PreconditionFailed", "412"})


class S3Upload:
    """Sink of an object that is being written."""

    def __init__(self, entry: S3Entry, key: str, headers: Mapping[str, Any]) -> None:
        """
        Args:
            entry: the bucket.
            key: the store's name of the object.
            headers: what goes with the object beside its bytes: encryption, retention.
        """
        self._entry = entry
        self._key = key
        self._place = {"Bucket": entry.bucket, "Key": entry.full(key)}
        self._headers = headers
        self._doing = f"Writing {key} to the store"
        self._waiting = bytearray()
        self._upload_id = ""
        self._parts: list[dict[str, Any]] = []
        self._sent = 0

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; what is more than a part goes out."""
        rest = memoryview(data)
        while rest:
            taken = rest[: PART_BYTES - len(self._waiting)]
            self._waiting += taken
            rest = rest[len(taken) :]
            if len(self._waiting) == PART_BYTES:
                self._send_part()
        return len(data)

    def finish(self) -> None:
        """Make the object appear. Raises KeyExists."""
        if not self._upload_id:
            put_new(self._entry, self._key, bytes(self._waiting), self._headers)
            return
        if self._waiting:
            self._send_part()
        with translated(self._doing, self._key):
            try:
                self._entry.writing.complete_multipart_upload(
                    **self._place,
                    UploadId=self._upload_id,
                    MultipartUpload={"Parts": self._parts},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                # An upload whose end was sent twice is gone, and its object there.
                if not (retried(error) and code(error) in _UPLOAD_GONE):
                    raise
                if self._stored_bytes() != self._sent:
                    raise KeyExists(f"{self._key} is in the store already.") from None
            if self._stored_bytes() != self._sent:
                raise unavailable(self._doing)
        self._upload_id = ""

    def abandon(self) -> None:
        """Let go of an upload that was not finished. Never raises: something else went wrong before."""
        if self._upload_id:
            with contextlib.suppress(BotoCoreError, ClientError, OSError):
                self._entry.writing.abort_multipart_upload(**self._place, UploadId=self._upload_id)

    def _send_part(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        number = len(self._parts) + 1
        checksum = _sha256(data)
        with translated(self._doing, self._key):
            client = self._entry.writing
            if not self._upload_id:
                opened = client.create_multipart_upload(
                    **self._place, **self._headers, ChecksumAlgorithm="SHA256"
                )
                self._upload_id = str(opened["UploadId"])
            sent = client.upload_part(
                **self._place,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=checksum,
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": checksum})
        self._sent += len(data)

    def _stored_bytes(self) -> int:
        return int(self._entry.writing.head_object(**self._place)["ContentLength"])


def put_new(entry: S3Entry, key: str, data: bytes, headers: Mapping[str, Any]) -> None:
    """Write a whole object under a name that nothing has. Raises KeyExists."""
    request = {"Bucket": entry.bucket, "Key": entry.full(key), "Body": data, "ChecksumSHA256": _sha256(data)}
    with translated(f"Writing {key} to the store", key):
        for tried in range(1, _CONFLICT_TRIES + 1):
            try:
                entry.writing.put_object(**request, **headers, IfNoneMatch="*")
            except ClientError as error:
                # Amazon answers so while another request of the same name is under way.
                if code(error) == "ConditionalRequestConflict" and tried < _CONFLICT_TRIES:
                    continue
                if not (retried(error) and code(error) in {"PreconditionFailed", "412"}):
                    raise
                # It arrived, its answer was lost, and it was sent again: is it ours that is there?
                stored = entry.writing.get_object(Bucket=entry.bucket, Key=entry.full(key))
                if stored["Body"].read() != data:
                    raise
            return


def put_over(entry: S3Entry, key: str, data: bytes, headers: Mapping[str, Any]) -> None:
    """Write a whole object in place of whatever has the name."""
    with translated(f"Replacing {key} in the store", key):
        entry.writing.put_object(
            Bucket=entry.bucket, Key=entry.full(key), Body=data, ChecksumSHA256=_sha256(data), **headers
        )


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
