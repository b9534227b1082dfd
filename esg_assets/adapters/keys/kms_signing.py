"""Signing publications with a key in AWS KMS (port Signer): Ed25519, or ECDSA on P-256 with SHA-256."""

from functools import cached_property

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from esg_assets.adapters.keys.kms import KmsKey
from esg_assets.adapters.keys.signing import MAX_STATEMENT_BYTES
from esg_assets.adapters.keys.verifying import VerifyingKey, fingerprint, is_verifying_key, verifies
from esg_assets.core.errors import Refused


class KmsSigner:
    """Signs with a private key that never leaves KMS.

    The public half is asked for once, when the name or a signature is first wanted. Each signature is
    verified with it before it is given out.
    """

    def __init__(self, key: KmsKey) -> None:
        self._key = key

    @property
    def name(self) -> str:
        """Fingerprint of the public half. Raises what `KmsKey.call` does."""
        return fingerprint(self._public)

    @property
    def public_pem(self) -> bytes:
        """The public half as SubjectPublicKeyInfo in PEM: the file that ESG_VERIFY_KEYS names."""
        return self._public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, statement: bytes) -> bytes:
        """The signature of `statement`: 64 bytes with Ed25519, DER with ECDSA.

        Raises:
            Refused: the statement is too long, or what `KmsKey.call` raises.
        """
        if len(statement) > MAX_STATEMENT_BYTES:
            raise Refused(f"A statement of {len(statement):,} bytes is too long to sign; sign its digest.")
        algorithm = (
            "ED25519_SHA_512" if isinstance(self._public, ed25519.Ed25519PublicKey) else "ECDSA_SHA_256"
        )
        answer = self._key.call(
            "sign",
            "to sign a publication (kms:Sign)",
            Message=statement,
            MessageType="RAW",
            SigningAlgorithm=algorithm,
        )
        signature = bytes(answer["Signature"])
        if not verifies(self._public, statement, signature):
            raise self._key.wrong("what KMS gave as a signature does not verify; nothing was published")
        return signature

    @cached_property
    def _public(self) -> VerifyingKey:
        answer = self._key.call("get_public_key", "for the public half of the signing key (kms:GetPublicKey)")
        try:
            key = load_der_public_key(answer["PublicKey"])
        except (ValueError, UnsupportedAlgorithm):
            raise self._key.wrong(_OTHER_KIND) from None
        if not is_verifying_key(key):
            raise self._key.wrong(_OTHER_KIND)
        assert isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey)
        return key


_OTHER_KIND = (
    "it must be a key to sign and verify of the kind ECC_NIST_EDWARDS25519 (Ed25519) or ECC_NIST_P256"
)
