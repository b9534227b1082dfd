"""What `esg_ratings` hands on: a small handle to sealed parts, never the ratings themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from esg_assets.core.accounts import Snapshot
from esg_assets.core.ports import PartRef
from esg_assets.core.ratings import Status


@dataclass(frozen=True)
class Effort:
    """What gathering took, over all runs of a partition; seconds from first to last call of each run."""

    calls: int = 0
    retries: int = 0
    refusals: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(
            self.calls + other.calls,
            self.retries + other.retries,
            self.refusals + other.refusals,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class SealedRatings:
    """The ratings of one partition, as counts and references.

    Attributes:
        partition: the report's date.
        generation: of the snapshot they are about.
        counts: accounts by status.
        parts: how many sealed parts hold them.
        effort: over all runs of the partition.
        started_at: when the first of its runs began to ask, UTC.
    """

    partition: date
    generation: int
    counts: Mapping[Status, int]
    parts: int
    effort: Effort
    started_at: datetime

    def after(
        self, snapshot: Snapshot, counts: Mapping[Status, int], parts: int, effort: Effort
    ) -> "SealedRatings":
        """What stands after one more run of the partition."""
        return replace(
            self, generation=snapshot.generation, counts=counts, parts=parts, effort=self.effort + effort
        )

    def as_json(self) -> dict[str, object]:
        """For the working data."""
        return {
            "partition": self.partition.isoformat(),
            "generation": self.generation,
            "counts": {s.value: self.counts.get(s, 0) for s in Status},
            "parts": self.parts,
            "effort": [self.effort.calls, self.effort.retries, self.effort.refusals, self.effort.seconds],
            "started_at": self.started_at.isoformat(),
        }

    @classmethod
    def of_json(cls, document: Mapping[str, object]) -> "SealedRatings":
        """What `as_json` gave."""
        counts, effort = document["counts"], document["effort"]
        assert isinstance(counts, dict)
        assert isinstance(effort, list)
        calls, retries, refusals, seconds = effort
        return cls(
            partition=date.fromisoformat(str(document["partition"])),
            generation=int(str(document["generation"])),
            counts={Status(name): int(n) for name, n in counts.items()},
            parts=int(str(document["parts"])),
            effort=Effort(int(calls), int(retries), int(refusals), float(seconds)),
            started_at=datetime.fromisoformat(str(document["started_at"])),
        )


class SealedRatingsStore(Protocol):
    """The handles, sealed in the work store."""

    def get(self, partition: date) -> SealedRatings | None:
        """The newest handle of a partition, None if there is none. Raises Tampered."""

    def put(self, sealed: SealedRatings) -> None:
        """Keep a handle as the newest of its partition."""


@dataclass(frozen=True)
class Ratings:
    """The ratings of one partition, opened.

    Attributes:
        sealed: the handle.
        parts: the parts they were read from.
        outcomes: OUTCOME_SCHEMA without `raw`, one row for each account of the snapshot in its
            order; nulls for an account without an outcome.
    """

    sealed: SealedRatings
    parts: tuple[PartRef, ...]
    outcomes: pa.Table
