"""Object stores: named bytes, for records and for working data. What seals them is in `envelopes`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from esg_assets.core.ports.streams import Sink, Source


class ObjectStore(Protocol):
    """Named bytes. Keys are '/'-separated segments of [A-Za-z0-9._=-], no segment '.' or '..'.

    Raises StoreUnavailable when the store does not answer or is full, on every method.
    """

    def create(self, key: str, data: bytes) -> None:
        """Write a new object, all or nothing, durable on return. Raises KeyExists."""

    def writer(self, key: str) -> AbstractContextManager[Sink]:
        """Stream a new object: it appears whole and durable on a clean exit.

        After an exception inside the block nothing of that name appears, ever. The caller uses a
        name that is his alone (a random part in it). Memory is bounded.
        """

    def read(self, key: str) -> bytes:
        """The whole object. Raises KeyMissing."""

    def open(self, key: str) -> AbstractContextManager[Source]:
        """Stream an object; memory is bounded. Raises KeyMissing."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix` (a folder: ends with '/' or is ''), ascending by code point.

        Only whole, published objects: nothing half-written or temporary.
        """

    def delete(self, key: str) -> None:
        """Remove an object (no error if it is not there). Used on working data only."""
