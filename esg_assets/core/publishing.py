"""The port of publication: seal, read back, then publish as an entry of the signed chain.

Implemented by `esg_assets.adapters.publications`; the words are in `esg_assets.core.publication`.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from esg_assets.core.accounts import Snapshot
from esg_assets.core.key_changes import KeyChanges
from esg_assets.core.ports import Envelope, PartRef, Source
from esg_assets.core.publication import Draft, Publication, ReadBack, VerifyResult
from esg_assets.core.ratings import Status


class Publications(Protocol):
    """The published reports."""

    def latest(self, date: date) -> Publication | None:
        """The newest version of the date's report, None if there is none. Raises Tampered."""

    def versions(self, date: date) -> list[Publication]:
        """Every version of the date's report, oldest first. Raises Tampered."""

    def draft(self, snapshot: Snapshot, chunks: Iterable[bytes], *, reason: str = "") -> Draft:
        """Seal the report into the records store, or find that nothing changed (`Draft.unchanged`).

        Raises:
            ReasonWanted: the date is published, its content can no longer be compared, and no
            reason is given.
        """

    def reads_back(self, draft: Draft, chunks: Iterable[bytes]) -> ReadBack:
        """Open what the store holds now and compare it with `chunks`."""

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
        """Add the entry that makes a draft the report; every version after the first says why.

        Raises:
            ReasonWanted: it does not.
        """

    def key_changes(self, publication: Publication) -> KeyChanges:
        """How its keys differ from those of the publication before it in the chain. Raises Tampered."""

    def publish_summary(self, publication: Publication, chunks: Iterable[bytes]) -> Publication:
        """Seal the summary to the recipients and record it in the chain."""

    def verify(self, date: date | None = None) -> VerifyResult:
        """The whole chain, and every object named by it (of one date if given)."""

    def open_report(self, publication: Publication, opener: Envelope) -> AbstractContextManager[Source]:
        """The plaintext of a report, checked against the chain while it is read."""
