"""A published report as the chain records it, and what reading the chain makes of its entries.

The entries' form is in `esg_assets.core.chain`, their verification in `esg_assets.core.examination`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.examination import Fault, Head
from esg_assets.core.history import PublishedReport
from esg_assets.core.ports import Context, Envelope, PartRef
from esg_assets.core.ratings import Status
from esg_assets.core.sealing import record_context
from esg_assets.core.store_identity import StoreIdentity

_OBJECT_OF = {
    Kind.PUBLISH: "report",
    Kind.RESEAL: "report",
    Kind.SUMMARY: "summary",
}


@dataclass(frozen=True)
class StoredObject:
    """One sealed object of the records store.

    Attributes:
        key: its name.
        bytes: its size.
        sha256: digest of the ciphertext, 64 hex digits.
    """

    key: str
    bytes: int
    sha256: str

    def as_body(self) -> dict[str, Any]:
        """As it stands in an entry."""
        return {"key": self.key, "bytes": self.bytes, "sha256": self.sha256}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "StoredObject":
        """From an entry's body, its form checked already."""
        return cls(key=str(body["key"]), bytes=int(body["bytes"]), sha256=str(body["sha256"]))


@dataclass(frozen=True)
class Publication:
    """One published version of a date's report, as it can be opened now.

    Attributes:
        date: the report's date.
        version: 1 for the first of the date; a correction is the next.
        sequence: of its publish entry in the chain.
        entry_sha256: digest of that whole entry: the chain's head at that moment.
        place: environment and records store that it belongs to.
        counts: accounts by processing status, all three.
        rows: their sum, the rows of the report.
        recipients: fingerprints of the keys that open it.
        commitment: HMAC-SHA256 of the CSV under the sealed salt, 64 hex digits.
        snapshot_commitment: of the snapshot it is about.
        snapshot_generation: likewise.
        as_of: the date both systems were asked for.
        accounts_as_of: as of when the accounts are.
        report: the sealed CSV.
        salt: the sealed salt of the commitment.
        summary: the latest sealed summary, None before there is one.
        archived: its working data, re-sealed to the recipients after the working window; empty before.
        expired: sequence of the entry by which its report was removed, None while it is there.
        parts: the sealed parts it was made from, with their digests.
        run_id, requested_by, reason: who made it and why.
        recorded_at: when it was published, UTC.
    """

    date: dt.date
    version: int
    sequence: int
    entry_sha256: str
    place: StoreIdentity
    counts: Mapping[Status, int]
    rows: int
    recipients: tuple[str, ...]
    commitment: str
    snapshot_commitment: str
    snapshot_generation: int
    as_of: dt.date
    accounts_as_of: str
    report: StoredObject
    salt: StoredObject
    summary: StoredObject | None
    parts: tuple[PartRef, ...]
    run_id: str
    requested_by: str
    reason: str
    recorded_at: dt.datetime
    archived: tuple[StoredObject, ...] = ()
    expired: int | None = None

    def context(self, kind: str) -> Context:
        """The encryption context of its `report`, `salt`, `summary` or `archive`."""
        return record_context(
            self.place, kind, self.date, self.version, snapshot=self.snapshot_commitment, as_of=self.as_of
        )

    @property
    def objects(self) -> tuple[StoredObject, ...]:
        """Its objects that count now: report, salt, summary and archive."""
        summary = () if self.summary is None else (self.summary,)
        return (self.report, self.salt, *summary, *self.archived)

    def as_published(self) -> PublishedReport:
        """As the history remembers it."""
        return PublishedReport(
            report_date=self.date,
            version=self.version,
            sequence=self.sequence,
            head_sha256=self.entry_sha256,
            run_id=self.run_id,
            counts=self.counts,
            as_of=self.as_of,
            accounts_as_of=self.accounts_as_of,
            requested_by=self.requested_by,
            reason=self.reason,
        )


@dataclass(frozen=True)
class Draft:
    """A report that is sealed and in the records store, but not published: no entry names it yet.

    Attributes:
        date, version: what it will be published as.
        place: environment and records store.
        report: the sealed CSV.
        snapshot_commitment, snapshot_generation, as_of, accounts_as_of, accounts: of its snapshot.
        snapshot: the sealed snapshot in the work store.
        commitment: HMAC-SHA256 of the CSV.
        salt: key of the commitment (32 bytes).
        plaintext_sha256: digest of the CSV; in memory only, since it would tell the content.
        plaintext_bytes: size of the CSV.
        opener: opens it with the throw-away key.
        unchanged: set when the date's latest publication has the same content; then `report` names
            that publication's object and nothing new is in the store.
    """

    date: dt.date
    version: int
    place: StoreIdentity
    snapshot_commitment: str
    snapshot_generation: int
    as_of: dt.date
    accounts_as_of: str
    accounts: int
    snapshot: PartRef
    report: StoredObject
    commitment: str
    salt: bytes = field(repr=False)
    plaintext_sha256: str = field(repr=False)
    plaintext_bytes: int
    opener: Envelope = field(repr=False)
    unchanged: Publication | None = None

    def context(self, kind: str) -> Context:
        """The encryption context of its `report` or `salt`."""
        return record_context(
            self.place, kind, self.date, self.version, snapshot=self.snapshot_commitment, as_of=self.as_of
        )


@dataclass(frozen=True)
class ReadBack:
    """What a draft held when it was opened again from the store.

    Attributes:
        equal: it is, byte for byte, what was expected, and the ciphertext is what was written.
        sealed_bytes: size of the ciphertext found.
        plain_bytes: size of the CSV found.
        expected_bytes: size of the CSV expected.
        what: in words, when not equal.
    """

    equal: bool
    sealed_bytes: int
    plain_bytes: int
    expected_bytes: int
    what: str = ""


@dataclass(frozen=True)
class VerifyResult:
    """The outcome of `report verify`.

    Attributes:
        ok: nothing is wrong.
        entries: how many entries the chain has, faulty ones included.
        head: the last one.
        faults: what is wrong, by sequence.
    """

    ok: bool
    entries: int
    head: Head
    faults: tuple[Fault, ...]


def publications(entries: Iterable[Entry]) -> list[Publication]:
    """Every published version in the order of publication, with what later entries changed of it."""
    found: dict[tuple[str, int], Publication] = {}
    for entry in entries:
        name = (str(entry.body.get("date")), int(entry.body.get("version", 0)))
        if entry.kind is Kind.PUBLISH:
            found[name] = _published(entry)
        elif entry.kind is Kind.SUMMARY and name in found:
            found[name] = replace(found[name], summary=StoredObject.of(entry.body["object"]))
        elif entry.kind is Kind.RESEAL and name in found:
            found[name] = replace(
                found[name],
                report=StoredObject.of(entry.body["object"]),
                salt=StoredObject.of(entry.body["salt"]),
                summary=None if entry.body["summary"] is None else StoredObject.of(entry.body["summary"]),
                archived=tuple(map(StoredObject.of, entry.body["archived"])),
                recipients=tuple(entry.body["recipients"]),
            )
        elif entry.kind is Kind.ARCHIVE and name in found:
            archived = tuple(map(StoredObject.of, entry.body["objects"]))
            found[name] = replace(found[name], archived=archived)
        elif entry.kind is Kind.EXPIRE and name in found and found[name].report.key in entry.body["keys"]:
            found[name] = replace(found[name], expired=entry.sequence)
    return list(found.values())


def latest_publication(entries: Iterable[Entry], date: dt.date) -> Publication | None:
    """The newest version of a date, None if it is not published."""
    versions = [each for each in publications(entries) if each.date == date]
    return max(versions, key=lambda each: each.version, default=None)


def named_objects(entry: Entry) -> list[tuple[str, StoredObject]]:
    """The objects of the records store that an entry names, each with what it is."""
    body = entry.body
    what = _OBJECT_OF.get(entry.kind, "object")
    named = [(what, body["object"])] if "object" in body else []
    named += [(name, body[name]) for name in ("salt", "summary") if body.get(name) is not None]
    named += [("archived object", each) for field in ("objects", "archived") for each in body.get(field, ())]
    return [(name, StoredObject.of(each)) for name, each in named]


def expired_keys(entries: Iterable[Entry]) -> set[str]:
    """Names of the objects that were removed on purpose: their absence is no fault."""
    return {str(key) for entry in entries if entry.kind is Kind.EXPIRE for key in entry.body["keys"]}


def _published(entry: Entry) -> Publication:
    body = entry.body
    return Publication(
        date=dt.date.fromisoformat(body["date"]),
        version=body["version"],
        sequence=entry.sequence,
        entry_sha256=entry.sha256,
        place=entry.place,
        counts={status: body["counts"][status.value] for status in Status},
        rows=body["rows"],
        recipients=tuple(body["recipients"]),
        commitment=body["commitment"],
        snapshot_commitment=body["snapshot"]["commitment"],
        snapshot_generation=body["snapshot"]["generation"],
        as_of=dt.date.fromisoformat(body["as_of"]),
        accounts_as_of=body["accounts_as_of"],
        report=StoredObject.of(body["object"]),
        salt=StoredObject.of(body["salt"]),
        summary=None,
        parts=tuple(PartRef(key=part["key"], sha256=part["sha256"]) for part in body["parts"]),
        run_id=body["run_id"],
        requested_by=body["requested_by"],
        reason=body["reason"],
        recorded_at=entry.recorded_at,
    )
