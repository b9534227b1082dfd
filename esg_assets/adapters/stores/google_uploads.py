"""One new object of Google Cloud Storage: in one request if it is small, else by a resumable upload.

The last request has the condition that nothing has the name. What was stored is compared by size and
CRC32C, which the server computes over what it holds. After a broken connection
the server is asked how far it got.
"""

import base64
import contextlib
import random
import time
from collections.abc import Callable
from typing import Any

import google_crc32c
import requests
from google.api_core import exceptions as answers

from esg_assets.adapters.stores.google_entry import PASSING, TIMEOUT, GoogleEntry, translated, unavailable
from esg_assets.core.errors import KeyExists

CHUNK_BYTES = 8 << 20
"""Of an upload or a download; the protocol wants a multiple of 256 KiB."""

_TRIES = 9
_LONGEST_PAUSE_SECONDS = 8.0
_CONTENT_TYPE = "application/octet-stream"
_GOES_ON = 308
_DONE = frozenset({requests.codes.ok, requests.codes.created})
_UPLOAD_GONE = frozenset({404, 410})
_ASK_AGAIN = frozenset({408, 429, 500, 502, 503, 504})

Sleep = Callable[[float], None]


class GoogleUpload:
    """Sink of an object that is being written."""

    def __init__(self, entry: GoogleEntry, key: str, kms_key: str, sleep: Sleep = time.sleep) -> None:
        self._entry = entry
        self._key = key
        self._kms_key = kms_key
        self._sleep = sleep
        self._doing = f"Writing {key} to the store"
        self._waiting = bytearray()
        self._session: requests.Session | None = None
        self._url = ""
        self._sent = 0
        self._checksum = google_crc32c.Checksum()

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; a chunk goes out when more than one is there, so that a last one is left."""
        rest = memoryview(data)
        while rest:
            if len(self._waiting) == CHUNK_BYTES:
                self._send(last=False)
            taken = rest[: CHUNK_BYTES - len(self._waiting)]
            self._waiting += taken
            rest = rest[len(taken) :]
        return len(data)

    def finish(self) -> None:
        """Make the object appear. Raises KeyExists."""
        if not self._url:
            put_new(self._entry, self._key, bytes(self._waiting), self._kms_key, self._sleep)
            return
        self._send(last=True)

    def abandon(self) -> None:
        """Let go of an upload that was not finished. Never raises: something else went wrong before."""
        if self._url and self._session is not None:
            with contextlib.suppress(requests.RequestException):
                self._session.delete(self._url, timeout=TIMEOUT)

    def close(self) -> None:
        """Release the connection."""
        if self._session is not None:
            self._session.close()

    def _send(self, *, last: bool) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        with translated(self._doing, self._key):
            if not self._url:
                self._begin()
            self._checksum.update(data)
            end = self._sent + len(data)
            stored = self._sent_whole(data, end, last=last)
            if (last or stored) and not (last and self._is_what_was_sent(stored, end)):
                self._take_back(stored)
                raise unavailable(self._doing)
            self._sent = end

    def _begin(self) -> None:
        blob = _blob(self._entry, self._key, self._kms_key)
        url = blob.create_resumable_upload_session(
            content_type=_CONTENT_TYPE, if_generation_match=0, timeout=TIMEOUT
        )
        # The address is the credential of this one upload: nothing else goes with its requests.
        self._url = self._entry.session_url(str(url))
        self._session = requests.Session()
        self._session.trust_env = False  # proxies of the environment are not asked

    def _sent_whole(self, data: bytes, end: int, *, last: bool) -> dict[str, Any]:
        """Send until the server has all up to `end`; what it says of the object if there is one now."""
        start = self._sent
        for tried in range(_TRIES):
            try:
                answer = self._put(data[start - self._sent :], start, end, last=last)
                if answer.status_code in _ASK_AGAIN:
                    pause(tried, self._sleep)
                    answer = self._asked(end if last else None)
            except PASSING:
                pause(tried, self._sleep)
                try:
                    answer = self._asked(end if last else None)
                except PASSING:
                    continue
            if answer.status_code in _DONE:
                return dict(answer.json())
            if answer.status_code == _GOES_ON:
                start = max(self._sent, _persisted(answer))
                if start == end and not last:
                    return {}
            elif answer.status_code in _UPLOAD_GONE:
                raise unavailable(self._doing)
            elif answer.status_code not in _ASK_AGAIN:
                raise answers.from_http_status(answer.status_code, "an upload in parts")
        raise unavailable(self._doing)

    def _put(self, data: bytes, start: int, end: int, *, last: bool) -> requests.Response:
        span = f"{start}-{end - 1}" if data else "*"
        return self._request(data, f"bytes {span}/{end if last else '*'}")

    def _asked(self, end: int | None) -> requests.Response:
        """How far did it get?"""
        return self._request(b"", f"bytes */{'*' if end is None else end}")

    def _request(self, data: bytes, content_range: str) -> requests.Response:
        assert self._session is not None
        return self._session.put(
            self._url,
            data=data,
            headers={"Content-Range": content_range},
            timeout=TIMEOUT,
            allow_redirects=False,
        )

    def _is_what_was_sent(self, stored: dict[str, Any], end: int) -> bool:
        checksum = _text_of(self._checksum)
        return int(stored.get("size", -1)) == end and stored.get("crc32c") == checksum

    def _take_back(self, stored: dict[str, Any]) -> None:
        """Remove what is not what was sent: its name is the caller's alone, and nobody has heard of it."""
        generation = stored.get("generation")
        with contextlib.suppress(answers.GoogleAPIError, requests.RequestException):
            blob = _blob(self._entry, self._key, "")
            blob.delete(if_generation_match=None if generation is None else int(generation), timeout=TIMEOUT)


def put_new(entry: GoogleEntry, key: str, data: bytes, kms_key: str, sleep: Sleep = time.sleep) -> None:
    """Write a whole object under a name that nothing has. Raises KeyExists."""
    with translated(f"Writing {key} to the store", key):
        for tried in range(_TRIES):
            try:
                # Repeated here and not by the library: only so can a loss of the first answer be told.
                _upload(_blob(entry, key, kms_key), data, if_generation_match=0, retry=None)
            except answers.PreconditionFailed:
                if tried and _blob(entry, key, "").download_as_bytes(timeout=TIMEOUT) == data:
                    return
                raise KeyExists(f"{key} is in the store already.") from None
            except PASSING:
                if tried == _TRIES - 1:
                    raise
                pause(tried, sleep)
            else:
                return


def put_over(entry: GoogleEntry, key: str, data: bytes, kms_key: str) -> None:
    """Write a whole object in place of the one of that name. Raises KeyMissing."""
    with translated(f"Replacing {key} in the store", key):
        there = _blob(entry, key, "")
        there.reload(timeout=TIMEOUT)
        _upload(_blob(entry, key, kms_key), data, if_generation_match=there.generation)


def pause(tried: int, sleep: Sleep) -> None:
    """Wait before the next try: longer each time, and not as long as others."""
    sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.1 * 2**tried)))  # noqa: S311 - no secret


def _text_of(checksum: Any) -> str:
    """A CRC32C as Google writes it: base64 of its four bytes."""
    return base64.b64encode(checksum.digest()).decode()


def _upload(blob: Any, data: bytes, **conditions: Any) -> None:
    blob.upload_from_string(
        data, content_type=_CONTENT_TYPE, checksum="crc32c", timeout=TIMEOUT, **conditions
    )


def _blob(entry: GoogleEntry, key: str, kms_key: str) -> Any:
    return entry.bucket.blob(entry.full(key), kms_key_name=kms_key or None)


def _persisted(answer: requests.Response) -> int:
    """How many bytes the server says that it has: `Range: bytes=0-42` are 43, none at all is 0."""
    _, _, last = answer.headers.get("Range", "").rpartition("-")
    return int(last) + 1 if last.isascii() and last.isdigit() else 0
