"""What somebody gets who carries a host away: everything below a folder, with every key that is there.

Knows the public format (AWS Encryption SDK messages) and the names of our keys in it, takes each message's
context from the message itself as a thief would, and looks for account ids in whatever opens and in
every file as it is.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import aws_encryption_sdk
from aws_encryption_sdk.identifiers import CommitmentPolicy

from esg_assets.adapters.envelope import working_key_name
from esg_assets.adapters.envelope.keyrings import Keyring, aes_keyring, rsa_keyring
from esg_assets.adapters.keys import load_private_key
from esg_assets.adapters.working_data.arrow_streams import read_stream
from esg_assets.core.errors import EsgError


def ids_in(folder: Path, pattern: re.Pattern[str]) -> set[str]:
    """Every text that matches `pattern` in any file below `folder`, opened with every key in it."""
    keyrings = list(_keyrings(folder))
    assert keyrings, "a host has a working key"
    found: set[str] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for seen in (data, *_opened(data, keyrings)):
                for text in _texts(seen):
                    found.update(pattern.findall(text))
    return found


def _keyrings(folder: Path) -> Iterator[Keyring]:
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        if path.stat().st_size == 32:
            key = path.read_bytes()
            yield aes_keyring(key, working_key_name(key))
        try:
            private = load_private_key(path)
        except EsgError:
            continue
        yield rsa_keyring(private.fingerprint, private=private.pem)


def _opened(data: bytes, keyrings: list[Keyring]) -> Iterator[bytes]:
    if data[:1] != b"\2":  # the version of a message with key commitment
        return
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )
    for keyring in keyrings:
        try:
            plain, _ = client.decrypt(source=data, keyring=keyring)
        except Exception:  # noqa: BLE001  # whatever the library says, this key is not the one
            continue
        yield plain


def _texts(data: bytes) -> Iterator[str]:
    """What can be read in some bytes: as they are, unpacked, and as a table."""
    yield data.decode("utf-8", "ignore")
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(data).decode("utf-8", "ignore")
        except (OSError, EOFError, zlib.error):
            continue
    try:
        yield str(read_stream(data).to_pydict())
    except (ValueError, OSError):
        return
