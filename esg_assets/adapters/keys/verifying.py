"""Public keys that verify signatures: their names, and checking one signature with one of them.

The key says which algorithm it is, never what it is asked to verify: Ed25519, or ECDSA on P-256 with
SHA-256 (as a KMS signs). Only `cryptography` is used, so that an auditor's one-file verifier can be
made of it.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
