"""The same report for other recipients: opened by one who may, sealed anew, and entered as a reseal.

Done by a custodian on a machine of his own, who holds a recipient's key; the host could not. Streamed,
read back, and proved against the commitment that was published, before the entry is written. The old
objects stay until an expiry removes them.
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import io
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from esg_assets.adapters.publications.digests import CountedSink, CountedSource
from esg_assets.adapters.publications.reading import PublishedReports
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused, Tampered
from esg_assets.core.ports import Envelope, ObjectStore, Source
from esg_assets.core.publication import Publication, StoredObject, publications
from esg_assets.core.record_ports import Chain, RecipientsEnvelope

_CHUNK = 1 << 20


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Resealing:
    """Re-encrypts published versions for the recipients of `envelope`."""

    def __init__(
        self,
        records: ObjectStore,
        chain: Chain,
        envelope: RecipientsEnvelope,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Resealing in `records`.

        Args:
            records: the store that is only added to.
            chain: signs with a key that may sign reseal entries.
            envelope: seals to the new recipients.
            random: for names.
            now: for `recorded_at`.
        """
        self._records = records
        self._chain = chain
        self._envelope = envelope
        self._random = random
        self._now = now
        self.reports = PublishedReports(records, chain)

    def versions(self, date: dt.date, version: int | None = None) -> list[Publication]:
        """That version of a date, all of them for None. Raises KeyMissing, Tampered."""
        if version is not None:
            return [self.reports.version(date, version)]
        latest = self.reports.version(date)
        return [each for each in self.reports.list() if each.date == latest.date]

    def is_sealed_so(self, publication: Publication) -> bool:
        """Whether it is sealed to exactly these recipients already."""
        return set(publication.recipients) == set(self._envelope.recipients)

    def reseal(
        self, publication: Publication, opener: Envelope, *, requested_by: str, reason: str
    ) -> Publication:
        """Re-encrypt report, salt, summary and archive, and enter it; again changes nothing.

        Args:
            publication: the version.
            opener: a key that opens it now.
            requested_by: who asks for it.
            reason: why; stands in the clear for ever.

        Returns:
            The version with its new objects.

        Raises:
            Tampered: it does not open with this key, or is not what was published and committed to.
            KeyMissing: the store no longer holds it.
            Refused: the key may not sign this, or somebody resealed it meanwhile. Nothing is entered.
        """
        if self.is_sealed_so(publication):
            return publication
        reports = self.reports
        if publication.expired:
            raise KeyMissing(f"Resealing {_what(publication)}: it expired (entry {publication.expired}).")
        salt = reports.open_salt(publication, opener)
        committed = hmac.new(salt, digestmod=hashlib.sha256)

        def renewed(kind: str, old: StoredObject, digest: _Digest | None = None) -> StoredObject:
            opened = reports.open_stored(publication, kind, opener, old)
            return self._renewed(publication, kind, old, opened, digest)

        report = renewed("report", publication.report, committed)
        summary = publication.summary and renewed("summary", publication.summary)
        body = {
            "date": publication.date.isoformat(),
            "version": publication.version,
            "counts": {status.value: count for status, count in publication.counts.items()},
            "commitment": publication.commitment,
            "requested_by": requested_by,
            "reason": reason,
            "object": report.as_body(),
            "salt": self._renewed(
                publication, "salt", publication.salt, contextlib.nullcontext(io.BytesIO(salt))
            ).as_body(),
            "summary": None if summary is None else summary.as_body(),
            "archived": [renewed("archive", each).as_body() for each in publication.archived],
            "recipients": list(self._envelope.recipients),
        }

        def body_if_unchanged(entries: Sequence[Entry]) -> Mapping[str, Any]:
            _require_unchanged(publication, entries)
            return body

        self._chain.append(Kind.RESEAL, body_if_unchanged, recorded_at=self._now())
        return reports.version(publication.date, publication.version)

    def _renewed(
        self,
        publication: Publication,
        kind: str,
        old: StoredObject,
        opened: AbstractContextManager[Source],
        committed: _Digest | None = None,
    ) -> StoredObject:
        """The plaintext of `old` in a new object of the same kind, read back."""
        folder, _, name = old.key.rpartition("/")
        key = f"{folder}/{self._random(16).hex()}.{name.partition('.')[2]}"
        sealer, context = self._envelope.one_time(), publication.context(kind)
        plain = hashlib.sha256()
        # The old object is proved whole when its block ends, and only then does the new one appear.
        with self._records.writer(key) as written:
            sealed = CountedSink(written)
            with sealer.seal(sealed, context) as sink, opened as source:
                for chunk in _chunks(source):
                    for digest in filter(None, (plain, committed)):
                        digest.update(chunk)
                    sink.write(chunk)
            if committed and not hmac.compare_digest(committed.hexdigest(), publication.commitment):
                raise Tampered(
                    f"Resealing {_what(publication)}: the report that opens is not the one that was "
                    "committed to. Nothing was entered; `esg-assets report verify` tells more."
                )
        stored = StoredObject(key, sealed.bytes, sealed.sha256)
        with self._records.open(key) as source:
            found = CountedSource(source)
            with sealer.open(found, context) as again:
                read = CountedSource(again).drain()
            found.drain()
        if (found.bytes, found.sha256, read.sha256) != (stored.bytes, stored.sha256, plain.hexdigest()):
            raise Tampered(
                f"Resealing {_what(publication)}: the store does not hold the {kind} as it was written. "
                "Nothing was entered; look at the store, then run again."
            )
        return stored


def require_committed(reports: PublishedReports, publication: Publication, opener: Envelope) -> None:
    """Prove that a version, as its newest entry names it, opens and is what was committed to.

    Raises:
        Tampered, KeyMissing: it is not so.
    """
    digest = hmac.new(reports.open_salt(publication, opener), digestmod=hashlib.sha256)
    with reports.open_report(publication, opener) as source:
        for chunk in _chunks(source):
            digest.update(chunk)
    if not hmac.compare_digest(digest.hexdigest(), publication.commitment):
        raise Tampered(
            f"Opening the report of {publication.date} version {publication.version}: it opens, and is not "
            "the one that was committed to. Nothing was removed; `esg-assets report verify` tells more."
        )
    opened = [] if publication.summary is None else [reports.open_summary(publication, opener)]
    opened += [reports.open_stored(publication, "archive", opener, each) for each in publication.archived]
    for each in opened:
        with each as source:
            CountedSource(source).drain()


def _what(publication: Publication) -> str:
    return f"version {publication.version} of {publication.date}"


def _chunks(source: Source) -> Iterator[bytes]:
    return iter(lambda: source.read(_CHUNK), b"")


def _require_unchanged(publication: Publication, entries: Sequence[Entry]) -> None:
    now = [each for each in publications(entries) if each.sequence == publication.sequence]
    if [each.objects for each in now] != [publication.objects]:
        raise Refused(
            f"Resealing {_what(publication)}: another entry named other objects meanwhile. Nothing was "
            "entered; run again."
        )
