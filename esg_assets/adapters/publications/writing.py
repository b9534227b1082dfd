"""Making a report the published one: a draft that was read back, then one entry of the chain."""

import datetime as dt
import hashlib
import io
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from esg_assets.adapters.publications.digests import CountedSink
from esg_assets.adapters.publications.drafting import Drafting, KeptSalts, SameContentError
from esg_assets.adapters.publications.reading import PublishedReports
from esg_assets.core.accounts import Snapshot
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import ReasonWanted, Refused, ReportBlocked
from esg_assets.core.ports import ObjectStore, PartRef
from esg_assets.core.publication import Draft, Publication, ReadBack, StoredObject
from esg_assets.core.ratings import Status
from esg_assets.core.record_ports import Chain, Handles, RecipientsEnvelope, StoredSnapshots


class Publications(PublishedReports):
    """The published reports, with what it takes to add one (port `Publications`)."""

    def __init__(
        self,
        records: ObjectStore,
        envelope: RecipientsEnvelope,
        working: Handles,
        chain: Chain,
        snapshots: StoredSnapshots,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Publications into `records`.

        Args:
            records: the store that is only added to.
            envelope: seals to the recipients.
            working: keeps for the working window what tells the same content again.
            chain: where an entry makes a report the published one.
            snapshots: says what the report's snapshot is stored as.
            random: for names and salts.
            now: for `recorded_at`.
        """
        super().__init__(records, chain)
        self._envelope = envelope
        self._working = working
        self._salts = KeptSalts(working)
        self._drafting = Drafting(records, envelope, self._salts, chain, snapshots, random)
        self._random = random
        self._now = now

    def draft(self, snapshot: Snapshot, chunks: Iterable[bytes], *, reason: str = "") -> Draft:
        """Seal a report into the records store, or find that it is published as it is.

        Args:
            snapshot: the accounts that it is about, as saved.
            chunks: the CSV, in order; taken once, never held whole.
            reason: why a published date is made again.

        Returns:
            The draft; with `unchanged` set, nothing new is in the store.

        Raises:
            ReasonWanted: the date is published, what tells the same content is gone with the
                working window, and no reason is given.
        """
        return self._drafting.draft(snapshot, chunks, reason)

    def reads_back(self, draft: Draft, chunks: Iterable[bytes]) -> ReadBack:
        """Open what the store holds now with the draft's own key and compare it with `chunks`.

        Args:
            draft: what `draft` gave, not unchanged.
            chunks: the CSV, made again from what it was made of.
        """
        return self._drafting.reads_back(draft, chunks)

    def publish(
        self,
        draft: Draft,
        counts: Mapping[Status, int],
        parts: Sequence[PartRef],
        *,
        run_id: str,
        requested_by: str = "",
        reason: str = "",
    ) -> Publication:
        """Add the entry that makes a draft the report; what is published already stays as it is.

        Raises:
            ReasonWanted: it is a version after the first, and nothing says why.
            ReportBlocked: the counts are not one for each account of the snapshot.
            Refused: another version of the date was published after the draft was made.
        """
        published = draft.unchanged or self._published(draft)
        if published is not None:
            return published
        if draft.version > 1 and not reason.strip():
            raise ReasonWanted(
                f"Publishing the report of {draft.date}: version {draft.version} is a correction and has no "
                "reason. Nothing was published."
            )
        whole = {status.value: counts.get(status, 0) for status in Status}
        if sum(whole.values()) != draft.accounts:
            raise ReportBlocked(
                f"Publishing the report of {draft.date}: {sum(whole.values()):,} outcomes for "
                f"{draft.accounts:,} accounts. Nothing was published."
            )
        salt = self._seal_salt(draft)
        self._salts.keep(draft.date, draft.commitment, draft.salt)
        body = {
            **_body(draft),
            "run_id": run_id,
            "requested_by": requested_by,
            "reason": reason,
            "counts": whole,
            "salt": salt.as_body(),
            "recipients": list(self._envelope.recipients),
            "parts": [{"key": part.key, "sha256": part.sha256} for part in parts],
        }

        def body_if_still_next(entries: Sequence[Entry]) -> Mapping[str, Any]:
            _require_next(draft, entries)
            return body

        self._chain.append(Kind.PUBLISH, body_if_still_next, recorded_at=self._now())
        return self.version(draft.date, draft.version)

    def publish_summary(self, publication: Publication, chunks: bytes | Iterable[bytes]) -> Publication:
        """Seal a summary to the recipients and record it; the same summary again changes nothing.

        Args:
            publication: what it sums up.
            chunks: the summary, JSON in UTF-8.

        Returns:
            The publication with its summary.
        """
        current = self.version(publication.date, publication.version)
        key = f"summaries/{current.date.isoformat()}/{self._random(16).hex()}.json.esdk"
        try:
            summary, digest = self._seal_summary(key, current, chunks)
        except SameContentError:
            return current
        self._working.put("summary", _name(key), current.date, {"sha256": digest})
        body = {
            "date": current.date.isoformat(),
            "version": current.version,
            "object": summary.as_body(),
            "recipients": list(self._envelope.recipients),
        }
        self._chain.append(Kind.SUMMARY, body, recorded_at=self._now())
        return self.version(current.date, current.version)

    def _published(self, draft: Draft) -> Publication | None:
        """The draft's own publication: an entry may have arrived although its answer did not."""
        mine = (each for each in self._chain.publications() if each.report == draft.report)
        return next(mine, None)

    def _seal_salt(self, draft: Draft) -> StoredObject:
        """Seal the salt to the recipients: who opens the report can check what it was committed to."""
        sealed = io.BytesIO()
        with self._envelope.seal(sealed, draft.context("salt")) as sink:
            sink.write(draft.salt)
        data = sealed.getvalue()
        key = f"reports/{draft.date.isoformat()}/{self._random(16).hex()}.salt.esdk"
        self._records.create(key, data)
        return StoredObject(key, len(data), hashlib.sha256(data).hexdigest())

    def _seal_summary(
        self, key: str, publication: Publication, chunks: bytes | Iterable[bytes]
    ) -> tuple[StoredObject, str]:
        """The new object, and its plaintext's digest. Raises SameContentError if that is published."""
        plain = hashlib.sha256()
        with self._records.writer(key) as stored:
            sealed = CountedSink(stored)
            with self._envelope.seal(sealed, publication.context("summary")) as sink:
                for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
                    plain.update(chunk)
                    sink.write(chunk)
            if self._kept_summary(publication) == plain.hexdigest():
                raise SameContentError
        return StoredObject(key, sealed.bytes, sealed.sha256), plain.hexdigest()

    def _kept_summary(self, publication: Publication) -> str | None:
        """Digest of the published summary's plaintext, None where the host cannot tell."""
        if publication.summary is None:
            return None
        kept = self._working.get("summary", _name(publication.summary.key), publication.date)
        return None if kept is None else str(kept["sha256"])


def _body(draft: Draft) -> dict[str, Any]:
    """The fields of a publish entry that come of the draft."""
    return {
        "date": draft.date.isoformat(),
        "version": draft.version,
        "as_of": draft.as_of.isoformat(),
        "accounts_as_of": draft.accounts_as_of,
        "rows": draft.accounts,
        "commitment": draft.commitment,
        "snapshot": {
            "commitment": draft.snapshot_commitment,
            "generation": draft.snapshot_generation,
            "key": draft.snapshot.key,
            "sha256": draft.snapshot.sha256,
        },
        "object": draft.report.as_body(),
    }


def _require_next(draft: Draft, entries: Sequence[Entry]) -> None:
    """The draft was sealed as one version; if that one is taken, somebody else published meanwhile."""
    date = draft.date.isoformat()
    due = 1 + sum(each.kind is Kind.PUBLISH and each.body["date"] == date for each in entries)
    if due != draft.version:
        raise Refused(
            f"Publishing the report of {draft.date}: another run published version {due - 1} meanwhile. "
            "This one published nothing; run the date again, and it publishes only what differs."
        )


def _name(key: str) -> str:
    """The random part of an object's name."""
    return key.rsplit("/", 1)[1].split(".", 1)[0]
