"""Stores behind S3 or Google Cloud Storage, over obstore (port ObjectStore).

The bucket's own protection (versioning, object lock, encryption at rest, a lifecycle rule that ends
multipart uploads which a killed process left) is set on the bucket, not here. A folder on this
machine is in `local`.
"""

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import GCSStore, S3Store

from esg_assets.core.errors import KeyExists, KeyMissing, SettingsWrong, StoreUnavailable
from esg_assets.core.object_keys import check_key, check_prefix, is_segment
from esg_assets.core.ports import Sink, Source

if TYPE_CHECKING:  # these types exist in obstore's stubs only
    from obstore import ReadableFile, WritableFile
    from obstore.store import ClientConfig, GCSConfig, RetryConfig

PART_BYTES = 8 << 20
"""Of an upload or a download: 10,000 parts make 80 GiB, and three of them are in memory at most."""

_CONCURRENT_PARTS = 2
_S3_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
)
_RETRY: "RetryConfig" = {"max_retries": 8, "retry_timeout": timedelta(seconds=90)}


class RemoteStore:
    """Objects in a bucket, below an optional prefix. Safe to use from several threads.

    `create` is the server's conditional write. `writer` looks whether the name is taken when it
    begins: the protocol of a multipart upload has no condition that all servers keep.
    """

    def __init__(self, store: S3Store | GCSStore) -> None:
        self._store = store

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return.

        Raises:
            KeyExists: also when this very write had arrived, its answer was lost, and it was sent
                again: who cares reads what is there.
        """
        with _translated(f"Writing {check_key(key)} to the store", key):
            obstore.put(self._store, key, data, mode="create", use_multipart=False)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        """Stream a new object; it appears on a clean exit. Raises KeyExists."""
        doing = f"Writing {check_key(key)} to the store"
        with _translated(doing, key):
            if self._there(key):
                raise KeyExists(f"{key} is in the store already.")
            writer = obstore.open_writer(
                self._store, key, buffer_size=PART_BYTES, max_concurrency=_CONCURRENT_PARTS
            )
        # Entered by hand: its errors are translated, those of the caller's block are not.
        try:
            yield _UploadSink(writer, doing, key)
        except BaseException as error:
            # Its exit aborts the upload. That this fails too must not hide why it is aborted.
            with contextlib.suppress(BaseError, OSError):
                writer.__exit__(type(error), error, error.__traceback__)
            raise
        with _translated(doing, key):
            writer.close()

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""
        with _translated(f"Reading {check_key(key)} from the store", key):
            return bytes(obstore.get(self._store, key).bytes())

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        """Stream an object. Raises KeyMissing."""
        doing = f"Reading {check_key(key)} from the store"
        # Requests of a range each: one long answer would run into the timeout of a slow reader.
        with _translated(doing, key):
            reader = obstore.open_reader(self._store, key, buffer_size=PART_BYTES)
        yield _DownloadSource(reader, doing, key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, ascending by code point."""
        folder = check_prefix(prefix).removesuffix("/")
        with _translated("Listing the store", prefix):
            listed = [meta["path"] for batch in obstore.list(self._store, folder or None) for meta in batch]
        # Not every server lists in the order of the keys; and markers of folders are no objects.
        yield from sorted(key for key in listed if all(map(is_segment, key.split("/"))))

    def delete(self, key: str) -> None:
        """Remove an object; no error if it is not there."""
        with contextlib.suppress(KeyMissing), _translated(f"Deleting {check_key(key)} from the store", key):
            obstore.delete(self._store, key)

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in place of an object, in one step and durable on return. Raises KeyMissing."""
        with _translated(f"Replacing {check_key(key)} in the store", key):
            if not self._there(key):
                raise KeyMissing(f"There is no {key} in the store.")
            obstore.put(self._store, key, data, mode="overwrite", use_multipart=False)

    def _there(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True


def s3_store(bucket: str, prefix: str, environ: Mapping[str, str]) -> RemoteStore:
    """An S3 bucket, entered with the standard AWS_* variables of `environ`.

    Understood are those in _S3_VARIABLES and AWS_CA_BUNDLE; obstore reads the process's own for what
    is not among them, and the identity of the machine or container last. Profiles of
    ~/.aws are not read. Plain http is for an endpoint on loopback only.

    Raises:
        SettingsWrong: AWS_ENDPOINT_URL is plain http and leads elsewhere, or AWS_CA_BUNDLE is unreadable.
    """
    config = {name.lower(): environ[name] for name in _S3_VARIABLES if environ.get(name)}
    plain_http = False
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        url = environ.get(name, "")
        if url.startswith("http://"):
            plain_http = True
            if not _on_loopback(url):
                raise SettingsWrong(
                    f"{name} is plain http and leads to another machine: objects and credentials would "
                    "be readable on the way. Use https."
                )
    options = _client(plain_http=plain_http, ca_bundle=environ.get("AWS_CA_BUNDLE", ""))
    store = S3Store(
        bucket,
        prefix=prefix or None,
        config=config,  # type: ignore[arg-type]  # a TypedDict, of names known at run time only
        client_options=options,
        retry_config=_RETRY,
    )
    return RemoteStore(store)


def gcs_store(bucket: str, prefix: str, environ: Mapping[str, str]) -> RemoteStore:
    """A Google Cloud Storage bucket; obstore finds the credentials as Google's libraries do."""
    config: GCSConfig = {}
    if account := environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        config["application_credentials"] = account
    store = GCSStore(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options=_client(plain_http=False),
        retry_config=_RETRY,
    )
    return RemoteStore(store)


class _UploadSink:
    """Sink of an object that is being uploaded."""

    def __init__(self, writer: "WritableFile", doing: str, key: str) -> None:
        self._writer = writer
        self._doing = doing
        self._key = key

    def write(self, data: bytes, /) -> int:
        with _translated(self._doing, self._key):
            return self._writer.write(data)


class _DownloadSource:
    """Source of an object in the bucket."""

    def __init__(self, reader: "ReadableFile", doing: str, key: str) -> None:
        self._reader = reader
        self._doing = doing
        self._key = key

    def read(self, size: int = -1, /) -> bytes:
        with _translated(self._doing, self._key):
            return bytes(self._reader.read(None if size < 0 else size))


def _client(*, plain_http: bool, ca_bundle: str = "") -> "ClientConfig":
    options: ClientConfig = {
        "allow_http": plain_http,
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=60),
        "user_agent": "esg_assets",
    }
    if ca_bundle:
        try:
            options["root_certificate"] = Path(ca_bundle).read_bytes()
        except OSError as error:
            raise SettingsWrong(
                f"AWS_CA_BUNDLE names a file that cannot be read: {error.strerror}."
            ) from None
    return options


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _translated(doing: str, key: str) -> Iterator[None]:
    """Errors of obstore as ours, without their text: it holds URLs, and may hold answers of a server."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise KeyExists(f"{key} is in the store already.") from None
    except (BaseError, OSError) as error:
        text = str(error)
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text:
            raise KeyMissing(f"There is no {key} in the store.") from None
        # Listing says it in the text only.
        refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        if refused or "403 Forbidden" in text or "401 Unauthorized" in text:
            raise StoreUnavailable(
                f"{doing} failed: the store refuses these credentials. "
                "Look at their rights to the bucket, and whether they have expired."
            ) from None
        raise StoreUnavailable(
            f"{doing} failed: the store did not answer, or not rightly, in several tries. "
            "Look whether it is up and the bucket is there; then run it again."
        ) from None
