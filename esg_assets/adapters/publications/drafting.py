"""A report before it is published: sealed into the records store, compared, and read back."""

import contextlib
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from esg_assets.adapters.publications.digests import CountedSink, CountedSource
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import KeyMissing, ReasonWanted, Tampered
from esg_assets.core.ports import Envelope, ObjectStore
from esg_assets.core.publication import Draft, Publication, ReadBack, StoredObject
from esg_assets.core.record_ports import Chain, Handles, RecipientsEnvelope, StoredSnapshots
from esg_assets.core.sealing import record_context

SALT_BYTES = 32


class SameContentError(Exception):
    """Leaves a writer of the records store, so that nothing stays there."""


@dataclass(frozen=True)
class _Sealed:
    """What sealing a report gave."""

    report: StoredObject
    commitment: str
    plaintext_sha256: str
    plaintext_bytes: int


class KeptSalts:
    """The salts of commitments in the working data: what tells the same content again.

    They are kept by commitment, so that two writers of one version don't replace each other's.
    """

    def __init__(self, working: Handles) -> None:
        self._working = working

    def keep(self, date: dt.date, commitment: str, salt: bytes) -> None:
        """Keep the salt of a report that is about to be published."""
        self._working.put("salt", commitment, date, {"salt": salt.hex()})

    def of(self, publication: Publication) -> bytes | None:
        """The salt of a publication, None when the working window has passed."""
        kept = self._working.get("salt", publication.commitment, publication.date)
        return None if kept is None else bytes.fromhex(str(kept["salt"]))


class Drafting:
    """Makes drafts and reads them back."""

    def __init__(
        self,
        records: ObjectStore,
        envelope: RecipientsEnvelope,
        salts: KeptSalts,
        chain: Chain,
        snapshots: StoredSnapshots,
        random: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._envelope = envelope
        self._salts = salts
        self._chain = chain
        self._snapshots = snapshots
        self._random = random

    def draft(self, snapshot: Snapshot, chunks: Iterable[bytes], reason: str) -> Draft:
        """As `Publications.draft`."""
        latest = self._chain.latest_publication(snapshot.partition)
        kept = None if latest is None else self._salts.of(latest)
        if latest is not None and kept is None and not reason.strip():
            raise ReasonWanted(
                f"Making the report of {snapshot.partition} again: version {latest.version} is published and "
                "its content can no longer be compared here, so this is a correction. Give --reason; in "
                "the UI, the run tags esg/reason and esg/requested_by."
            )
        salt = self._random(SALT_BYTES)
        told = self._told(snapshot, latest)
        context = record_context(
            told["place"],
            "report",
            snapshot.partition,
            told["version"],
            snapshot=snapshot.commitment,
            as_of=snapshot.as_of,
        )
        opener = self._envelope.one_time()
        compared = None if latest is None or kept is None else (kept, latest.commitment)
        try:
            sealed = self._seal(snapshot.partition, chunks, opener, context, salt, compared)
        except SameContentError:
            assert latest is not None
            sealed, unchanged = _Sealed(latest.report, latest.commitment, "", 0), latest
            return Draft(**told, **vars(sealed), salt=kept or b"", opener=opener, unchanged=unchanged)
        return Draft(**told, **vars(sealed), salt=salt, opener=opener)

    def _told(self, snapshot: Snapshot, latest: Publication | None) -> dict[str, Any]:
        """The fields of a draft that come of its snapshot and its place."""
        return {
            "date": snapshot.partition,
            "version": latest.version + 1 if latest else 1,
            "place": self._chain.place(),
            "snapshot_commitment": snapshot.commitment,
            "snapshot_generation": snapshot.generation,
            "as_of": snapshot.as_of,
            "accounts_as_of": snapshot.accounts_as_of,
            "accounts": snapshot.count,
            "snapshot": self._snapshots.ref(snapshot),
        }

    def _seal(
        self,
        date: dt.date,
        chunks: Iterable[bytes],
        opener: Envelope,
        context: Mapping[str, str],
        salt: bytes,
        compared: tuple[bytes, str] | None,
    ) -> _Sealed:
        """Seal into a new object. Raises SameContentError if it commits to what `compared` says."""
        key = f"reports/{date.isoformat()}/{self._random(16).hex()}.csv.esdk"
        commitment = hmac.new(salt, digestmod=hashlib.sha256)
        again = hmac.new(compared[0] if compared else salt, digestmod=hashlib.sha256)
        plain, size = hashlib.sha256(), 0
        with self._records.writer(key) as stored:
            sealed = CountedSink(stored)
            with opener.seal(sealed, context) as sink:
                for chunk in chunks:
                    for digest in (commitment, again, plain):
                        digest.update(chunk)
                    size += len(chunk)
                    sink.write(chunk)
            if compared and hmac.compare_digest(again.hexdigest(), compared[1]):
                raise SameContentError
        return _Sealed(
            report=StoredObject(key, sealed.bytes, sealed.sha256),
            commitment=commitment.hexdigest(),
            plaintext_sha256=plain.hexdigest(),
            plaintext_bytes=size,
        )

    def reads_back(self, draft: Draft, chunks: Iterable[bytes]) -> ReadBack:
        """As `Publications.reads_back`."""
        expected, expected_bytes = hashlib.sha256(), 0
        for chunk in chunks:
            expected.update(chunk)
            expected_bytes += len(chunk)
        sealed_bytes = plain_bytes = 0
        what = "the store does not hold a sealed report that opens"
        with contextlib.suppress(KeyMissing, Tampered), self._records.open(draft.report.key) as stored:
            sealed = CountedSource(stored)
            with draft.opener.open(sealed, draft.context("report")) as source:
                plain = CountedSource(source).drain()
            sealed.drain()
            sealed_bytes, plain_bytes, what = sealed.bytes, plain.bytes, ""
            if (sealed.bytes, sealed.sha256) != (draft.report.bytes, draft.report.sha256):
                what = "the sealed bytes are not those that were written"
            elif (plain.bytes, plain.sha256) != (expected_bytes, expected.hexdigest()):
                what = f"{plain.bytes:,} bytes opened are not the {expected_bytes:,} bytes expected"
        return ReadBack(
            equal=not what,
            sealed_bytes=sealed_bytes,
            plain_bytes=plain_bytes,
            expected_bytes=expected_bytes,
            what=what,
        )
