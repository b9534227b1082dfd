r"""One entry of the publication chain: its kinds, its bytes, and what is signed.

An entry is one object, `chain/<10-digit sequence>`, of exactly two lines that each end with LF:

    payload      canonical JSON: kind, place in the chain, time, body
    signature    canonical JSON: {"key": <name>, "signature": <base64>}

What is signed is a fixed statement over the payload's SHA-256 (a KMS signs at most 4,096 bytes).
Each payload holds the SHA-256 of the whole entry before it. What a body holds is in
`esg_assets.core.chain_bodies`, judging a whole chain in `esg_assets.core.examination`. Only the
standard library is used, so that an auditor's one-file verifier can be made of it.
"""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esg_assets.core import canonical_json, chain_bodies
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Signer
from esg_assets.core.store_identity import StoreIdentity

SCHEMA = 1
DOMAIN = "esg_assets/chain"
FOLDER = "chain/"
NOTHING = "0" * 64
"""Stands for the digest of the entry before the first one."""

_KEY = re.compile(r"chain/([0-9]{10})")
_PAYLOAD_FIELDS = {
    *("schema", "kind", "environment", "store", "sequence", "previous", "recorded_at", "software", "body")
}
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Link:
    """Where an entry stands: its number, from 1, and the SHA-256 of the whole entry before it."""

    sequence: int
    previous: str


@dataclass(frozen=True)
class Entry:
    """One entry, its form checked but not its signature.

    Attributes:
        kind: what it records.
        place: the store and environment it says it was made for.
        link: its number, and the digest of the entry before it.
        recorded_at: UTC, whole seconds.
        software: version of this package that wrote it.
        body: as `esg_assets.core.chain_bodies` describes it for this kind.
        key_name: name of the key that signed it.
        signature: over `statement`.
        payload_sha256: digest of the exact payload line without its LF.
        sha256: digest of the whole object.
    """

    kind: Kind
    place: StoreIdentity
    link: Link
    recorded_at: dt.datetime
    software: str
    body: Mapping[str, Any]
    key_name: str
    signature: bytes
    payload_sha256: str
    sha256: str

    @property
    def sequence(self) -> int:
        """Its number in the chain, from 1."""
        return self.link.sequence


def key_of(sequence: int) -> str:
    """Name of the object of that sequence."""
    return f"{FOLDER}{sequence:010d}"


def sequence_of(key: str) -> int | None:
    """The sequence that an object's name says, None if it is not the name of an entry."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found and int(found[1]) else None


def statement(place: StoreIdentity, sequence: int, payload_sha256: str) -> bytes:
    """The bytes that are signed: what kind of thing this is, where it stands, what it says."""
    return canonical_json.dumps(
        {
            "domain": DOMAIN,
            "environment": place.environment,
            "store": place.store,
            "sequence": sequence,
            "sha256": payload_sha256,
        }
    )


def encode(
    kind: Kind,
    body: Mapping[str, Any],
    *,
    place: StoreIdentity,
    link: Link,
    recorded_at: dt.datetime,
    software: str,
    signer: Signer,
) -> bytes:
    """The object of a new entry, signed.

    Raises:
        ValueError: the body is not one of this kind, or `recorded_at` has no time zone.
    """
    if recorded_at.tzinfo is None:
        raise ValueError("recorded_at has no time zone")
    wrong = chain_bodies.problem(kind, body)
    if wrong:
        raise ValueError(f"the body of a {kind} entry is wrong: {wrong}")
    payload = canonical_json.dumps(
        {
            "schema": SCHEMA,
            "kind": kind.value,
            "environment": place.environment,
            "store": place.store,
            "sequence": link.sequence,
            "previous": link.previous,
            "recorded_at": recorded_at.astimezone(dt.UTC).strftime(_INSTANT),
            "software": software,
            "body": dict(body),
        }
    )
    signature = signer.sign(statement(place, link.sequence, hashlib.sha256(payload).hexdigest()))
    line = {"key": signer.name, "signature": base64.b64encode(signature).decode()}
    return payload + b"\n" + canonical_json.dumps(line) + b"\n"


def decode(data: bytes) -> Entry:
    """The entry that an object holds; its signature and its place are for the examination.

    Raises:
        Tampered: these are not the bytes of an entry; the message says in what, and no more.
    """
    if not data:
        raise Tampered("the entry is empty (zero bytes)")
    lines = data.split(b"\n")
    if len(lines) != 3 or lines[2]:  # noqa: PLR2004  # two lines, and nothing after the last LF
        raise Tampered("the entry is not exactly two lines")
    payload, key_and_signature = lines[0], lines[1]
    try:
        fields = canonical_json.loads(payload)
        key_name, signature = _signature_line(canonical_json.loads(key_and_signature))
    except ValueError:
        raise Tampered("the entry is not canonical JSON with a signature") from None
    return _entry(fields, key_name, signature, payload, data)


def _signature_line(fields: object) -> tuple[str, bytes]:
    if not isinstance(fields, dict) or set(fields) != {"key", "signature"}:
        raise ValueError("not a signature line")
    if not all(isinstance(text, str) for text in fields.values()):
        raise ValueError("not a signature line")
    signature = base64.b64decode(fields["signature"], validate=True)
    if base64.b64encode(signature).decode() != fields["signature"]:
        raise ValueError("not the one way to write this signature")
    return fields["key"], signature


def _entry(fields: object, key_name: str, signature: bytes, payload: bytes, data: bytes) -> Entry:
    if not isinstance(fields, dict) or "schema" not in fields:
        raise Tampered("the entry has no schema version")
    if fields["schema"] != SCHEMA or type(fields["schema"]) is not int:
        raise Tampered(f"the entry has an unknown schema version (this software knows {SCHEMA})")
    if set(fields) != _PAYLOAD_FIELDS:
        raise Tampered("the entry has missing or unknown fields")
    texts = ("kind", "environment", "store", "previous", "recorded_at", "software")
    if any(not isinstance(fields[name], str) for name in texts) or type(fields["sequence"]) is not int:
        raise Tampered("a field of the entry has the wrong type")
    try:
        kind = Kind(fields["kind"])
    except ValueError:
        raise Tampered("the entry is of an unknown kind") from None
    wrong = chain_bodies.problem(kind, fields["body"])
    if wrong:
        raise Tampered(f"the body of the {kind} entry is wrong: {wrong}")
    return Entry(
        kind=kind,
        place=StoreIdentity(environment=fields["environment"], store=fields["store"]),
        link=Link(sequence=fields["sequence"], previous=fields["previous"]),
        recorded_at=_instant(fields["recorded_at"]),
        software=fields["software"],
        body=fields["body"],
        key_name=key_name,
        signature=signature,
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _instant(text: str) -> dt.datetime:
    try:
        instant = dt.datetime.strptime(text, _INSTANT).replace(tzinfo=dt.UTC)
    except ValueError:
        raise Tampered("the entry's time is not UTC in whole seconds") from None
    if instant.strftime(_INSTANT) != text:
        raise Tampered("the entry's time is not UTC in whole seconds")
    return instant
