"""Bytes in order: what stores and envelopes read from and write to."""

from typing import Protocol


class Source(Protocol):
    """Bytes to read, in order, once."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes (all that is left for -1); b"" at the end."""


class Sink(Protocol):
    """Bytes to write, in order, once."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`; return its length."""
