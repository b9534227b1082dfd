"""Signing publications with a key in a file (port Signer). Verifying is in `keyring`."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.adapters.keys.loading import load_signing_key
from esg_assets.adapters.keys.verifying import fingerprint
from esg_assets.core.errors import Refused

MAX_STATEMENT_BYTES = 4096
"""What a KMS signs at most: so a key can move there without a new kind of statement."""


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

    @property
    def public_pem(self) -> bytes:
        """The public half as SubjectPublicKeyInfo in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, statement: bytes) -> bytes:
        """The signature of `statement`, 64 bytes. Raises Refused if it is too long."""
        if len(statement) > MAX_STATEMENT_BYTES:
            raise Refused(f"A statement of {len(statement):,} bytes is too long to sign; sign its digest.")
        return self._key.sign(statement)
