"""Verifying a copy of a records store in a folder: entries, signatures, chain, and sealed objects.

Needs public keys alone, and no network. The rules are those of `esg_assets report verify`; here is how
they are asked of files, and what is printed.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from esg_assets.adapters.keys.key_files import only_pem
from esg_assets.adapters.keys.verifying import KnownKeys, VerifyingKey, VerifyKey, is_verifying_key
from esg_assets.core import key_rules, store_identity
from esg_assets.core.chain import FOLDER, key_of, sequence_of
from esg_assets.core.errors import Refused
from esg_assets.core.examination import Head, Listed, examine_store, head_fault
from esg_assets.core.key_rules import KeyRule, Standing
from esg_assets.core.object_faults import Found, object_faults
from esg_assets.core.object_keys import is_segment

_CHUNK = 1 << 20
_EXPECTED = re.compile(r"(\d{1,10}):([0-9a-f]{64})")


def verify_folder(folder: Path, keyring: Path, expected: str = "") -> dict[str, Any]:
    """What is wrong with the records in a folder.

    Args:
        folder: a copy of the records store.
        keyring: a public key in PEM, or lines as `ESG_VERIFY_KEYS` has items; relative to its folder.
        expected: `SEQ:SHA256` of a head that was noted elsewhere, "" for none.

    Returns:
        ok, entries, head and faults, as `esg-assets report verify --json` prints them.

    Raises:
        Refused: the folder or the keyring cannot be read as such.
    """
    head = _head(expected)
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder.")
    identity = _bytes(folder / store_identity.KEY)
    place = None if identity is None else store_identity.parse(identity)
    listed = Listed(*_entries(folder), place, identity is not None and place is None)
    judged = examine_store(listed, _environment(listed), KnownKeys(_keys(keyring)))
    faults = list(judged.faults)
    fault = head_fault(head, judged)
    faults += [fault] if fault else []
    faults += object_faults(judged.entries, lambda key: _found(folder / key))
    faults.sort(key=lambda each: each.sequence)
    return {
        "ok": not faults,
        "entries": judged.taken,
        "head": {"sequence": judged.head.sequence, "sha256": judged.head.sha256},
        "faults": [
            {"date": each.date, "version": each.version, "sequence": each.sequence, "what": each.what}
            for each in faults
        ],
    }


def main(arguments: Sequence[str]) -> int:
    """The command line; 0: all is well, 1: something is wrong with the records, 2: wrong usage."""
    parser = argparse.ArgumentParser(description="Verify a copy of an esg_assets records store, offline.")
    parser.add_argument("store", type=Path, metavar="STORE_FOLDER", help="a copy of the records store")
    parser.add_argument("--keyring", type=Path, required=True, metavar="FILE", help=_KEYRING)
    parser.add_argument("--expect-head", default="", metavar="SEQ:SHA256", help="a head noted elsewhere")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    given = parser.parse_args(arguments)
    try:
        found = verify_folder(given.store, given.keyring, given.expect_head)
    except (Refused, OSError) as error:
        what = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"{what}\n")
        return 2
    lines = [json.dumps(found, ensure_ascii=False)] if given.json else _told(found)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if found["ok"] else 1


_KEYRING = "a public key in PEM, or a file of lines " + key_rules.WANTED


def _told(found: dict[str, Any]) -> Iterator[str]:
    head = f"{found['head']['sequence']}:{found['head']['sha256']}"
    if found["ok"]:
        yield f"All is well: {found['entries']:,} entries verified, head {head}."
        return
    for each in found["faults"]:
        about = [f"entry {each['sequence']}" if each["sequence"] else "the records"]
        about += [f"report {each['date']}"] if each["date"] else []
        about += [f"version {each['version']}"] if each["version"] else []
        yield f"{', '.join(about)}: {each['what']}"
    yield f"{len(found['faults']):,} faults in {found['entries']:,} entries, head {head}."


def _head(text: str) -> Head:
    match = _EXPECTED.fullmatch(text)
    if match is None and text:
        raise Refused("--expect-head: wanted is SEQ:SHA256, a chain sequence and 64 hex digits.")
    return Head(int(match[1]), match[2]) if match else Head()


def _environment(listed: Listed) -> str:
    """That of the store; where its identity is gone, the one that most entries of it claim to be of."""
    if listed.place is not None:
        return listed.place.environment
    found = [re.search(rb'"environment":"([a-z]+)"', data or b"") for _, data in listed.objects]
    claimed = [match[1].decode() for match in found if match]
    return max(claimed, key=claimed.count, default="")


def _entries(folder: Path) -> tuple[list[tuple[int, bytes | None]], int]:
    """Entries by sequence, ascending, and how many other objects are among them."""
    keys = [FOLDER + key for key in _keys_below(folder / FOLDER)]
    found = [(sequence, _bytes(folder / key_of(sequence))) for key in keys if (sequence := sequence_of(key))]
    return sorted(found), len(keys) - len(found)


def _keys_below(folder: Path) -> Iterator[str]:
    """Names of objects below a folder; what can be no object's name is not one."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if not is_segment(path.name) or path.is_symlink():
            continue
        if path.is_dir():
            yield from (f"{path.name}/{key}" for key in _keys_below(path))
        elif path.is_file():
            yield path.name


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _found(path: Path) -> Found:
    if not path.is_file() or path.is_symlink():
        return None
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _keys(keyring: Path) -> list[VerifyKey]:
    try:
        text = keyring.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"--keyring {keyring}: wanted is a text file.") from None
    if text.lstrip().startswith("-----BEGIN"):
        return [VerifyKey(_public_key(keyring))]
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        item = line.strip()
        if not item or item.startswith("#"):
            continue
        try:
            file, rule = key_rules.parse_item(item)
        except ValueError as error:
            raise Refused(f"--keyring {keyring}, line {number}: wanted is {error}.") from None
        keys.append(_verify_key(keyring.parent / file, rule))
    if not any(key.standing is not Standing.REVOKED for key in keys):
        raise Refused(f"--keyring {keyring} names no key to verify with.")
    return keys


def _verify_key(path: Path, rule: KeyRule) -> VerifyKey:
    return VerifyKey(_public_key(path), rule.first, rule.last, rule.standing)


def _public_key(path: Path) -> VerifyingKey:
    _, pem = only_pem(path, path.read_bytes())
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(f"The key file {path} holds no public key.") from None
    if not is_verifying_key(key):
        raise Refused(f"The key {path} is neither an Ed25519 key nor an ECDSA key on P-256.")
    return cast("VerifyingKey", key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
