"""The history database: what was published and how runs went.

The values that go in and come out are in `core.history`.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from esg_assets.core.history import (
    ChainHead,
    ClearFigures,
    PastReport,
    PublishedReport,
    RunRecord,
    RunTotals,
    Said,
)


class Pruning(Protocol):
    """What removes old rows of the database. Each call is one short transaction that also enters what it did.

    Every method that removes gives how many rows went, by table; nothing when none is left to remove.
    Raises StoreUnavailable, as `History`.
    """

    def published_before(self, moment: datetime) -> Collection[str]:
        """Chain entries (SHA-256) of publications recorded before that still have figures or details."""

    def forget_figures(self, head_sha256: str) -> Mapping[str, int]:
        """Remove figures and details of one publication; the publication itself stays."""

    def forget_runs(self, before: datetime, most: int) -> Mapping[str, int]:
        """Remove the oldest records of runs that started before, `most` at once; totals keep them."""

    def forget_alerts(self, before: datetime, most: int) -> Mapping[str, int]:
        """Remove messages of incidents that ended before, and evidence of then, `most` of each at once.

        Nothing of an incident with a message that waits. The latest incident of each cause stays, so that
        the next one has a number of its own.
        """


class History(Protocol):
    """What was published and how runs went: cleared aggregates, only ever added to.

    Raises StoreUnavailable when the database does not answer or is full, on every method.
    """

    def record_publication(self, published: PublishedReport, figures: ClearFigures) -> None:
        """Remember a publication with its cleared figures, both or none.

        One that is known already (same date, version and chain entry) is left as it was first
        recorded, so that re-materializing changes nothing; figures are added where it has none.
        """

    def record_details(self, published: PublishedReport, details: Mapping[str, object]) -> None:
        """Keep what is shown of a recorded publication beside its figures, a JSON object, once.

        A second one for the same publication changes nothing.
        """

    def details(self, published: PublishedReport) -> Mapping[str, Any] | None:
        """What `record_details` kept of that publication, None if nothing."""

    def versions(self, report_date: date) -> list[PastReport]:
        """Every version of that date's report, oldest first."""

    def said_at(self, report_date: date, moment: datetime) -> Said | None:
        """What this history said about a date at a moment (with a time zone); None if nothing.

        A version that was recorded by then and not lost by then, with the figures recorded by then.
        """

    def runs_of(self, report_date: date) -> list[RunRecord]:
        """Every record of a run of that date, oldest start first."""

    def trend(self, names: Collection[str], since: date) -> list[PastReport]:
        """The newest version of every date from `since` on, ascending, with only those figures."""

    def recorded_publications(self) -> Mapping[str, tuple[date, int]]:
        """Date and version of every publication that was recorded, by its chain entry's SHA-256."""

    def latest(self, report_date: date) -> PastReport | None:
        """The newest version of that date's report, None if it was never published.

        What a restore of the store has lost does not count, here and below.
        """

    def latest_before(self, report_date: date) -> PastReport | None:
        """The newest version of the latest report dated before `report_date`."""

    def record_run(self, run: RunRecord) -> None:
        """Remember how a run went; a second record of the same run, date and status changes nothing.

        Nor does the record of a run that is old enough to have been removed (`Pruning`).
        """

    def runs_since(self, moment: datetime) -> list[RunRecord]:
        """Every record of a run that started then or later, oldest start first; a run has one a status."""

    def run_totals(self) -> RunTotals:
        """All runs that were ever recorded, added up, those that were removed since included."""

    def head(self) -> ChainHead | None:
        """The newest chain entry that was remembered."""

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        """Remember the chain's head. An older one than is known already changes nothing.

        Args:
            head: the newest entry, verified by the caller.
            restored: the store was restored from a backup and a `restore` entry says so: take `head`
                whatever was remembered.

        Raises:
            Tampered: another entry of the same sequence was remembered.
        """

    def first_publication_date(self) -> date | None:
        """The earliest date that has a published report."""

    def published_dates(self, since: date) -> list[date]:
        """Dates from `since` on that have a published report, ascending."""

    def recorded_since(self, moment: datetime) -> list[PastReport]:
        """Every version of any date that was recorded at `moment` or later, oldest first; no figures."""
