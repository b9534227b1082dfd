"""Streams that keep count of what passes: size and SHA-256."""

import hashlib

from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Sink, Source
from esg_assets.core.publication import StoredObject

_CHUNK = 1 << 20


class CountedSink:
    """Passes bytes on to a sink and remembers how many and their digest."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes, /) -> int:
        """Pass `data` on."""
        self._digest.update(data)
        self.bytes += len(data)
        return self._sink.write(data)

    @property
    def sha256(self) -> str:
        """Digest of what was written so far."""
        return self._digest.hexdigest()


class CountedSource:
    """Passes bytes on from a source and remembers how many and their digest."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        data = self._source.read(size)
        self._digest.update(data)
        self.bytes += len(data)
        return data

    def drain(self) -> "CountedSource":
        """Read to the end."""
        while self.read(_CHUNK):
            pass
        return self

    @property
    def sha256(self) -> str:
        """Digest of what was read so far."""
        return self._digest.hexdigest()


class RecordedSource(CountedSource):
    """An object that must be the one the chain names."""

    def __init__(self, source: Source, recorded: StoredObject, what: str) -> None:
        super().__init__(source)
        self._recorded = recorded
        self._what = what

    def finish(self) -> None:
        """Read to the end and compare. Raises Tampered."""
        found = self.drain()
        if (found.bytes, found.sha256) != (self._recorded.bytes, self._recorded.sha256):
            raise Tampered(
                f"Opening {self._what}: the store holds {found.bytes:,} bytes that are not the "
                f"{self._recorded.bytes:,} bytes of its chain entry. `esg-assets report verify` tells more."
            )
