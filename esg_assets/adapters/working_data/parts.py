"""Outcomes in sealed parts, as they arrive (port RatingsParts)."""

import datetime as dt
import hashlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from esg_assets.adapters.working_data.arrow_streams import read_stream, write_stream
from esg_assets.adapters.working_data.sealed_objects import SealedObjects, number_in
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import KeyMissing, Tampered
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.ports import Context, Envelope, ObjectStore, PartRef, Snapshots
from esg_assets.core.sealing import working_context
from esg_assets.core.store_identity import StoreIdentity

_GENERATION_DIGITS = 4
_PART_DIGITS = 8


@dataclass(frozen=True)
class _Owner:
    """What must be known of a generation's snapshot to open its parts and to say if they count."""

    partition: dt.date
    generation: int
    commitment: str
    as_of: dt.date
    rules: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Owner":
        return cls(
            partition=snapshot.partition,
            generation=snapshot.generation,
            commitment=snapshot.commitment,
            as_of=snapshot.as_of,
            rules=snapshot.rules,
        )

    @property
    def folder(self) -> str:
        return f"{_folder(self.partition)}{self.generation:0{_GENERATION_DIGITS}d}/"

    def context(self, place: StoreIdentity, number: int) -> Context:
        return working_context(
            place,
            "part",
            self.partition,
            self.generation,
            part=str(number),
            snapshot=self.commitment,
            as_of=self.as_of.isoformat(),
        )


class SealedParts:
    """Parts as sealed Arrow streams. Safe to append to from several threads and processes."""

    def __init__(
        self,
        store: ObjectStore,
        envelope: Envelope,
        environment: str,
        snapshots: Snapshots,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Parts in the work `store`; `snapshots` gives the earlier generations that parts belong to."""
        self._objects = SealedObjects(store, envelope, environment, random)
        self._snapshots = snapshots
        self._lock = threading.Lock()
        self._last: dict[str, int] = {}  # by folder: the last number known to be taken
        self._digests: dict[str, str] = {}  # by key; a part never changes
        self._owners: dict[tuple[dt.date, int], _Owner] = {}

    def append(self, snapshot: Snapshot, outcomes: pa.RecordBatch) -> PartRef:
        """Seal rows of OUTCOME_SCHEMA as the next part of the snapshot's partition; durable on return."""
        owner = _Owner.of(snapshot)
        if owner.generation < 1:
            raise ValueError("parts belong to a snapshot that was saved")
        with self._lock:
            if owner.folder not in self._last:
                self._last[owner.folder] = self._listed(snapshot.partition).get(owner.generation, 0)
            number, sha256 = self._objects.create_next(
                owner.folder,
                _PART_DIGITS,
                self._last[owner.folder],
                owner.context,
                lambda sink: write_stream(sink, OUTCOME_SCHEMA, [outcomes]),
            )
            self._last[owner.folder] = number
            key = f"{owner.folder}{number:0{_PART_DIGITS}d}"
            self._digests[key] = sha256
        return PartRef(key=key, sha256=sha256)

    def refs(self, snapshot: Snapshot) -> list[PartRef]:
        """Every part that `read` would read, oldest first. Raises Tampered."""
        keys = [key for key, _, _ in self._wanted(snapshot)]
        for key, sealed in self._objects.read_ahead(key for key in keys if key not in self._digests):
            self._digests[key] = hashlib.sha256(sealed).hexdigest()
        return [PartRef(key=key, sha256=self._digests[key]) for key in keys]

    def read(
        self,
        snapshot: Snapshot,
        columns: Sequence[str] | None = None,
        *,
        only: Collection[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Outcomes of every generation up to the snapshot's that were made under its rules.

        Raises:
            Tampered: a part is not what was sealed, or is missing from the row of part numbers.
        """
        wanted = [each for each in self._wanted(snapshot) if only is None or each[0] in only]
        sealed_parts = self._objects.read_ahead(key for key, _, _ in wanted)
        for (key, owner, number), (_, sealed) in zip(wanted, sealed_parts, strict=True):
            self._digests[key] = hashlib.sha256(sealed).hexdigest()
            yield from _as_now(read_stream(self._opened(key, sealed, owner, number)), columns).to_batches()

    def _opened(self, key: str, sealed: bytes, owner: _Owner, number: int) -> bytes:
        return self._objects.opened(key, sealed, lambda place: owner.context(place, number))

    def _wanted(self, snapshot: Snapshot) -> list[tuple[str, _Owner, int]]:
        """Key, owner and number of every part that counts, oldest first."""
        wanted = []
        for generation, count in sorted(self._listed(snapshot.partition).items()):
            if generation > snapshot.generation:
                break
            owner = self._owner(snapshot, generation)
            if owner.rules == snapshot.rules:
                wanted += [
                    (f"{owner.folder}{number:0{_PART_DIGITS}d}", owner, number)
                    for number in range(1, count + 1)
                ]
        return wanted

    def _owner(self, snapshot: Snapshot, generation: int) -> _Owner:
        if generation == snapshot.generation:
            return _Owner.of(snapshot)
        name = (snapshot.partition, generation)
        if name not in self._owners:
            try:
                self._owners[name] = _Owner.of(self._snapshots.generation(*name))
            except KeyMissing:
                raise Tampered(
                    f"Reading the ratings of {snapshot.partition}: there are parts of snapshot generation "
                    f"{generation}, but that snapshot is gone. Restore it from a copy."
                ) from None
        return self._owners[name]

    def _listed(self, partition: dt.date) -> dict[int, int]:
        """How many parts each generation has. Raises Tampered if a number is missing among them."""
        numbers = self._numbers(partition)
        if any(map(_missing, numbers.values())):
            # A folder that is written to while it is listed may show the later of two files alone.
            numbers = self._numbers(partition)
        for generation, row in numbers.items():
            if _missing(row):
                raise Tampered(
                    f"Reading the ratings of {partition}: of snapshot generation {generation}, "
                    f"{_missing(row)} of {row[-1]} parts are missing. Restore the work store from a copy, or "
                    f"remove the folder {_folder(partition)} and run the date again."
                )
        return {generation: len(row) for generation, row in numbers.items()}

    def _numbers(self, partition: dt.date) -> dict[int, list[int]]:
        """Part numbers of each generation, ascending."""
        folder = _folder(partition)
        numbers: dict[int, list[int]] = {}
        for key in self._objects.keys(folder):
            generation, _, number = key.removeprefix(folder).partition("/")
            row = numbers.setdefault(number_in(generation, _GENERATION_DIGITS), [])
            row.append(number_in(number, _PART_DIGITS))
        return numbers


def _missing(row: Sequence[int]) -> int:
    return row[-1] - len(row)


def _folder(partition: dt.date) -> str:
    return f"parts/{partition.isoformat()}/"


def part_in(data: bytes) -> pa.Table:
    """The outcomes that an opened object holds, raw answers included: rows of OUTCOME_SCHEMA."""
    return _as_now(read_stream(data), None)


def _as_now(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    """The columns of today's OUTCOME_SCHEMA: a part from before one of them existed has nulls there."""
    for field in OUTCOME_SCHEMA:
        if field.name not in table.schema.names:
            table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
    return table.select(list(OUTCOME_SCHEMA.names if columns is None else columns))
