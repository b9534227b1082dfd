"""Public keys that verify signatures: their names, checking one signature, and who may have signed what.

The key says which algorithm it is, never what it is asked to verify: Ed25519, or ECDSA on P-256 with
SHA-256 (as a KMS signs). Only `cryptography` is used, so that an auditor's one-file verifier can be
made of it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.core import key_rules
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.key_rules import KeyRule, Standing

VerifyingKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


def fingerprint(key: VerifyingKey | rsa.RSAPublicKey) -> str:
    """Name of a public key: SHA-256 of its SubjectPublicKeyInfo (DER), 64 hex digits."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def is_verifying_key(key: object) -> bool:
    """Whether signatures are verified with such a key: Ed25519, or ECDSA on P-256."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1)
    return isinstance(key, ed25519.Ed25519PublicKey)


def verifies(key: VerifyingKey, statement: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `statement` by `key`. Never raises."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, statement)
        else:
            key.verify(signature, statement, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True)
class VerifyKey:
    """A public key and what one item says of it.

    Attributes:
        key: the public key.
        first: the first sequence that this is about.
        last: the last one, None without end.
        standing: trusted, a custodian's, or revoked.
    """

    key: VerifyingKey
    first: int = 0
    last: int | None = None
    standing: Standing = Standing.TRUSTED

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise SettingsWrong(f"A key that is valid from {self.first} to {self.last} is never valid.")

    @property
    def rule(self) -> KeyRule:
        """What it says of the key."""
        return KeyRule(self.standing, self.first, self.last)


class KnownKeys:
    """Public keys by name, each with what is said of it (port Keyring)."""

    def __init__(self, keys: Iterable[VerifyKey]) -> None:
        self._keys: dict[str, VerifyingKey] = {}
        self._rules: dict[str, list[KeyRule]] = {}
        for key in keys:
            name = fingerprint(key.key)
            self._keys[name] = key.key
            self._rules.setdefault(name, []).append(key.rule)
        if not self.names:
            raise SettingsWrong("There is no key to verify signatures with: ESG_VERIFY_KEYS is empty.")

    @property
    def names(self) -> frozenset[str]:
        """Fingerprints of all keys that may sign or could once sign something."""
        return frozenset(
            name
            for name, rules in self._rules.items()
            if any(r.standing is not Standing.REVOKED for r in rules)
        )

    def objection(self, key_name: str, kind: str, sequence: int, statement: bytes, signature: bytes) -> str:
        """Why an entry that is signed so must not be believed, "" if it may be."""
        key = self._keys.get(key_name)
        if key is None:
            return key_rules.UNKNOWN_KEY
        if not verifies(key, statement, signature):
            return key_rules.WRONG_SIGNATURE
        return key_rules.objection(self._rules[key_name], kind, sequence)
