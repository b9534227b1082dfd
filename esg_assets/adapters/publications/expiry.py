"""Holds, and the removal of what need not be kept any longer: first the entry, then the objects.

Entries are never removed. A removal that broke off is finished by running it again; the chain says what
is to be gone. When something may go, `esg_assets.core.retention` decides.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esg_assets.adapters.publications.reading import PublishedReports
from esg_assets.adapters.publications.resealing import require_committed
from esg_assets.core import retention
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused
from esg_assets.core.ports import Envelope, ObjectStore
from esg_assets.core.publication import publications
from esg_assets.core.record_ports import Chain
from esg_assets.core.retention import Removal

_FOLDERS = ("reports", "summaries", "archive")

Rule = Callable[[Sequence[Entry]], list[Removal]]
"""What may be removed, by the chain's entries; raises Refused."""


@dataclass(frozen=True)
class Removed:
    """What a removal did.

    Attributes:
        date: the report's date.
        versions: those of which something was entered as expired now.
        objects: how many objects were removed now, those of a removal that broke off included.
    """

    date: dt.date
    versions: tuple[int, ...]
    objects: int


class Expiry:
    """Holds, releases and removals in one records store."""

    def __init__(
        self,
        records: ObjectStore,
        chain: Chain,
        *,
        retention_years: int,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Removals from `records`, entered in `chain`, after `retention_years` (ESG_RETENTION_YEARS)."""
        self._records = records
        self._chain = chain
        self._years = retention_years
        self._now = now

    def hold(self, date: dt.date, *, requested_by: str, reason: str) -> Entry:
        """Keep a date whatever its age. Raises Refused if it is under hold, KeyMissing if unpublished."""

        def body(entries: Sequence[Entry]) -> Mapping[str, Any]:
            _require_published(date, entries, "Holding")
            standing = retention.held_by(entries, date)
            if standing is not None:
                raise Refused(
                    f"Holding the report of {date}: it is under hold already, since "
                    f"{standing.recorded_at.date()} (entry {standing.sequence}). Nothing was changed."
                )
            return {"date": date.isoformat(), "requested_by": requested_by, "reason": reason}

        return self._chain.append(Kind.HOLD, body, recorded_at=self._now())

    def release(self, date: dt.date, *, requested_by: str, reason: str) -> Entry:
        """End the hold of a date. Raises Refused if it is under none, KeyMissing if unpublished."""

        def body(entries: Sequence[Entry]) -> Mapping[str, Any]:
            _require_published(date, entries, "Releasing")
            if retention.held_by(entries, date) is None:
                raise Refused(f"Releasing the report of {date}: it is under no hold. Nothing was changed.")
            return {"date": date.isoformat(), "requested_by": requested_by, "reason": reason}

        return self._chain.append(Kind.RELEASE, body, recorded_at=self._now())

    def expire(self, date: dt.date, *, requested_by: str, reason: str) -> Removed:
        """Remove every object of every version of a date.

        Raises:
            Refused: it is under hold, or not old enough. Nothing was removed.
            KeyMissing: it was never published.
            StoreUnavailable: the store does not let objects be removed; run again when it does.
        """

        def rule(entries: Sequence[Entry]) -> list[Removal]:
            return retention.to_expire(entries, date, now=self._now(), retention_years=self._years)

        return self._remove(date, rule, requested_by, reason)

    def expire_superseded(
        self, date: dt.date, opener: Envelope, *, requested_by: str, reason: str
    ) -> Removed:
        """Remove what a reseal replaced, such as what a lost key could open.

        Args:
            date: the report's date.
            opener: a key of the new recipients: every version must open, and be what was published.
            requested_by: who asks for it.
            reason: why.

        Raises:
            Tampered, KeyMissing: a version does not open or is not what was committed to.
            Refused: it is under hold. Nothing was removed.
        """
        reports = PublishedReports(self._records, self._chain)
        for removal in retention.superseded(self._chain.entries(), date):
            require_committed(reports, removal.publication, opener)
        return self._remove(date, lambda entries: retention.superseded(entries, date), requested_by, reason)

    def _remove(self, date: dt.date, rule: Rule, requested_by: str, reason: str) -> Removed:
        planned = rule(self._chain.entries())
        for removal in planned:
            self._enter(removal, rule, requested_by, reason)
        expired = set(retention.unfinished_keys(self._chain.entries(), date))
        folders = [f"{folder}/{date.isoformat()}/" for folder in _FOLDERS]
        there = [key for folder in folders for key in self._records.keys(folder) if key in expired]
        for key in there:
            self._records.delete(key)
        return Removed(date, tuple(each.publication.version for each in planned), len(there))

    def _enter(self, removal: Removal, rule: Rule, requested_by: str, reason: str) -> None:
        publication = removal.publication
        body = {
            "date": publication.date.isoformat(),
            "version": publication.version,
            "requested_by": requested_by,
            "reason": reason,
            "retention_years": self._years,
            "keys": list(removal.keys),
        }

        def body_if_still_right(entries: Sequence[Entry]) -> Mapping[str, Any]:
            if removal not in rule(entries):
                raise Refused(
                    f"Expiring version {publication.version} of {publication.date}: another entry changed "
                    "what may be removed meanwhile. Run again."
                )
            return body

        self._chain.append(Kind.EXPIRE, body_if_still_right, recorded_at=self._now())


def _require_published(date: dt.date, entries: Sequence[Entry], doing: str) -> None:
    if not any(each.date == date for each in publications(entries)):
        raise KeyMissing(f"{doing} the report of {date}: no report of that date is published.")
