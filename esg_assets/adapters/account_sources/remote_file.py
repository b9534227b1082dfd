"""One object of S3 or Google Cloud Storage, opened to be read once from beginning to end.

The stores of records and working data are not here (`esg_assets.adapters.stores`).
"""

import io
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore import exceptions as remote
from obstore.store import GCSStore, S3Store

from esg_assets.adapters.bucket_transport import S3_VARIABLES, client_options, plain_endpoint
from esg_assets.core.errors import AccessDenied, EsgError, SettingsWrong, SourceUnavailable

if TYPE_CHECKING:  # types of obstore that exist in its stubs only
    from obstore.store import ClientConfig, RetryConfig

SCHEMES = ("s3", "gs")

_CHUNK = 4 * 1024 * 1024
_RETRY: "RetryConfig" = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}
_S3_OPTIONS = (
    *S3_VARIABLES,
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class RemoteFile:
    """An object that is read whole, in one request: ranges could mix an old and a new version of it."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """
        Args:
            url: `s3://bucket/key` or `gs://bucket/key`.
            options: the standard AWS_* variables, or GOOGLE_APPLICATION_CREDENTIALS; other names in it
                are ignored. What isn't there, obstore looks for in the process's own environment, and
                last in the identity of the machine.

        Raises:
            SettingsWrong: no bucket or key, or an endpoint or certificate file that cannot be used.
        """
        scheme, _, rest = url.partition("://")
        bucket, _, self._key = rest.partition("/")
        if not bucket or not self._key:
            raise SettingsWrong(
                "ESG_ACCOUNTS_URL holds no bucket and key. Wanted: s3://bucket/key.csv, or gs://."
            )
        self._store = _s3(bucket, options) if scheme.lower() == "s3" else _gcs(bucket, options)

    def stream(self) -> BinaryIO:
        """Its bytes as they come. Raises obstore's exceptions and OSError, also while it is read."""
        return io.BufferedReader(_Pieces(obstore.get(self._store, self._key).stream(_CHUNK)), _CHUNK)

    def whole(self) -> BinaryIO:
        """All of it, in memory: for a format that is read from its end. Raises as `stream`."""
        return io.BytesIO(obstore.get(self._store, self._key).bytes())


def translated(error: Exception, doing: str) -> EsgError:
    """An exception of `RemoteFile` in words of ours: obstore's hold URLs and answers of the server."""
    if isinstance(error, remote.PermissionDeniedError | remote.UnauthenticatedError | PermissionError):
        return AccessDenied(
            f"{doing}: the object store refuses this client. Nothing was stored. "
            "Check the credentials (AWS_*), and that they may read the object that ESG_ACCOUNTS_URL names."
        )
    if isinstance(error, remote.NotFoundError | FileNotFoundError):
        return SourceUnavailable(
            f"{doing}: there is no such object. Nothing was stored. "
            "Check ESG_ACCOUNTS_URL, and that the job that writes the file has run."
        )
    return SourceUnavailable(
        f"{doing}: the object store does not answer, or broke off ({type(error).__name__}). "
        "Nothing was stored. A later run may succeed; if it lasts, check ESG_ACCOUNTS_URL and the store."
    )


def _s3(bucket: str, options: Mapping[str, str]) -> S3Store:
    config = {name.lower(): options[name] for name in _S3_OPTIONS if options.get(name)}
    return S3Store(
        bucket,
        config=config,  # type: ignore[arg-type]  # a TypedDict, of names known at run time only
        client_options=_client(
            plain_http=plain_endpoint(options), ca_bundle=options.get("AWS_CA_BUNDLE", "")
        ),
        retry_config=_RETRY,
    )


def _gcs(bucket: str, options: Mapping[str, str]) -> GCSStore:
    account = options.get("GOOGLE_APPLICATION_CREDENTIALS")
    client = _client(plain_http=False)
    if account:
        return GCSStore(bucket, application_credentials=account, client_options=client, retry_config=_RETRY)
    return GCSStore(bucket, client_options=client, retry_config=_RETRY)


def _client(*, plain_http: bool, ca_bundle: str = "") -> "ClientConfig":
    return {
        **client_options(plain_http=plain_http, ca_bundle=ca_bundle),
        "read_timeout": timedelta(seconds=30),
        "timeout": timedelta(seconds=900),  # for the whole object, however slowly its rows are taken
    }


class _Pieces(io.RawIOBase):
    """A stream of pieces as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed: Buffer
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
