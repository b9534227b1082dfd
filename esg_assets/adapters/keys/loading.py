"""Keys out of files: each refused unless it is exactly what it is wanted for."""

import base64
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from esg_assets.adapters.keys.key_files import Kept, only_pem, read_key_file
from esg_assets.adapters.keys.verifying import VerifyingKey, fingerprint, is_verifying_key
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ports import RecipientKey, RecipientPrivateKey

WORKING_KEY_BYTES = 32
MIN_RSA_BITS = 3072


def load_working_key(path: Path) -> bytes:
    """The 32 bytes of a working key. Raises SettingsWrong."""
    data = read_key_file(path, Kept.PRIVATE)
    if len(data) != WORKING_KEY_BYTES:
        raise SettingsWrong(
            f"The working key {path} must be {WORKING_KEY_BYTES} raw bytes; it is {len(data)} bytes long. "
            "`esg-assets keys generate DIR --only host` makes one."
        )
    return data


def load_recipient(path: Path) -> RecipientKey:
    """An RSA public key of at least 3,072 bits to seal to. Raises SettingsWrong."""
    key = _public_key(path)
    if not isinstance(key, rsa.RSAPublicKey):
        raise SettingsWrong(f"The recipient's key {path} is not an RSA key, which sealing needs.")
    if key.key_size < MIN_RSA_BITS:
        raise SettingsWrong(
            f"The recipient's key {path} has {key.key_size:,} bits; at least {MIN_RSA_BITS:,} are wanted."
        )
    return RecipientKey(
        fingerprint=fingerprint(key), pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def load_verify_key(path: Path) -> VerifyingKey:
    """A public key that signatures are verified with: Ed25519 or ECDSA on P-256. Raises SettingsWrong."""
    key = _public_key(path)
    if not is_verifying_key(key):
        raise SettingsWrong(
            f"The key {path} is neither an Ed25519 key nor an ECDSA key on P-256, which verifying needs."
        )
    assert isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey)
    return key


def load_private_key(path: Path, passphrase: bytes | None = None) -> RecipientPrivateKey:
    """A recipient's RSA private key, to open what was sealed to it.

    Args:
        path: PEM; private to its owner.
        passphrase: for a file that is encrypted.

    Raises:
        SettingsWrong: it is not such a key, or the passphrase is missing or wrong.
    """
    key = _private_key(path, passphrase)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsWrong(f"The private key {path} is not an RSA key, which opening needs.")
    return RecipientPrivateKey(
        fingerprint=fingerprint(key.public_key()),
        pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def load_signing_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """The Ed25519 private key that publications are signed with. Raises SettingsWrong."""
    key = _private_key(path, None)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SettingsWrong(f"The signing key {path} is not an Ed25519 key, which signing needs.")
    return key


def public_file_beside(path: Path) -> Path:
    """Where the public half of a private key file is by default: signing.pem → signing.pub.pem."""
    return path.with_name(f"{path.name.removesuffix('.pem')}.pub.pem")


def _public_key(path: Path) -> object:
    label, pem = only_pem(path, read_key_file(path, Kept.PUBLIC))
    if "PRIVATE" in label:
        raise SettingsWrong(
            f"The key file {path} holds a private key. Here a public one is wanted (its name ends in "
            ".pub.pem), and the private one must not be on this machine."
        )
    try:
        key = load_pem_public_key(pem)
        canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsWrong(_NO_KEY.format(path=path, label=label)) from None
    # Another encoding of the same key, or bytes after it inside the block, would have another digest.
    if base64.b64decode(b"".join(pem.split(b"\n")[1:-2])) != canonical:
        raise SettingsWrong(_NO_KEY.format(path=path, label=label))
    return key


def _private_key(path: Path, passphrase: bytes | None) -> object:
    label, pem = only_pem(path, read_key_file(path, Kept.PRIVATE))
    if "PRIVATE" not in label:
        raise SettingsWrong(f"The key file {path} holds no private key, which is wanted here.")
    try:
        return load_pem_private_key(pem, passphrase)
    except TypeError:  # a passphrase was given and not needed, or the other way round
        what = "is encrypted: give its passphrase" if passphrase is None else "needs no passphrase"
        raise SettingsWrong(f"The private key {path} {what}.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsWrong(
            f"The private key {path} cannot be loaded: it is damaged, or the passphrase is wrong."
        ) from None


_NO_KEY = (
    "The key file {path} holds {label} in PEM, but not a public key as SubjectPublicKeyInfo, as "
    "`openssl pkey -pubout` writes it."
)
