"""The chain of a host that publishes, held against the head that its history remembers.

The store alone cannot tell that entries were cut off at its end or that an older copy was put back; what
was remembered elsewhere can. A store that is ahead of the memory is right (a run died before it could
remember), and the memory follows. A store that is behind it, or holds other entries, is not read as the
truth: nothing is published until somebody accepts it, which is an entry of its own (kind `restore`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Refused, StoreUnavailable, Tampered
from esg_assets.core.examination import Examination, Head, head_fault
from esg_assets.core.history import ChainHead
from esg_assets.core.ports import History
from esg_assets.core.publication import Publication, latest_publication, publications
from esg_assets.core.record_ports import Chain, MakeBody
from esg_assets.core.store_identity import StoreIdentity


class RememberedChain:
    """A chain and the memory of its head (port `Chain`). Every read that is believed is compared."""

    def __init__(self, chain: Chain, history: History) -> None:
        self._chain = chain
        self._history = history

    def place(self) -> StoreIdentity:
        """The records store's identity, made now if it has none yet."""
        return self._chain.place()

    def append(self, kind: Kind, body: Mapping[str, Any] | MakeBody, *, recorded_at: dt.datetime) -> Entry:
        """Write the next entry and remember it as the head.

        Before a publication the history is completed too: a run may have died between the summary of a
        report and its row.

        Raises:
            Tampered: the store does not hold the remembered head, or does not verify. Nothing is written.
            StoreUnavailable: the store, or the history; then the entry may stand, and a repeat finds it.
        """
        entries = self.entries()
        if kind is Kind.PUBLISH:
            record_missing(self._history, entries)
        entry = self._chain.append(kind, body, recorded_at=recorded_at)
        try:
            self._history.remember_head(ChainHead(entry.sequence, entry.sha256))
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"Remembering entry {entry.sequence} of the chain, which is written and stands: {error} "
                "Run again when the database answers: nothing is published twice."
            ) from None
        return entry

    def entries(self) -> Sequence[Entry]:
        """Every entry, first to last; the memory follows a store that is ahead of it.

        Raises:
            Tampered: the chain does not verify, or does not hold the remembered head.
        """
        # Remembered first: whatever was remembered then is in the chain that is read after it.
        remembered = self._history.head()
        entries = self._chain.entries()
        if not entries and remembered is None:
            return entries
        newest = ChainHead(entries[-1].sequence, entries[-1].sha256) if entries else ChainHead(0, "")
        if remembered is None or _holds(entries, remembered):
            if newest != remembered:
                self._history.remember_head(newest)
        elif restore := _accepted(entries, remembered):  # who accepted it died before it was remembered
            self._history.remember_head(ChainHead(restore.sequence, restore.sha256), restored=True)
            self._history.remember_head(newest)
        else:
            raise Tampered(_lags(remembered, newest), behind=str(remembered))
        return entries

    def head(self) -> Head:
        """The last entry; 0 and zeros before there is one."""
        entries = self.entries()
        return Head(entries[-1].sequence, entries[-1].sha256) if entries else Head()

    def publications(self) -> list[Publication]:
        """Every published version in the order of publication."""
        return publications(self.entries())

    def latest_publication(self, partition: dt.date) -> Publication | None:
        """The newest version of a date, None if it is not published."""
        return latest_publication(self.entries(), partition)

    def examine(self) -> Examination:
        """Read everything anew and judge it; a remembered head that is gone is a fault too."""
        remembered = self._history.head()
        judged = self._chain.examine()
        if remembered is not None and not _accepted(judged.entries, remembered):
            fault = head_fault(Head(remembered.sequence, remembered.sha256), judged)
            judged.faults += [fault] if fault else []
        return judged


@dataclass(frozen=True)
class Accepted:
    """What was accepted.

    Attributes:
        entry: the restore entry.
        lost: the head that was remembered.
        reports: date and version of what the history remembers as published and the chain does not.
    """

    entry: Entry
    lost: ChainHead
    reports: tuple[tuple[dt.date, int], ...]


def accept_restore(
    chain: Chain, history: History, *, requested_by: str, reason: str, now: dt.datetime
) -> Accepted:
    """Take the store as it is for the truth, although it lags what was remembered: an entry says so.

    Args:
        chain: the bare chain, which can be read although it lags.
        history: what remembers.
        requested_by: who accepts it.
        reason: why; stands in the chain in the clear for ever.
        now: with a time zone.

    Raises:
        Refused: the store holds the remembered head, or none is remembered: there is nothing to accept.
        Tampered: the chain itself does not verify.
    """
    remembered = history.head()
    if remembered is None:
        raise Refused(
            "Accepting the records as they are: no head is remembered, so nothing contradicts them."
        )

    def body(entries: Sequence[Entry]) -> Mapping[str, Any]:
        if _holds(entries, remembered) or _accepted(entries, remembered):
            raise Refused(
                f"Accepting the records as they are: the store holds the remembered entry "
                f"{remembered.sequence}. Nothing is lost, and nothing was written."
            )
        lost = {"sequence": remembered.sequence, "sha256": remembered.sha256}
        return {"requested_by": requested_by, "reason": reason, "head": lost}

    recorded = history.recorded_publications()
    entry = chain.append(Kind.RESTORE, body, recorded_at=now)
    stand = {each.sha256 for each in chain.entries()}
    history.remember_head(ChainHead(entry.sequence, entry.sha256), restored=True)
    reports = {name for sha256, name in recorded.items() if sha256 not in stand}
    return Accepted(entry, remembered, tuple(sorted(reports)))


def record_missing(history: History, entries: Sequence[Entry]) -> None:
    """Record, without figures, what was published and summed up and is not in the history.

    Args:
        history: what lacks rows: a run died between the two, or the database is a new one.
        entries: the whole chain.
    """
    recorded = history.recorded_publications()
    for each in publications(entries):
        # Without a summary its own date is still to be run again, which records it with its figures.
        if each.entry_sha256 not in recorded and each.summary is not None:
            history.record_publication(each.as_published(), {})


def _holds(entries: Sequence[Entry], head: ChainHead) -> bool:
    return any(each.sequence == head.sequence and each.sha256 == head.sha256 for each in entries)


def _accepted(entries: Sequence[Entry], lost: ChainHead) -> Entry | None:
    """The entry that accepts the loss of that head."""
    named = {"sequence": lost.sequence, "sha256": lost.sha256}
    found = (each for each in entries if each.kind is Kind.RESTORE and each.body["head"] == named)
    return next(found, None)


def _lags(remembered: ChainHead, newest: ChainHead) -> str:
    what = (
        f"the records store ends at entry {newest.sequence}, and entry {remembered.sequence} is remembered: "
        "entries were cut off, an older copy was put back, or ESG_STORE_URL names another store"
        if newest.sequence < remembered.sequence
        else f"entry {remembered.sequence} of the records store is not the one that is remembered: "
        "the chain was rewritten, or ESG_STORE_URL names another store"
    )
    return (
        f"Reading the chain: {what}. Nothing is published until that is explained. Bring the missing objects "
        "back from a copy; if they are lost for good, run `esg-assets report accept-restore --reason TEXT`."
    )
