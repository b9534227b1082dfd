"""How a bucket of Google Cloud Storage is entered, and what its libraries' errors mean.

Credentials are found as Google's libraries find them: GOOGLE_APPLICATION_CREDENTIALS, the machine's
identity. STORAGE_EMULATOR_HOST, also theirs, is followed on loopback only.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import google.auth
import requests
from google.api_core import exceptions as answers
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from esg_assets.adapters.verified_tls import client_context, seal_off
from esg_assets.core.endpoints import checked_endpoint
from esg_assets.core.errors import KeyExists, KeyMissing, StoreUnavailable

TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and between two bytes of an answer."""

PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    answers.ServerError,
    answers.TooManyRequests,
)
"""What a repeat of the same request may mend."""

_PUBLIC = "https://storage.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)


class GoogleEntry:
    """One bucket with its client. Making it touches nothing."""

    def __init__(self, bucket: str, prefix: str, environ: Mapping[str, str]) -> None:
        """
        Args:
            bucket: its name.
            prefix: below which the store's objects are, without "/" at its ends; may be "".
            environ: where STORAGE_EMULATOR_HOST is looked up.

        Raises:
            SettingsWrong: it is plain http and leads to another machine.
        """
        self.name = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        emulator = environ.get("STORAGE_EMULATOR_HOST", "")
        self._emulator = checked_endpoint(emulator, "STORAGE_EMULATOR_HOST") if emulator else ""
        self._lock = threading.Lock()
        self._bucket: Any = None

    def full(self, key: str) -> str:
        """The name in the bucket of the store's object `key`."""
        return self._prefix + key

    def own(self, full: str) -> str:
        """The store's name of what the bucket calls `full`."""
        return full.removeprefix(self._prefix)

    @property
    def bucket(self) -> Any:
        """Google's client of the bucket; safe to use from several threads."""
        with self._lock:
            if self._bucket is None:
                self._bucket = self._client().bucket(self.name)
            return self._bucket

    def session_url(self, url: str) -> str:
        """Where an upload goes on: an emulator tells an address of its own, which need not be the one."""
        if not self._emulator:
            return url
        emulator = urlsplit(self._emulator)
        return urlunsplit(urlsplit(url)._replace(scheme=emulator.scheme, netloc=emulator.netloc))

    def open_to_anybody(self, key: str) -> bool:
        """Whether the bucket can be listed, or the store's object `key` be read, without credentials."""
        where = f"{self._emulator or _PUBLIC}/storage/v1/b/{self.name}/o"
        with requests.Session() as session:
            session.trust_env = False  # no proxy, and no credentials of a .netrc either
            replies = [
                session.get(url, params={"maxResults": "1"}, timeout=TIMEOUT, allow_redirects=False)
                for url in (where, f"{where}/{quote(self.full(key), safe='')}")
            ]
        return any(answer.status_code == requests.codes.ok for answer in replies)

    def _client(self) -> Any:
        # A project is wanted for making buckets only.
        if self._emulator:
            options = {"api_endpoint": self._emulator}
            client = storage.Client(
                project="none", credentials=AnonymousCredentials(), client_options=options
            )
        else:
            credentials, _ = google.auth.default(scopes=_SCOPES)
            client = storage.Client(project="none", credentials=credentials)
        seal_off(client._http, client_context("STORAGE"))  # noqa: SLF001 - the library has no way in for it
        return client


@contextlib.contextmanager
def translated(doing: str, key: str) -> Iterator[None]:
    """Errors of Google's libraries as KeyExists, KeyMissing or StoreUnavailable, without their text."""
    try:
        yield
    except answers.PreconditionFailed:
        raise KeyExists(f"{key} is in the store already.") from None
    except answers.NotFound as error:
        if "bucket does not exist" in str(error).lower():
            raise unavailable(doing) from None
        raise KeyMissing(f"There is no {key} in the store.") from None
    except (answers.Forbidden, answers.Unauthorized, DefaultCredentialsError, RefreshError):
        raise StoreUnavailable(
            f"{doing} failed: the store refuses these credentials, or there are none. "
            "Look at GOOGLE_APPLICATION_CREDENTIALS, and at their rights to the bucket."
        ) from None
    except (
        answers.GoogleAPIError,
        GoogleAuthError,
        InvalidResponse,
        DataCorruption,
        requests.RequestException,
        OSError,
    ):
        raise unavailable(doing) from None


def unavailable(doing: str) -> StoreUnavailable:
    """The store does not answer."""
    return StoreUnavailable(
        f"{doing} failed: the store did not answer, or not rightly, in several tries. "
        "Look whether it is up and the bucket is there; then run it again."
    )
