"""Looks into the folders that key settings name for private keys that must not be on this host.

`prod` alone asks. Formats and checks of our own keys live in the adapters.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from esg_assets.settings.values import KeyRef

_LARGEST_KEY = 64 << 10


def distinct_recipients(recipients: Sequence[KeyRef]) -> int:
    """How many different keys these are: one that is named twice, or copied, counts once."""
    return len({_identity(key) for key in recipients})


def recipient_private_keys(
    folders: Collection[Path], recipients: Sequence[KeyRef], named: Sequence[Path]
) -> Iterator[Path]:
    """Files in `folders` (not below them) that are, or may be, a recipient's private key.

    Recipients are RSA; a private RSA key of nobody among `recipients` may belong to an earlier one, and
    one under a pass phrase to anybody, so both count.

    Args:
        folders: where to look.
        recipients: who can open reports now.
        named: private keys that another setting names; they count only if they are a recipient's.
    """
    identities = {_identity(key) for key in recipients}
    known = {path.resolve() for path in named}
    for folder in sorted({folder.resolve() for folder in folders}):
        try:
            files = sorted(path for path in folder.iterdir() if path.is_file())
        except OSError:
            continue  # what this process cannot list, it cannot read a key from
        for file in files:
            found = _private_rsa(file)
            if found is not None and (found in identities or file.resolve() not in known):
                yield file


def _identity(key: KeyRef) -> str:
    """The digest of a public key; of its file's path where the file is no public key (yet)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only prod asks

    if key.path is None:
        return str(key)
    try:
        public = serialization.load_pem_public_key(key.path.read_bytes())
    except (OSError, ValueError, TypeError):
        return str(key.path.resolve())
    return _digest(public)


def _digest(public: object) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only prod asks

    encode = public.public_bytes  # type: ignore[attr-defined]  # every public key of the library has it
    der = encode(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _private_rsa(file: Path) -> str | None:
    """The identity of a private RSA key; "" for one that cannot be told; None for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only prod asks
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    try:
        if file.stat().st_size > _LARGEST_KEY:
            return None
        data = file.read_bytes()
    except OSError:
        return None
    is_pem = b"PRIVATE KEY-----" in data
    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key
    try:
        key = load(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # A pass phrase is a TypeError, and a PEM private key that does not load may still open for others.
        locked = is_pem or file.suffix.lower() in {".p12", ".pfx"}
        return "" if locked else None
    return _digest(key.public_key()) if isinstance(key, rsa.RSAPrivateKey) else None
