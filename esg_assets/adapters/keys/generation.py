"""New keys, each in a file of its own name."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from esg_assets.adapters.keys.key_files import Kept, already_there, make_folder, write_key_file
from esg_assets.core.errors import Refused

Role = Literal["host", "recipient", "custodian"]

DEMO_PREFIX = "demo-"
"""Starts the file name of a key that must never seal anything real."""

RSA_BITS = 3072

_Files = dict[str, tuple[bytes, Kept]]


def generate(folder: Path, only: Role | None = None, *, prefix: str = "") -> list[Path]:
    """Make key files in `folder` (0700; made if it is not there) and return their paths.

    The host's are working.key (32 bytes) and signing.pem with signing.pub.pem (Ed25519); a
    recipient's recipient.pem with recipient.pub.pem (RSA), to open reports; a custodian's
    custodian.pem with custodian.pub.pem (Ed25519), to sign re-seals. Private ones are 0600.

    Args:
        folder: where to.
        only: whose keys; None makes the host's and a recipient's.
        prefix: put before every file name, such as DEMO_PREFIX.

    Raises:
        Refused: one of the files is there already (then none is written), or others may write to
            the folder.
    """
    roles: tuple[Role, ...] = ("host", "recipient") if only is None else (only,)
    names = [f"{prefix}{name}" for role in roles for name in _NAMES[role]]
    make_folder(folder)
    for name in names:
        if os.path.lexists(folder / name):
            raise Refused(already_there(folder / name))
    files = {f"{prefix}{name}": file for role in roles for name, file in _MAKERS[role]().items()}
    for name in names:
        write_key_file(folder / name, *files[name])
    return [folder / name for name in names]


def is_demo_key(path: Path) -> bool:
    """Whether a key file says of itself that it is for demonstrations."""
    return path.name.startswith(DEMO_PREFIX)


def _host() -> _Files:
    return {"working.key": (secrets.token_bytes(32), Kept.PRIVATE)} | _pair(
        "signing", ed25519.Ed25519PrivateKey.generate()
    )


def _recipient() -> _Files:
    return _pair("recipient", rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))


def _custodian() -> _Files:
    return _pair("custodian", ed25519.Ed25519PrivateKey.generate())


def _pair(name: str, key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> _Files:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {f"{name}.pem": (private, Kept.PRIVATE), f"{name}.pub.pem": (public, Kept.PUBLIC)}


_MAKERS: dict[Role, Callable[[], _Files]] = {"host": _host, "recipient": _recipient, "custodian": _custodian}
_NAMES: dict[Role, tuple[str, ...]] = {
    "host": ("working.key", "signing.pem", "signing.pub.pem"),
    "recipient": ("recipient.pem", "recipient.pub.pem"),
    "custodian": ("custodian.pem", "custodian.pub.pem"),
}
