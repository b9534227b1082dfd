"""The publication chain in an object store: append by conditional create, read nothing unverified.

The form of an entry and its judgement are rules (`esg_assets.core.chain`, `.examination`); what a
publication writes into the chain is `esg_assets.adapters.publications`.
"""

import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from esg_assets import __version__
from esg_assets.core import chain, reasons, store_identity
from esg_assets.core.chain import Entry, Link
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import (
    KeyExists,
    KeyMissing,
    Refused,
    SettingsWrong,
    StoreUnavailable,
    Tampered,
)
from esg_assets.core.examination import Examination, Fault, Head, Listed, examine_store
from esg_assets.core.ports import Keyring, ObjectStore, Signer
from esg_assets.core.publication import Publication, latest_publication, publications
from esg_assets.core.record_ports import MakeBody
from esg_assets.core.store_identity import StoreIdentity

_READERS = 8  # a remote store answers in some 20 ms: five years of entries in seconds, not minutes
_CONFLICTS_WITHOUT_PROGRESS = 20
_FAULTS_SHOWN = 3
_LISTINGS = 3


class ChainLog:
    """The chain of one records store (port `Chain`). Constructing it touches nothing.

    Entries that were verified are kept in memory; a later call lists the store and reads what is
    new. Safe to use from several threads; several processes and hosts may append at the same time.
    """

    def __init__(
        self,
        store: ObjectStore,
        signer: Signer | None,
        keyring: Keyring,
        environment: str,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        software: str = __version__,
    ) -> None:
        """A chain in `store`.

        Args:
            store: the records.
            signer: None for a reader.
            keyring: the keys that entries may be signed by.
            environment: ESG_ENV.
            random: bytes for the store's id, needed once in the store's life.
            software: version that goes into new entries.
        """
        self._store = store
        self._signer = signer
        self._keyring = keyring
        self._environment = environment
        self._random = random
        self._software = software
        self._lock = threading.RLock()
        self._place: StoreIdentity | None = None
        self._seen: Examination | None = None

    def place(self) -> StoreIdentity:
        """The records store's identity, made now if it has none yet.

        Raises:
            Refused: the store belongs to another environment.
            Tampered: the id is damaged, or gone although there are entries.
        """
        with self._lock:
            if self._place is None:
                self._place = self._found_place()
            if self._place is None:
                self._place = store_identity.ensure(self._store, self._environment, self._random)
            return self._place

    def append(self, kind: Kind, body: Mapping[str, Any] | MakeBody, *, recorded_at: dt.datetime) -> Entry:
        """Write the next entry and return it; durable on return.

        Args:
            kind: what it records.
            body: its body, or a function that makes it from the entries before it; the function is
                called again when another writer was first, and raises Refused to give up.
            recorded_at: when, with a time zone.

        Raises:
            Refused: the entry would not verify, or the function said so. Nothing was written.
            SettingsWrong: there is no key to sign with, or verification does not know it.
            Tampered: the chain does not verify.
        """
        signer = self._signer
        if signer is None:
            raise SettingsWrong("Writing to the chain: ESG_SIGNING_KEY is not set; it signs publications.")
        with self._lock:
            place = self.place()
            stuck = 0
            while stuck < _CONFLICTS_WITHOUT_PROGRESS:
                seen = self._refresh()
                head = seen.head
                made = body(tuple(seen.entries)) if callable(body) else body
                _require_publishable(made)
                data = chain.encode(
                    kind,
                    made,
                    place=place,
                    link=Link(head.sequence + 1, head.sha256),
                    recorded_at=recorded_at,
                    software=self._software,
                    signer=signer,
                )
                self._require_verifiable(seen, data)
                if self._create(head.sequence + 1, data):
                    seen.take(head.sequence + 1, data)
                    return seen.entries[-1]
                stuck = stuck + 1 if self._refresh().head == head else 0
        raise StoreUnavailable(
            f"Writing entry {head.sequence + 1} of the chain: the store says it exists and does not list it. "
            "Nothing was written; run again."
        )

    def entries(self) -> Sequence[Entry]:
        """Every entry, first to last. Raises Tampered if any of them has a fault."""
        with self._lock:
            return tuple(self._refresh().entries)

    def head(self) -> Head:
        """The last entry; 0 and zeros before there is one. Raises Tampered."""
        with self._lock:
            return self._refresh().head

    def publications(self) -> list[Publication]:
        """Every published version in the order of publication. Raises Tampered."""
        return publications(self.entries())

    def latest_publication(self, partition: dt.date) -> Publication | None:
        """The newest version of a date, None if it is not published. Raises Tampered."""
        return latest_publication(self.entries(), partition)

    def examine(self) -> Examination:
        """Read everything anew and judge it; raises for nothing that is wrong with the entries."""
        sequences, odd = self._listed()
        place, damaged = None, False
        try:
            place = store_identity.find(self._store, self._environment)
        except Tampered:
            damaged = True
        listed = Listed(list(self._read(sequences)), odd, place, damaged)
        return examine_store(listed, self._environment, self._keyring)

    def _refresh(self) -> Examination:
        """Everything the store lists, verified; only what is new is read."""
        sequences, odd = self._listed()
        if self._place is None:
            self._place = self._found_place()
        if self._place is None:  # a store without an id, and so without an entry
            return Examination(StoreIdentity(self._environment, ""), self._keyring)
        seen = self._seen or Examination(self._place, self._keyring)
        known = seen.head.sequence
        whole = not odd and sequences[:known] == list(range(1, known + 1))
        for sequence, data in self._read(sequences[known:]) if whole else ():
            whole = whole and data is not None
            seen.take(sequence, data or b"")
        if not whole or seen.faults:
            self._seen = None
            raise _tampered(self.examine().faults)
        self._seen = seen
        return seen

    def _found_place(self) -> StoreIdentity | None:
        found = store_identity.find(self._store, self._environment)
        if found is None and any(self._listed()):
            # Once more: another process may have made the id and an entry just now.
            found = store_identity.find(self._store, self._environment)
            if found is None:
                raise Tampered("Reading the chain: the object store_id is gone. Restore it from a copy.")
        return found

    def _listed(self) -> tuple[list[int], int]:
        """Sequences that the store lists, ascending, and how many other objects are among them."""
        for _ in range(_LISTINGS):
            found = [chain.sequence_of(key) for key in self._store.keys(chain.FOLDER)]
            sequences = sorted(each for each in found if each is not None)
            if not sequences or sequences[-1] == len(sequences):
                break
            # A folder that is written to while it is listed may show the later of two files alone.
        return sequences, found.count(None)

    def _read(self, sequences: Sequence[int]) -> Iterator[tuple[int, bytes | None]]:
        """The objects of these sequences, in that order; None for one that is gone."""
        if len(sequences) <= 1:
            yield from ((each, self._read_one(each)) for each in sequences)
            return
        with ThreadPoolExecutor(_READERS) as readers:
            yield from zip(sequences, readers.map(self._read_one, sequences), strict=True)

    def _read_one(self, sequence: int) -> bytes | None:
        try:
            return self._store.read(chain.key_of(sequence))
        except KeyMissing:
            return None

    def _create(self, sequence: int, data: bytes) -> bool:
        """Whether the entry of that sequence is ours now."""
        try:
            self._store.create(chain.key_of(sequence), data)
        except KeyExists:
            # A client that repeats a request whose answer was lost finds its own object there.
            return self._read_one(sequence) == data
        return True

    def _require_verifiable(self, seen: Examination, data: bytes) -> None:
        """An entry stays for ever, so none is written that a reader would not believe."""
        entry = chain.decode(data)
        signed = chain.statement(entry.place, entry.sequence, entry.payload_sha256)
        objection = self._keyring.objection(
            entry.key_name, entry.kind.value, entry.sequence, signed, entry.signature
        )
        if objection:
            raise SettingsWrong(
                f"Writing entry {entry.sequence} of the chain: ESG_VERIFY_KEYS does not hold the public half "
                f"of ESG_SIGNING_KEY as one that may sign it ({objection}). Nothing was written."
            )
        fault = seen.judge_next(data)
        if fault:
            raise Refused(f"Writing to the chain: {fault}. Nothing was written.")


def _require_publishable(body: Mapping[str, Any]) -> None:
    """What people typed is short and printable, whichever way it came here."""
    for name in ("reason", "requested_by"):
        wrong = reasons.problem(str(body.get(name, "")))
        if wrong:
            raise Refused(f"Writing to the chain: {name} is not taken: {wrong}. Nothing was written.")


def _tampered(faults: Sequence[Fault]) -> Tampered:
    shown = "; ".join(str(fault) for fault in faults[:_FAULTS_SHOWN]) or "an entry disappeared meanwhile"
    return Tampered(
        f"Reading the chain: {max(len(faults), 1)} fault(s): {shown}. "
        "`esg-assets report verify` lists all of them; nothing is published until it is clean."
    )
