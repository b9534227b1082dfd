"""Entries to test the chain with: keys made from seeds, a keyring with validity, valid bodies."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.core import chain, key_rules
from esg_assets.core.chain import Link
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.examination import Head
from esg_assets.core.key_rules import KeyRule, Standing
from esg_assets.core.store_identity import StoreIdentity

PLACE = StoreIdentity(environment="test", store="ab" * 16)
WHEN = dt.datetime(2026, 1, 15, 11, 3, 7, tzinfo=dt.UTC)


class SeededSigner:
    """Ed25519 from a one-byte seed; named as the real one would not be, for readable failures."""

    def __init__(self, seed: int = 1) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.name = f"key-{seed}"

    def sign(self, statement: bytes) -> bytes:
        return self._key.sign(statement)

    @property
    def public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(
            self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        )


@dataclass
class SeededKeyring:
    """Public keys by name, each with what is said of it."""

    keys: dict[str, tuple[Ed25519PublicKey, list[KeyRule]]] = field(default_factory=dict)

    def trust(
        self, signer: SeededSigner, valid: range = range(1, 10**10), standing: Standing = Standing.TRUSTED
    ) -> "SeededKeyring":
        _, rules = self.keys.setdefault(signer.name, (signer.public, []))
        rules.append(KeyRule(standing, valid.start, valid.stop - 1))
        return self

    def objection(self, key_name: str, kind: str, sequence: int, statement: bytes, signature: bytes) -> str:
        if key_name not in self.keys:
            return key_rules.UNKNOWN_KEY
        key, rules = self.keys[key_name]
        try:
            key.verify(signature, statement)
        except InvalidSignature:
            return key_rules.WRONG_SIGNATURE
        return key_rules.objection(rules, kind, sequence)


SIGNER = SeededSigner()
KEYRING = SeededKeyring().trust(SIGNER)


def stored(key: str) -> dict[str, Any]:
    return {"key": key, "bytes": 1234, "sha256": "1f" * 32}


def publish_body(date: str = "2026-01-15", version: int = 1, **changes: Any) -> dict[str, Any]:
    name = "ab" * 16
    body = {
        "date": date,
        "version": version,
        "as_of": "2026-01-14",
        "accounts_as_of": "2026-01-14",
        "run_id": "a3f7",
        "requested_by": "schedule",
        "reason": "",
        "counts": {"SUCCESS": 90, "NOT_RATED": 8, "FAILED": 2},
        "rows": 100,
        "commitment": "c0" * 32,
        "snapshot": {
            "commitment": "5a" * 32,
            "generation": 1,
            "key": f"snapshots/{date}/0001",
            "sha256": "5b" * 32,
        },
        "object": stored(f"reports/{date}/{name}.csv.esdk"),
        "salt": stored(f"reports/{date}/{name}.salt.esdk"),
        "recipients": ["e1" * 32, "e2" * 32],
        "parts": [{"key": f"parts/{date}/0001/00000001", "sha256": "9a" * 32}],
    }
    return {**body, **changes}


def summary_body(date: str = "2026-01-15", version: int = 1) -> dict[str, Any]:
    return {
        "date": date,
        "version": version,
        "object": stored(f"summaries/{date}/{version:032x}.json.esdk"),
        "recipients": ["e1" * 32],
    }


def entry(
    kind: Kind,
    body: Mapping[str, Any],
    head: Head,
    *,
    place: StoreIdentity = PLACE,
    signer: SeededSigner = SIGNER,
) -> bytes:
    """The object of the entry after `head`."""
    return chain.encode(
        kind,
        body,
        place=place,
        link=Link(head.sequence + 1, head.sha256),
        recorded_at=WHEN,
        software="0.1.0",
        signer=signer,
    )


def grow(
    *bodies: tuple[Kind, Mapping[str, Any]],
    place: StoreIdentity = PLACE,
    signer: SeededSigner = SIGNER,
) -> list[bytes]:
    """A whole chain, its objects in order."""
    objects: list[bytes] = []
    head = Head()
    for kind, body in bodies:
        data = entry(kind, body, head, place=place, signer=signer)
        head = Head(head.sequence + 1, chain.decode(data).sha256)
        objects.append(data)
    return objects


def ordinary_chain(place: StoreIdentity = PLACE, signer: SeededSigner = SIGNER) -> list[bytes]:
    """Two dates, a summary each, and a correction of the first: five entries."""
    return grow(
        (Kind.PUBLISH, publish_body("2026-01-15", 1)),
        (Kind.SUMMARY, summary_body("2026-01-15", 1)),
        (Kind.PUBLISH, publish_body("2026-01-16", 1)),
        (Kind.SUMMARY, summary_body("2026-01-16", 1)),
        (Kind.PUBLISH, publish_body("2026-01-15", 2, reason="the provider corrected its scores")),
        place=place,
        signer=signer,
    )
