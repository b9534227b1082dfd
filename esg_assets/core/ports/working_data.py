"""Working data: the frozen snapshots and the outcomes gathered for them, by what they are.

How they are sealed and named in a store is the adapters' affair.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pyarrow as pa

from esg_assets.core.accounts import Snapshot


@dataclass(frozen=True)
class PartRef:
    """One sealed part of a partition's ratings.

    Attributes:
        key: its name in the work store.
        sha256: digest of the ciphertext, 64 hex digits.
    """

    key: str
    sha256: str


class Snapshots(Protocol):
    """The frozen account snapshots, sealed in the work store."""

    def latest(self, partition: date) -> Snapshot | None:
        """The newest generation, or None if the partition has none. Raises Tampered."""

    def generation(self, partition: date, generation: int) -> Snapshot:
        """That generation. Raises KeyMissing, Tampered."""

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Store a new snapshot as the partition's next generation and return it with its number."""


class RatingsParts(Protocol):
    """Outcomes in sealed parts, appended as they arrive; keyed by partition, never by run."""

    def append(self, snapshot: Snapshot, outcomes: pa.RecordBatch) -> PartRef:
        """Seal rows of OUTCOME_SCHEMA as the next part of the snapshot's partition; durable on return."""

    def refs(self, snapshot: Snapshot) -> list[PartRef]:
        """Every part that `read` would read, oldest first."""

    def read(
        self,
        snapshot: Snapshot,
        columns: Sequence[str] | None = None,
        *,
        only: Collection[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Outcomes of the snapshot's partition, oldest part first, of every generation up to this one.

        Only parts whose outcomes were made under the same `Snapshot.rules`. An account can occur
        several times (the last one counts) and may not be in the snapshot any more (then ignore it).

        Args:
            snapshot: the snapshot the outcomes are wanted for.
            columns: names of OUTCOME_SCHEMA to keep, None for all.
            only: keys of the parts to read, None for all.

        Raises:
            Tampered: a part is not what was sealed, or is missing from the row of part numbers.
        """
