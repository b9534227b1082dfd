"""Signing publications and verifying their signatures, with Ed25519 (ports Signer and Keyring)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from esg_assets.adapters.keys.loading import fingerprint, load_signing_key, load_verify_key
from esg_assets.core.errors import Refused, SettingsWrong

MAX_STATEMENT_BYTES = 4096
"""What a KMS signs at most: so a key can move there without a new kind of statement."""

_ITEM = re.compile(r"(?P<file>.+?)(?:@(?P<first>[0-9]{1,12})(?:-(?P<last>[0-9]{1,12}))?)?")


class Ed25519Signer:
    """Signs with a private key of this process (port Signer)."""

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self._name = fingerprint(key.public_key())

    @classmethod
    def from_file(cls, path: Path) -> "Ed25519Signer":
        """The signer with the key in `path`. Raises SettingsWrong."""
        return cls(load_signing_key(path))

    @property
    def name(self) -> str:
        """Fingerprint of the public half."""
        return self._name

    def sign(self, statement: bytes) -> bytes:
        """The signature of `statement`, 64 bytes. Raises Refused if it is too long."""
        if len(statement) > MAX_STATEMENT_BYTES:
            raise Refused(f"A statement of {len(statement):,} bytes is too long to sign; sign its digest.")
        return self._key.sign(statement)


@dataclass(frozen=True)
class VerifyKey:
    """A public key and the chain sequences at which it may have signed.

    Attributes:
        key: the public key.
        first: the first sequence at which it is valid.
        last: the last one, None without end.
    """

    key: ed25519.Ed25519PublicKey
    first: int = 0
    last: int | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise SettingsWrong(f"A key that is valid from {self.first} to {self.last} is never valid.")

    def valid_at(self, sequence: int) -> bool:
        """Whether it may have signed the entry of that sequence."""
        return self.first <= sequence and (self.last is None or sequence <= self.last)


class Ed25519Keyring:
    """Who may have signed what (port Keyring)."""

    def __init__(self, keys: Iterable[VerifyKey]) -> None:
        self._keys: dict[str, list[VerifyKey]] = {}
        for key in keys:
            self._keys.setdefault(fingerprint(key.key), []).append(key)
        if not self._keys:
            raise SettingsWrong("There is no key to verify signatures with: ESG_VERIFY_KEYS is empty.")

    @classmethod
    def from_items(cls, items: Iterable[str]) -> "Ed25519Keyring":
        """The keyring of ESG_VERIFY_KEYS.

        Args:
            items: each `FILE[@FIRST[-LAST]]`: a PEM file, and the chain sequences at which its key is
                valid (all of them; from FIRST on; from FIRST to LAST). A file may occur again with
                another range.

        Raises:
            SettingsWrong: an item is none, or its file holds no Ed25519 public key.
        """
        return cls(_parsed(item) for item in items)

    @property
    def names(self) -> frozenset[str]:
        """Fingerprints of all keys."""
        return frozenset(self._keys)

    def verify(self, key_name: str, sequence: int, statement: bytes, signature: bytes) -> bool:
        """Whether the key of that name is valid at `sequence` and signed `statement`."""
        for candidate in self._keys.get(key_name, ()):
            if candidate.valid_at(sequence):
                try:
                    candidate.key.verify(signature, statement)
                except InvalidSignature:
                    return False
                return True
        return False


def _parsed(item: str) -> VerifyKey:
    match = _ITEM.fullmatch(item.strip())
    if match is None:
        raise SettingsWrong("An item of ESG_VERIFY_KEYS is empty; wanted is FILE[@FIRST[-LAST]].")
    first, last = match["first"], match["last"]
    return VerifyKey(
        load_verify_key(Path(match["file"]).expanduser()),
        first=int(first or 0),
        last=None if last is None else int(last),
    )
