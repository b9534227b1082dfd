"""Records for auditors: a store with every kind of entry, and what somebody may have changed in it."""

import datetime as dt
import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.keys import PublicKeyring
from esg_assets.adapters.publications import PublishedReports
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.cli.reports import verified
from esg_assets.core import chain
from esg_assets.core.chain import Link
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.store_identity import StoreIdentity
from esg_assets_tests.adapters.records_material import WHEN, signer, signing_key
from esg_assets_tests.unit.chain_material import publish_body

DATE = "2026-01-15"
WHO = {"requested_by": "jane", "reason": "an order"}
VERSION: dict[str, Any] = {"date": DATE, "version": 1}
HOST, CUSTODIAN, STRANGER = 1, 2, 3


@dataclass
class Auditor:
    """A copy of a records store, with the keyring file that goes with it."""

    folder: Path
    keyring: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def ours(self, expected: str = "") -> dict[str, Any]:
        """What `report verify` says."""
        items = [self._item(line) for line in self.keyring.read_text().splitlines()]
        log = ChainLog(LocalStore(self.store), None, PublicKeyring.from_items(items), "test")
        return verified(PublishedReports(LocalStore(self.store), log), None, expected)

    def _item(self, line: str) -> str:
        standing, _, file = line.rpartition(":")
        return f"{standing}:{self.folder / file}" if standing else str(self.folder / file)

    def files(self) -> list[Path]:
        return sorted(path for path in self.store.rglob("*") if path.is_file())


def public(folder: Path, seed: int) -> str:
    pem = signing_key(seed).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = folder / f"key{seed}.pub.pem"
    path.write_bytes(pem)
    path.chmod(0o644)
    return path.name


def stored(store: LocalStore, key: str, content: bytes = b"") -> dict[str, Any]:
    data = content or hashlib.sha256(key.encode()).digest() * 4
    store.create(key, data)
    return {"key": key, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def auditor(folder: Path) -> Auditor:
    """A life in eight entries: two dates, a correction, a reseal by a custodian, a hold, an expiry."""
    folder.mkdir()
    host, custodian = public(folder, HOST), public(folder, CUSTODIAN)
    keyring = folder / "keyring"
    keyring.write_text(f"{host}\ncustodian:{custodian}\n")
    store = LocalStore(folder / "store")
    keys = PublicKeyring.from_items([str(folder / host), f"custodian:{folder / custodian}"])
    log = ChainLog(store, signer(HOST), keys, "test")

    def report(date: str, name: str) -> dict[str, Any]:
        return {part: stored(store, f"reports/{date}/{name}.{part}.esdk") for part in ("object", "salt")}

    old = report(DATE, "a")
    first = publish_body(DATE, **old)
    summary = {**VERSION, "object": stored(store, f"summaries/{DATE}/b.json.esdk"), "recipients": ["e1" * 32]}
    archived = [stored(store, f"archive/{DATE}/c.tar.esdk")]
    totals = {name: first[name] for name in ("counts", "commitment")}
    reseal = {**VERSION, **totals, **WHO, **report(DATE, "d"), "summary": None, "archived": []}
    gone = [old["object"]["key"], old["salt"]["key"]]
    said: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.PUBLISH, first),
        (Kind.SUMMARY, summary),
        (Kind.PUBLISH, publish_body("2026-01-16", **report("2026-01-16", "e"))),
        (Kind.ARCHIVE, {**VERSION, "objects": archived, "recipients": ["e1" * 32]}),
        (Kind.HOLD, {"date": "2026-01-16", **WHO}),
        (Kind.PUBLISH, publish_body(DATE, 2, **report(DATE, "f"))),
    ]
    for kind, body in said:
        log.append(kind, body, recorded_at=WHEN)
    by_custodian = ChainLog(store, signer(CUSTODIAN), keys, "test")
    by_custodian.append(Kind.RESEAL, {**reseal, "recipients": ["e9" * 32]}, recorded_at=WHEN)
    log.append(Kind.EXPIRE, {**VERSION, **WHO, "keys": gone, "retention_years": 6}, recorded_at=WHEN)
    store.delete(gone[0])
    return Auditor(folder, keyring)


def flip(at: Auditor, rng: random.Random) -> str:
    path = rng.choice(at.files())
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    return ""


def truncate(at: Auditor, rng: random.Random) -> str:
    path = rng.choice(at.files())
    data = path.read_bytes()
    path.write_bytes(data[: rng.choice([0, rng.randrange(len(data))])])
    return ""


def append(at: Auditor, rng: random.Random) -> str:
    path = rng.choice(at.files())
    path.write_bytes(path.read_bytes() + rng.choice([b"\n", b"\0", path.read_bytes()]))
    return ""


def remove(at: Auditor, rng: random.Random) -> str:
    for path in rng.sample(at.files(), rng.randrange(1, 3)):
        path.unlink()
    return ""


def swap(at: Auditor, rng: random.Random) -> str:
    one, other = rng.sample(at.files(), 2)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return ""


def cut_off(at: Auditor, rng: random.Random) -> str:
    sequence = rng.randrange(1, 9)
    entry = at.store / chain.key_of(sequence)
    head = f"{sequence}:{hashlib.sha256(entry.read_bytes()).hexdigest()}"
    for each in range(rng.randrange(1, 10), 9):
        (at.store / chain.key_of(each)).unlink()
    return rng.choice([head, f"{sequence}:{'ab' * 32}"])


def add_strays(at: Auditor, rng: random.Random) -> str:
    name = rng.choice(
        ["chain/extra", "chain/0000000000", "chain/12", "chain/0000000012", "chain/~0123", "x/y"]
    )
    path = at.store / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(rng.choice([b"", b"x", (at.store / chain.key_of(1)).read_bytes()]))
    return ""


def distrust(at: Auditor, rng: random.Random) -> str:
    host, custodian = "key1.pub.pem", "key2.pub.pem"
    lines = rng.choice(
        [
            f"{host}\n{custodian}\n",
            f"{host}@{rng.randrange(9)}\ncustodian:{custodian}\n",
            f"{host}@1-{rng.randrange(1, 9)}\ncustodian:{custodian}\n",
            f"{host}\ncustodian:{custodian}\nrevoked:{host}@{rng.randrange(1, 10)}\n",
            f"custodian:{host}\n{custodian}\n",
            f"{custodian}\n",
        ]
    )
    at.keyring.write_text(lines)
    return ""


def forge(at: Auditor, rng: random.Random) -> str:
    """One more entry, or another in the place of one, that is signed and says what it may not."""
    entries = [chain.decode((at.store / chain.key_of(n)).read_bytes()) for n in range(1, 9)]
    sequence = rng.randrange(2, 10)
    like = rng.choice(entries)
    kind, body = rng.choice(
        [
            (like.kind, dict(like.body)),
            (Kind.RELEASE, {"date": "2026-01-16", **WHO}),
            (Kind.RELEASE, {"date": DATE, **WHO}),
            (Kind.HOLD, {"date": "2026-01-16", **WHO}),
            (Kind.EXPIRE, {**VERSION, **WHO, "keys": ["reports/x"], "retention_years": 6}),
            (Kind.RESTORE, {**WHO, "head": {"sequence": rng.randrange(12), "sha256": "ab" * 32}}),
            (Kind.RESTORE, {**WHO, "head": {"sequence": 1, "sha256": entries[0].sha256}}),
        ]
    )
    elsewhere = StoreIdentity(rng.choice(["test", "prod"]), "cd" * 16)
    data = chain.encode(
        kind,
        body,
        place=rng.choice([entries[0].place] * 4 + [elsewhere]),
        link=Link(
            rng.choice([sequence] * 4 + [1]), rng.choice([entries[sequence - 2].sha256] * 3 + ["00" * 32])
        ),
        recorded_at=WHEN + dt.timedelta(days=rng.choice([0, 3000])),
        software="9",
        signer=signer(rng.choice([HOST, HOST, CUSTODIAN, STRANGER])),
    )
    (at.store / chain.key_of(sequence)).write_bytes(data)
    return ""
