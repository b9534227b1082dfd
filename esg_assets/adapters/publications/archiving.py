"""The end of the working window: what the host kept of a date, re-sealed to the recipients alone.

    archive/<date>/<32 hex digits>.tar.esdk     a tar of everything, each member under its name in the
                                                work store

One date at a time; whoever calls holds its lease, so that no run works on it. Sealed, read back with a
key that is nowhere else, entered in the chain, and only then removed here. A plan that is kept in the
work store until the end lets a run that finds half of it done finish, and remove nothing else.
"""

import contextlib
import datetime as dt
import hashlib
import io
import secrets
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from esg_assets.adapters.publications.digests import CountedSink, CountedSource
from esg_assets.adapters.sink_files import SinkFile
from esg_assets.core import retention
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused, Tampered
from esg_assets.core.ports import Envelope, ObjectStore, Sink
from esg_assets.core.publication import Publication, StoredObject
from esg_assets.core.record_ports import Chain, Handles, KeptData, RecipientsEnvelope
from esg_assets.core.retention import Closed, Outcome

PLAN = "archive"
UNTOUCHED = "untouched"
_NAME = "note"
_OWN = (f"handles/{PLAN}/", f"handles/{UNTOUCHED}/")


class WorkingWindow:
    """Ends the working window of dates, one after the other (port `Window`)."""

    def __init__(
        self,
        records: ObjectStore,
        envelope: RecipientsEnvelope,
        kept: KeptData,
        handles: Handles,
        chain: Chain,
        *,
        working_days: int,
        random: Callable[[int], bytes] = secrets.token_bytes,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """The window of `working_days` (ESG_WORKING_DAYS).

        Args:
            records: the store that is only added to.
            envelope: seals to the recipients.
            kept: the work store's data by name.
            handles: the same, for the notes that this keeps.
            chain: where archives are entered.
            working_days: days from publication.
            random: for names.
            now: for the window, and for `recorded_at`.
        """
        self._records = records
        self._envelope = envelope
        self._kept = kept
        self._handles = handles
        self._chain = chain
        self._days = working_days
        self._random = random
        self._now = now

    def dates(self) -> Sequence[dt.date]:
        """Dates of which the work store keeps anything, ascending."""
        return self._kept.dates()

    def close(self, date: dt.date) -> Closed:
        """Archive or remove what is kept of a date if its window has ended; whoever calls has its lease.

        Raises:
            Tampered: the chain, the working data or what was written does not verify. What could not be
                proved to be in the archive is still in the work store.
        """
        names = [name for name in self._kept.names(date) if not name.startswith(_OWN)]
        publication = self._chain.latest_publication(date)
        if publication is not None and publication.archived:
            plan = self._handles.get(PLAN, _NAME, date)
            if plan is not None and plan["object"] in {each.key for each in publication.archived}:
                return self._removed(publication, plan)
            return self._unpublished(date, names)  # made by a later run that published nothing
        if publication is None:
            return self._unpublished(date, names)
        end = retention.window_end(publication.recorded_at, self._days)
        if self._now() < end:
            return Closed(date, Outcome.KEPT, publication.version, until=end)
        if not names:
            return Closed(date, Outcome.NOTHING, publication.version)
        return self._archived(publication, names)

    def _archived(self, publication: Publication, names: Sequence[str]) -> Closed:
        stored, digests = self._sealed(publication, sorted(names))
        plan = {"object": stored.key, "sha256": digests}
        self._handles.put(PLAN, _NAME, publication.date, plan)
        body = {
            "date": publication.date.isoformat(),
            "version": publication.version,
            "objects": [stored.as_body()],
            "recipients": list(self._envelope.recipients),
        }

        def body_if_still_latest(entries: Sequence[Entry]) -> Mapping[str, Any]:
            _require_unarchived(publication, entries)
            return body

        self._chain.append(Kind.ARCHIVE, body_if_still_latest, recorded_at=self._now())
        latest = self._chain.latest_publication(publication.date)
        assert latest is not None
        return self._removed(latest, plan)

    def _sealed(self, publication: Publication, names: Sequence[str]) -> tuple[StoredObject, dict[str, str]]:
        """The archive, written and read back; and the digest of each member's plaintext."""
        key = f"archive/{publication.date.isoformat()}/{self._random(16).hex()}.tar.esdk"
        opener, context = self._envelope.one_time(), publication.context("archive")
        digests: dict[str, str] = {}
        with self._records.writer(key) as written:
            sealed = CountedSink(written)
            with opener.seal(sealed, context) as sink:
                plain = CountedSink(sink)
                _write_tar(plain, ((name, self._taken(name, digests)) for name in names))
        stored = StoredObject(key, sealed.bytes, sealed.sha256)
        self._read_back(publication, stored, opener, plain)
        return stored, digests

    def _taken(self, name: str, digests: dict[str, str]) -> bytes:
        data = self._kept.opened(name)
        digests[name] = hashlib.sha256(data).hexdigest()
        return data

    def _read_back(
        self, publication: Publication, stored: StoredObject, opener: Envelope, written: CountedSink
    ) -> None:
        """Open what the store holds now, and compare it with what was written."""
        equal = False
        with contextlib.suppress(KeyMissing, Tampered), self._records.open(stored.key) as source:
            sealed = CountedSource(source)
            with opener.open(sealed, publication.context("archive")) as opened:
                plain = CountedSource(opened).drain()
            sealed.drain()
            equal = (sealed.bytes, sealed.sha256, plain.bytes, plain.sha256) == (
                *(stored.bytes, stored.sha256),
                *(written.bytes, written.sha256),
            )
        if not equal:
            raise Tampered(
                f"Archiving the working data of {publication.date}: what the records store holds is not what "
                "was written. Nothing was removed; look at the store (`esg-assets doctor`), then run again."
            )

    def _removed(self, publication: Publication, plan: Mapping[str, Any]) -> Closed:
        """Remove what the archive holds, once more proved to be there; other data of the date stays."""
        (archived,) = [each for each in publication.archived if each.key == plan["object"]]
        self._require_stored(publication, archived)
        digests: Mapping[str, str] = plan["sha256"]
        count = 0
        for name in self._kept.names(publication.date):
            # A run that came between may have made another object of a name that was removed already.
            if name in digests and hashlib.sha256(self._kept.opened(name)).hexdigest() == digests[name]:
                self._kept.remove(name)
                count += 1
        self._forget_notes(publication.date)
        return Closed(
            publication.date, Outcome.ARCHIVED, publication.version, objects=count, archived=archived
        )

    def _require_stored(self, publication: Publication, archived: StoredObject) -> None:
        try:
            with self._records.open(archived.key) as source:
                found = CountedSource(source).drain()
            equal = (found.bytes, found.sha256) == (archived.bytes, archived.sha256)
        except KeyMissing:
            equal = False
        if not equal:
            raise Tampered(
                f"Archiving the working data of {publication.date}: the archive that the chain names is not "
                "in the records store as it was written. Nothing was removed; `esg-assets report verify` "
                "tells more."
            )

    def _unpublished(self, date: dt.date, names: Sequence[str]) -> Closed:
        """Data that no publication came of: removed when nobody has touched it for a whole window."""
        if not names:
            self._forget_notes(date)
            return Closed(date, Outcome.NOTHING)
        state = hashlib.sha256("\n".join(names).encode()).hexdigest()
        note = self._handles.get(UNTOUCHED, _NAME, date)
        if note is None or note["names"] != state:
            note = {"names": state, "since": self._now().isoformat()}
            self._handles.put(UNTOUCHED, _NAME, date, note)
        end = retention.window_end(dt.datetime.fromisoformat(note["since"]), self._days)
        if self._now() < end:
            return Closed(date, Outcome.KEPT, until=end)
        for name in names:
            self._kept.remove(name)
        self._forget_notes(date)
        return Closed(date, Outcome.REMOVED, objects=len(names))

    def _forget_notes(self, date: dt.date) -> None:
        for name in self._kept.names(date):
            if name.startswith(_OWN):
                self._kept.remove(name)
        self._kept.finish(date)


def _require_unarchived(publication: Publication, entries: Sequence[Entry]) -> None:
    named = (publication.date.isoformat(), publication.version)
    for entry in entries:
        told = (entry.body.get("date"), entry.body.get("version", 0))
        if entry.kind is Kind.ARCHIVE and told == named:
            raise Refused(
                f"Archiving the working data of {publication.date}: another process archived it meanwhile. "
                "Run again: it removes what is archived."
            )
        if entry.kind is Kind.PUBLISH and told[0] == named[0] and told[1] > publication.version:
            raise Refused(
                f"Archiving the working data of {publication.date}: version {told[1]} was published "
                "meanwhile, and its window has just begun. Nothing was archived."
            )


def _write_tar(sink: Sink, members: Iterable[tuple[str, bytes]]) -> None:
    """A tar of plain files, the same bytes for the same members."""
    with tarfile.open(mode="w|", fileobj=SinkFile(sink), format=tarfile.PAX_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o600
            tar.addfile(info, io.BytesIO(data))
