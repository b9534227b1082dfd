"""The beginning of a sealed stream: which keys it names; and watching the stream while it is read.

Opening messages is in `messages`.
"""

import io

from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header

from esg_assets.adapters.envelope.keyrings import NAMESPACE
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Source

MAX_WRAPPED_KEYS = 8
"""In one message: more is refused before any is tried."""

_AES_KEY_INFO = 20
"""Bytes that follow a symmetric key's name in a message: lengths of tag and IV, and the IV."""


def peeked(source: Source) -> tuple[tuple[str, ...], Source]:
    """Names of the keys that wrapped a message's own key, and the message again from its beginning.

    Only names of symmetric keys of NAMESPACE; nothing of it is verified before the message is opened.

    Raises:
        Tampered: this does not begin as a message does.
    """
    watched = Watched(source)
    replayed = _Replayed(watched)
    try:
        header, _ = deserialize_header(replayed, MAX_WRAPPED_KEYS)
        found = [key.key_provider for key in header.encrypted_data_keys]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - altered bytes make it raise anything, as below
        if watched.failure is not None:
            raise watched.failure from None
        raise tampered() from None
    names = tuple(
        key.key_info[:-_AES_KEY_INFO].decode("ascii", "replace")
        for key in found
        if key.provider_id == NAMESPACE and len(key.key_info) > _AES_KEY_INFO
    )
    replayed.rewind()
    return names, replayed


class _Replayed:
    """A stream whose beginning, once read, is read again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen = bytearray()
        self._again: io.BytesIO | None = None

    def rewind(self) -> None:
        self._again = io.BytesIO(self._seen)

    def read(self, size: int = -1, /) -> bytes:
        if self._again is None:
            data = self._source.read(size)
            self._seen += data
            return data
        data = self._again.read(size)
        if size < 0:
            return data + self._source.read()
        # What is asked for in one piece must come in one piece: the library takes less for the end.
        return data if len(data) == size else data + self._source.read(size - len(data))


class Watched:
    """The sealed stream, remembering if reading it failed: that is no tampering."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.failure: Exception | None = None
        self.closed = False  # asked for by the library

    def read(self, size: int = -1, /) -> bytes:
        """As the sealed stream does."""
        try:
            return self._source.read(size)
        except Exception as error:
            self.failure = error
            raise


def tampered() -> Tampered:
    """What every message that does not open is told as: the library's own text can quote it."""
    return Tampered(
        "A sealed object does not open: it was altered, cut off, moved from another place, or sealed with "
        "another key. `esg-assets report verify` says what is wrong; never replace it by hand."
    )
