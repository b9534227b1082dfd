"""Keys: whom reports are sealed to, what signs publications, and whose signature is believed."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class RecipientKey:
    """Whom a report is sealed to: an RSA public key.

    Attributes:
        fingerprint: SHA-256 of the key's SubjectPublicKeyInfo, 64 hex digits; the recipient's name.
        pem: SubjectPublicKeyInfo in PEM.
    """

    fingerprint: str
    pem: bytes


@dataclass(frozen=True)
class RecipientPrivateKey:
    """What a recipient opens reports with; never on the host that makes them.

    Attributes:
        fingerprint: of the public half, as in RecipientKey.
        pem: PKCS #8 in PEM, not encrypted.
    """

    fingerprint: str
    pem: bytes = field(repr=False)


class Signer(Protocol):
    """Signs publications; the private key stays inside."""

    @property
    def name(self) -> str:
        """Fingerprint of the public half: SHA-256 of its SubjectPublicKeyInfo, 64 hex digits."""

    def sign(self, statement: bytes) -> bytes:
        """The signature of `statement` (of at most 4,096 bytes: what a KMS takes).

        Raises:
            Refused: the statement is too long, or the key may not sign.
        """


class Keyring(Protocol):
    """Public keys that entries of the chain may be signed by, each with what it may sign and when."""

    def objection(self, key_name: str, kind: str, sequence: int, statement: bytes, signature: bytes) -> str:
        """Why an entry of `kind` at `sequence`, signed so, must not be believed; "" if it may be.

        One sentence part: the key is unknown, not valid there, revoked or not allowed to sign this kind,
        or the signature is not that of `statement` by the key of that name. Never raises.
        """
