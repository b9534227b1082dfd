"""Judging a chain: every fault named by sequence, date and version.

Takes what the store holds as bytes and says which entries stand and what is wrong with the others.
A fault is told once, where it is: what follows a faulty entry is not blamed for it.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from esg_assets.core import chain
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.chain_history import ReportsSoFar
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Keyring
from esg_assets.core.store_identity import StoreIdentity

_DATE = re.compile(rb'"date":"(\d{4}-\d\d-\d\d)"')
_VERSION = re.compile(rb'"version":(\d{1,9})[,}]')


@dataclass(frozen=True)
class Head:
    """The last entry: its sequence and the SHA-256 of the whole object. Before any: 0 and zeros."""

    sequence: int = 0
    sha256: str = chain.NOTHING

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"


@dataclass(frozen=True)
class Fault:
    """Something wrong with the records.

    Attributes:
        sequence: of the entry it is about, 0 for the chain or store as a whole.
        date: report date as the entry says it (ISO), None where it cannot be told.
        version: likewise.
        what: one sentence part, without any secret.
    """

    sequence: int
    what: str
    date: str | None = None
    version: int | None = None

    def __str__(self) -> str:
        about = "".join(
            [
                f"entry {self.sequence}" if self.sequence else "the records",
                f", report {self.date}" if self.date else "",
                f" version {self.version}" if self.version else "",
            ]
        )
        return f"{about}: {self.what}"


class Examination:
    """Judges entries one after the other, in ascending order of sequence.

    Attributes:
        entries: those without a fault, ascending.
        faults: what is wrong, ascending.
        head: of the last object taken, faulty or not.
        digests: SHA-256 of every object taken, by sequence.
        taken: how many objects were taken.
    """

    def __init__(self, place: StoreIdentity, keyring: Keyring) -> None:
        self.entries: list[Entry] = []
        self.faults: list[Fault] = []
        self.head = Head()
        self.digests: dict[int, str] = {}
        self.taken = 0
        self._place = place
        self._keyring = keyring
        self._previous: str | None = chain.NOTHING  # None: unknown, the entry before is faulty or gone
        self._reports = ReportsSoFar()

    def take(self, sequence: int, data: bytes) -> None:
        """Judge the object of `sequence` and go on from it."""
        missing = self._missing(sequence)
        if missing:
            self.faults.append(missing)
            self._previous = None
        entry, fault = self._judge(sequence, data)
        if fault:
            self.faults.append(fault)
        self.head = Head(sequence, hashlib.sha256(data).hexdigest())
        self.digests[sequence] = self.head.sha256
        self.taken += 1
        if entry is None:
            self._previous = None
        else:
            self._previous = entry.sha256
            self.entries.append(entry)
            self._reports.take(entry)

    def judge_next(self, data: bytes) -> Fault | None:
        """What would be wrong with `data` as the next entry; changes nothing."""
        return self._judge(self.head.sequence + 1, data)[1]

    def _missing(self, sequence: int) -> Fault | None:
        first, last = self.head.sequence + 1, sequence - 1
        if first > last:
            return None
        if first == last:
            return Fault(first, "the entry is missing")
        return Fault(first, f"the entries {first} to {last} are missing")

    def _judge(self, sequence: int, data: bytes) -> tuple[Entry | None, Fault | None]:
        try:
            entry = chain.decode(data)
        except Tampered as error:
            date, version = _DATE.search(data), _VERSION.search(data)
            date_text, number = date and date[1].decode(), version and int(version[1])
            return None, Fault(sequence, str(error), date_text, number)
        what = self._wrong_place(entry, sequence) or self._wrong_signature_or_link(entry, sequence)
        what = what or self._reports.objection(entry, whole=not self.faults)
        if what:
            return None, Fault(sequence, what, entry.body.get("date"), entry.body.get("version"))
        return entry, None

    def _wrong_place(self, entry: Entry, sequence: int) -> str:
        if entry.place.environment != self._place.environment:
            return "the entry was made for another environment"
        if entry.place.store != self._place.store:
            return "the entry was made for another store"
        if entry.sequence != sequence:
            return f"the entry stands here but was made as entry {entry.sequence}"
        return ""

    def _wrong_signature_or_link(self, entry: Entry, sequence: int) -> str:
        signed = chain.statement(self._place, sequence, entry.payload_sha256)
        objection = self._keyring.objection(
            entry.key_name, entry.kind.value, sequence, signed, entry.signature
        )
        if objection:
            return objection
        if self._previous is not None and entry.link.previous != self._previous:
            return "the entry does not follow the one before it"
        return ""


def examine(
    objects: Iterable[tuple[int, bytes]], place: StoreIdentity, keyring: Keyring
) -> tuple[list[Entry], list[Fault]]:
    """Judge a whole chain: (sequence, object) pairs in any order.

    Returns:
        The entries without a fault, and the faults; both ascending by sequence. Entries cut off at
        the end leave no trace here: compare the head with one that was remembered.
    """
    examination = Examination(place, keyring)
    for sequence, data in sorted(objects):
        examination.take(sequence, data)
    return examination.entries, examination.faults


@dataclass(frozen=True)
class Listed:
    """What a records store holds of its chain.

    Attributes:
        objects: sequence and bytes of what stands under the names of entries, ascending; None for one
            that was listed and is gone.
        odd: how many other objects are in the chain's folder.
        place: the store's identity, None where it has none that can be read.
        damaged: the object that holds the identity is there and damaged.
    """

    objects: Sequence[tuple[int, bytes | None]]
    odd: int
    place: StoreIdentity | None
    damaged: bool = False


def examine_store(listed: Listed, environment: str, keyring: Keyring) -> Examination:
    """Judge all of a store's chain, also one whose identity is missing or damaged.

    Args:
        listed: what the store holds.
        environment: that of the store, where its identity cannot say.
        keyring: who may have signed what.
    """
    faults = [Fault(0, f"{listed.odd} object(s) in the chain's folder are not entries")] if listed.odd else []
    if listed.damaged:
        faults.append(Fault(0, "the object store_id is damaged"))
    elif listed.place is None and listed.objects:
        faults.append(Fault(0, "the object store_id is missing"))
    examination = Examination(listed.place or _claimed_place(listed, environment), keyring)
    for sequence, data in listed.objects:
        if data is not None:
            examination.take(sequence, data)
    examination.faults[:0] = faults
    return examination


def _claimed_place(listed: Listed, environment: str) -> StoreIdentity:
    """Without the store's id: the one that the first readable entry claims, to judge the others by."""
    for _, data in listed.objects:
        try:
            return StoreIdentity(environment, chain.decode(data or b"").place.store)
        except Tampered:
            continue
    return StoreIdentity(environment, "")


def head_fault(expected: Head, judged: Examination) -> Fault | None:
    """The fault if the chain does not contain `expected`, such as a head remembered elsewhere."""
    if expected.sequence == 0 or judged.digests.get(expected.sequence) == expected.sha256:
        return None
    if judged.head.sequence < expected.sequence:
        what = (
            f"the chain ends at entry {judged.head.sequence}, before the expected entry "
            f"{expected.sequence}: entries were cut off, or an older copy was restored"
        )
    else:
        what = "the entry is not the expected one: the chain was rewritten"
    # It stays a fault: a restore entry says that records were lost, and does not bring them back.
    restores = [each for each in judged.entries if each.kind is Kind.RESTORE]
    told = [each.sequence for each in restores if each.body["head"]["sequence"] >= expected.sequence]
    if told:
        what += f" (entry {told[0]} says that the records were restored and what came after it was lost)"
    return Fault(expected.sequence, what)
