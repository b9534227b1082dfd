"""Working data: sealed with one current key, opened with that and with former ones.

A working key is 32 bytes of a file (`FileWorkingKey`) or a key in a KMS (`KmsWorkingKey` in
`esg_assets.adapters.envelope.data_keys`). Every message names the key that sealed it, so the right
one is taken and no other is tried.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from esg_assets.adapters.envelope.headers import peeked
from esg_assets.adapters.envelope.keyrings import Keyring, aes_keyring, working_key_name
from esg_assets.adapters.envelope.messages import WORKING_SUITE, open_sealed, seal
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Context, Sink, Source


class WorkingKey(Protocol):
    """A key that working data is sealed with."""

    @property
    def name(self) -> str:
        """As messages name it: tells keys apart, and nothing about them."""

    def keyring(self, context: Context, *, make: bool) -> Keyring:
        """What wraps and unwraps the keys of messages made for `context`.

        Args:
            context: of the message; a KMS is asked once for each of its partitions.
            make: whether something is to be sealed, so that what is missing may be made.

        Raises:
            Tampered: what the messages of this partition were sealed with is gone or altered.
            Refused, Unavailable: the KMS said no, or nothing.
        """


class FileWorkingKey:
    """32 bytes that the host keeps in a file; they wrap the key of each message."""

    def __init__(self, key: bytes) -> None:
        self._keyring = aes_keyring(key, working_key_name(key))
        self.name = working_key_name(key)

    def keyring(self, context: Context, *, make: bool) -> Keyring:
        """The same for all messages."""
        del context, make
        return self._keyring


class WorkingEnvelope:
    """Seals with the current working key; opens with that or a former one: what the host reads again.

    To rotate: make an envelope of the new key as current and all older ones as former. Everything
    opens at once, and what is written from now on is sealed with the new key. To re-seal what is kept,
    read each object's `sealed_with`, and where it is not `name`, open it and seal it again for the
    same context. When no object is left whose `sealed_with` is a former key's name, that key can go.

    Args:
        current: the key, or its 32 bytes, that seals.
        former: keys that only open, in any order; one that is the current one again is no fault.
    """

    def __init__(self, current: "WorkingKey | bytes", former: "Sequence[WorkingKey | bytes]" = ()) -> None:
        self._current = _as_key(current)
        self._keys = {key.name: key for key in map(_as_key, reversed(former))}
        self._keys[self._current.name] = self._current

    @property
    def name(self) -> str:
        """Name of the current key."""
        return self._current.name

    @property
    def names(self) -> frozenset[str]:
        """Names of all keys that this opens with."""
        return frozenset(self._keys)

    @contextlib.contextmanager
    def seal(self, sink: Sink, context: Context) -> Iterator[Sink]:
        """Plaintext written to the inner sink arrives sealed in `sink`; complete on a clean exit."""
        with seal(self._current.keyring(context, make=True), WORKING_SUITE, sink, context) as sealing:
            yield sealing

    @contextlib.contextmanager
    def open(self, source: Source, context: Context) -> Iterator[Source]:
        """Plaintext of a sealed stream, in verified frames. Raises Tampered."""
        names, whole = peeked(source)
        with open_sealed(self._key_of(names).keyring(context, make=False), WORKING_SUITE, whole, context) as (
            opened
        ):
            yield opened

    def sealed_with(self, source: Source) -> str:
        """Name of the key that a message says it was sealed with; reads its header and nothing more.

        Nothing of it is verified: believe it for choosing what to re-seal, which opens the message.

        Raises:
            Tampered: this is no message, or none of `names` sealed it.
        """
        names, _ = peeked(source)
        return self._key_of(names).name

    def _key_of(self, names: Sequence[str]) -> WorkingKey:
        for name in names:
            if name in self._keys:
                return self._keys[name]
        raise Tampered(
            "Opening working data: neither ESG_WORKING_KEY nor a former working key sealed it, or it was "
            "altered. Put the key that was in use then back: beside the working key's file as NAME.1, or "
            "into ESG_FORMER_WORKING_KEYS."
        )


def _as_key(key: "WorkingKey | bytes") -> WorkingKey:
    return FileWorkingKey(key) if isinstance(key, bytes) else key
