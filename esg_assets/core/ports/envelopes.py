"""Sealing: bytes that only a holder of a key can read, bound to what they are."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from esg_assets.core.ports.streams import Sink, Source

Context = Mapping[str, str]
"""Encryption context: what a sealed object is (environment, kind, partition …); not secret, always whole."""


class Envelope(Protocol):
    """AES-256-GCM sealing of a stream; the whole context is given again to open it."""

    def seal(self, sink: Sink, context: Context) -> AbstractContextManager[Sink]:
        """Plaintext written to the inner sink arrives sealed in `sink`; complete on a clean exit."""

    def open(self, source: Source, context: Context) -> AbstractContextManager[Source]:
        """Plaintext of a sealed stream, in verified frames.

        The reader must read to the end before it believes a byte: only then, and on exit, are
        signature, end of message and appended bytes checked.

        Raises:
            Tampered: wrong key, wrong or incomplete context, altered, cut off or appended bytes.
        """
