"""What is published: listing, opening and verifying. Needs no key but the opener's."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence

from esg_assets.adapters.publications.digests import CountedSource, RecordedSource
from esg_assets.adapters.publications.rereading import TwiceRead
from esg_assets.core.errors import KeyMissing, Tampered
from esg_assets.core.examination import Head, head_fault
from esg_assets.core.key_changes import KeyChanges, key_changes
from esg_assets.core.object_faults import Found, object_faults
from esg_assets.core.ports import Context, Envelope, ObjectStore, Source
from esg_assets.core.publication import Publication, StoredObject, VerifyResult
from esg_assets.core.record_ports import Chain

_SALT_BYTES = 32


class PublishedReports:
    """The published reports of a records store, as its chain tells them."""

    def __init__(self, records: ObjectStore, chain: Chain) -> None:
        self._records = records
        self._chain = chain

    def latest(self, date: dt.date) -> Publication | None:
        """The newest version of the date's report, None if there is none. Raises Tampered."""
        return self._chain.latest_publication(date)

    def versions(self, date: dt.date) -> list[Publication]:
        """Every version of the date's report, oldest first. Raises Tampered."""
        known = [each for each in self._chain.publications() if each.date == date]
        return sorted(known, key=lambda each: each.version)

    def version(self, date: dt.date, version: int | None = None) -> Publication:
        """That version, the newest for None.

        Raises:
            KeyMissing: it is not published.
            Tampered: the chain does not verify.
        """
        known = [each for each in self._chain.publications() if each.date == date]
        for each in reversed(known):
            if version in (None, each.version):
                return each
        if not known:
            raise KeyMissing(
                f"Looking for the report of {date}: no report is published. `esg-assets report list` shows "
                "which dates have one."
            )
        raise KeyMissing(
            f"Looking for the report of {date}: no version {version} of the report is published; the newest "
            f"is {max(each.version for each in known)}."
        )

    def list(self) -> Sequence[Publication]:
        """Every published version in the order of publication. Raises Tampered."""
        return self._chain.publications()

    def software_of(self, publication: Publication) -> str:
        """The version of this software that published it, as its entry says. Raises Tampered."""
        return self._chain.entries()[publication.sequence - 1].software

    def key_changes(self, publication: Publication) -> KeyChanges:
        """How its keys differ from those of the publication before it in the chain. Raises Tampered."""
        return key_changes(self._chain.entries(), publication.sequence)

    @contextlib.contextmanager
    def open_report(self, publication: Publication, opener: Envelope) -> Iterator[Source]:
        """The plaintext of a report, checked against the chain while it is read.

        Nothing read may be believed before the block was left without an exception: only then are
        digest, context, signature and end of message known to be right.

        Raises:
            Tampered: what the store holds is not what was published.
            KeyMissing: the store no longer holds it.
        """
        what = f"the report of {publication.date} version {publication.version}"
        if publication.expired:
            raise KeyMissing(f"Opening {what}: it expired; entry {publication.expired} says who and why.")
        with self._opened(publication.report, publication.context("report"), opener, what) as source:
            yield source

    def read_twice(self, publication: Publication, opener: Envelope) -> TwiceRead:
        """A report, to be verified as a whole before any of it is shown; raises as `open_report` does."""
        what = f"the report of {publication.date} version {publication.version}"
        return TwiceRead(lambda: self.open_report(publication, opener), what)

    @contextlib.contextmanager
    def open_summary(self, publication: Publication, opener: Envelope) -> Iterator[Source]:
        """The plaintext (JSON) of its latest summary; as `open_report`. KeyMissing if it has none."""
        what = f"the summary of {publication.date} version {publication.version}"
        if publication.summary is None:
            raise KeyMissing(f"Opening {what}: none is published.")
        with self._opened(publication.summary, publication.context("summary"), opener, what) as source:
            yield source

    def open_salt(self, publication: Publication, opener: Envelope) -> bytes:
        """The 32 bytes that key the report's commitment. Raises as `open_report`."""
        what = f"the salt of {publication.date} version {publication.version}"
        with self._opened(publication.salt, publication.context("salt"), opener, what) as source:
            salt = source.read()
        if len(salt) != _SALT_BYTES:
            raise Tampered(f"Opening {what}: it has {len(salt)} bytes, not {_SALT_BYTES}.")
        return salt

    @contextlib.contextmanager
    def open_stored(
        self, publication: Publication, kind: str, opener: Envelope, stored: StoredObject
    ) -> Iterator[Source]:
        """The plaintext of one of its objects, such as its `salt` or an `archive`; as `open_report`."""
        what = f"the {kind} of {publication.date} version {publication.version}"
        with self._opened(stored, publication.context(kind), opener, what) as source:
            yield source

    def verify(self, date: dt.date | None = None, expect_head: Head | None = None) -> VerifyResult:
        """Judge the whole chain, and every object that it names; needs no private key.

        Args:
            date: of one report only, as far as objects are concerned; the chain is always judged
                whole.
            expect_head: a head that was remembered elsewhere: the chain must contain it.
        """
        judged = self._chain.examine()
        faults = list(judged.faults)
        if expect_head is not None:
            fault = head_fault(expect_head, judged)
            faults += [fault] if fault else []
        faults += object_faults(judged.entries, self._found, None if date is None else date.isoformat())
        faults.sort(key=lambda fault: fault.sequence)
        return VerifyResult(ok=not faults, entries=judged.taken, head=judged.head, faults=tuple(faults))

    def _found(self, key: str) -> Found:
        """Size and digest of an object."""
        try:
            with self._records.open(key) as source:
                found = CountedSource(source).drain()
        except KeyMissing:
            return None
        return found.bytes, found.sha256

    @contextlib.contextmanager
    def _opened(
        self, recorded: StoredObject, context: Context, opener: Envelope, what: str
    ) -> Iterator[Source]:
        with contextlib.ExitStack() as held:
            try:
                stored = held.enter_context(self._records.open(recorded.key))
            except KeyMissing:
                raise KeyMissing(
                    f"Opening {what}: the store does not hold it. `esg-assets report verify` tells more."
                ) from None
            source = RecordedSource(stored, recorded, what)
            with opener.open(source, context) as plain:
                yield plain
            source.finish()
