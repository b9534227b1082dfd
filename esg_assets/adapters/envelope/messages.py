"""Encryption SDK messages as streams: seal by writing, open by reading.

AES-256-GCM with key commitment, in frames of 1 MiB, so that memory stays bounded whatever the size.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

from esg_assets.adapters.envelope.headers import MAX_WRAPPED_KEYS, Watched, tampered
from esg_assets.adapters.envelope.keyrings import Keyring
from esg_assets.core.errors import EsgError, Refused
from esg_assets.core.ports import Context, Sink, Source

FRAME_BYTES = 1 << 20

WORKING_SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
RECIPIENT_SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
# Added by the library to the context of a signed message: the public half of the message's own key.
_LIBRARY_CONTEXT = {WORKING_SUITE: frozenset[str](), RECIPIENT_SUITE: frozenset({"aws-crypto-public-key"})}


Failures = Callable[[], EsgError | None]


def no_failures() -> None:
    """Of keys that ask nobody."""


def _client() -> aws_encryption_sdk.EncryptionSDKClient:
    return aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
        max_encrypted_data_keys=MAX_WRAPPED_KEYS,
    )


@contextlib.contextmanager
def seal(
    keyring: Keyring, suite: AlgorithmSuite, sink: Sink, context: Context, asked: Failures = no_failures
) -> Iterator[Sink]:
    """Plaintext written to the inner sink arrives in `sink` as one message; complete on a clean exit.

    Args:
        keyring: wraps the message's key.
        suite: what the message is.
        sink: takes the message.
        context: what it is bound to.
        asked: tells why a key service refused, and forgets it.
    """
    asked()
    pending = _Pending()
    encryptor = _client().stream(
        mode="e",
        source=pending,
        keyring=keyring,
        algorithm=suite,
        encryption_context=dict(context),
        frame_length=FRAME_BYTES,
    )
    sealing = _Sealing(encryptor, pending, sink, asked)
    sealing.start()
    yield sealing
    # Not in a finally: without its last frame, what an exception leaves behind opens for nobody.
    sealing.finish()


class _Pending:
    """Plaintext that waits to be sealed; the source that the library reads from."""

    def __init__(self) -> None:
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        self._data += data

    def read(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken


class _Sealing:
    """Sink of plaintext. The library pulls from a source; this turns that into pushing."""

    def __init__(self, encryptor: Any, pending: _Pending, sink: Sink, asked: Failures) -> None:
        self._encryptor = encryptor
        self._asked = asked
        self._pending = pending
        self._sink = sink

    def write(self, data: bytes, /) -> int:
        view = memoryview(data)
        for start in range(0, len(view), FRAME_BYTES):  # a large write must not double in memory
            self._pending.add(view[start : start + FRAME_BYTES].tobytes())
            # Only when a whole frame waits: the library takes a short read for the end.
            while len(self._pending) >= FRAME_BYTES:
                self._sink.write(self._pull())
        return len(view)

    def start(self) -> None:
        """Make and wrap the message's key now: keys that do not work are refused before any data."""
        self._checked(lambda: self._encryptor.header)

    def finish(self) -> None:
        while sealed := self._pull():
            self._sink.write(sealed)
        self._encryptor.close()

    def _pull(self) -> bytes:
        return bytes(self._checked(lambda: self._encryptor.read(FRAME_BYTES)))

    def _checked(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except MemoryError:
            raise
        # Neither reading nor writing is in here, and the library wraps some errors of the material
        # providers and lets others through.
        except Exception:  # noqa: BLE001 - as said above
            raise self._asked() or Refused(
                "Sealing failed: the encryption library refuses the keys or the context. "
                "`esg-assets doctor` examines the keys."
            ) from None


@contextlib.contextmanager
def open_sealed(
    keyring: Keyring,
    suite: AlgorithmSuite,
    source: Source,
    context: Context,
    asked: Failures = no_failures,
) -> Iterator[Source]:
    """Plaintext of the message in `source`, made for exactly this context with this suite.

    Every byte has passed its frame's check; that the message is whole, and nothing follows it, is
    known when the end has been read or the block was left without an exception.

    `asked` tells why a key service refused, and forgets it.

    Raises:
        Tampered: anything else than that; on entry, on reading or on exit.
        EsgError: what `asked` gives.
    """
    asked()
    watched = Watched(source)
    decryptor = _client().stream(
        mode="d",
        source=watched,
        keyring=keyring,
        encryption_context=dict(context),
        max_body_length=FRAME_BYTES,
    )
    opened = _Opened(decryptor, watched, asked)
    try:
        opened.check_header(suite, context)
        yield opened
        opened.finish()
    finally:
        # Its own close() raises when the end was not reached, and would again when it is collected.
        io.IOBase.close(decryptor)


class _Opened:
    """Source of plaintext, frame by verified frame."""

    def __init__(self, decryptor: Any, watched: Watched, asked: Failures) -> None:
        self._decryptor = decryptor
        self._asked = asked
        self._watched = watched
        self._buffer = io.BytesIO()
        self._ended = False

    def check_header(self, suite: AlgorithmSuite, context: Mapping[str, str]) -> None:
        """The message is of the kind that is expected here, and made for exactly this context."""
        header = self._verified(lambda: self._decryptor.header)
        found = dict(header.encryption_context)
        for name in _LIBRARY_CONTEXT[suite]:
            found.pop(name, None)
        # The library accepts a context with pairs missing.
        if header.algorithm is not suite or found != dict(context):
            raise tampered()

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return self._buffer.read() + b"".join(iter(self._frame, b""))
        parts, wanted = [], size
        while wanted > 0:
            part = self._buffer.read(wanted)
            if not part:
                self._buffer = io.BytesIO(self._frame())
                part = self._buffer.read(wanted)
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Read to the end, if the reader has not: only there are signature and length checked."""
        while self._frame():
            pass

    def _frame(self) -> bytes:
        """The next frame, b"" at the end (where it is checked that nothing follows)."""
        if self._ended:
            return b""
        frame = bytes(self._verified(lambda: self._decryptor.read(FRAME_BYTES)))
        if not frame:
            self._ended = True
            # The library ignores what follows a message.
            if self._verified(lambda: self._watched.read(1)):
                raise tampered()
        return frame

    def _verified(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except MemoryError:
            raise
        # Altered bytes make the library and what it builds on raise anything: its own errors, struct's,
        # Unicode's, OpenSSL's, the material providers'. All of it means the same, and its text can
        # quote the message.
        except Exception:  # noqa: BLE001 - as said above
            if self._watched.failure is not None:
                raise self._watched.failure from None
            raise (self._asked() or tampered()) from None
