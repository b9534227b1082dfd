"""A past report again: its CSV made once more from the provider's raw answers as they were kept.

Each rating is judged again from the body that brought it, with the mapping and metrics that were frozen
with the snapshot; what has no body that brought a rating stays as it was kept. Where snapshot, parts and
salt come from is not known here.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core import outcomes, report
from esg_assets.core.accounts import Snapshot
from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS
from esg_assets.core.publication import Publication
from esg_assets.core.ratings import Outcome, Reply, Status
from esg_assets.core.replies import OK, judge_many
from esg_assets.core.reply_shapes import ReplyShape

_KINDS: Mapping[str, Sequence[str]] = {
    "status": ("status", "reason"),
    "letter": ("rating",),
    "score": SCORE_COLUMNS,
    "coverage": ("coverage_pct",),
    "details": ("primary_focus", "rating_as_of", "metrics", "methodology_version"),
}
"""Columns of an outcome by kind of difference; the kinds are those of `row_changes`."""

_JUDGED, _DIFFERS = "judged_again", "differs_in"


@dataclass(frozen=True)
class Reproduction:
    """What came of making a report again.

    Attributes:
        equal: commitment and counts are those of the chain's entry.
        commitment_equal: the CSV is, byte for byte, the one that was published.
        rows: of the CSV made again.
        counts: its accounts by status.
        judged: rows whose outcome was judged again from a raw answer.
        as_kept: rows that have no body to judge, whose status stands as it was kept.
        answers: rows whose answer, judged again, gives something else than was kept, by kind; one row
            can be of several kinds.
        differing: how many rows these are.
    """

    equal: bool
    commitment_equal: bool
    rows: int
    counts: Mapping[Status, int]
    judged: int
    as_kept: int
    answers: Mapping[str, int]
    differing: int


@dataclass(frozen=True)
class MadeAgain:
    """A report made again, not compared yet.

    Attributes:
        snapshot: its accounts.
        table: one row for each account in the snapshot's order: OUTCOME_SCHEMA without `raw`, whether it
            was judged again, and in which kinds it then differed.
    """

    snapshot: Snapshot
    table: pa.Table

    def chunks(self) -> Iterator[bytes]:
        """The CSV; the same at every call."""
        return report.render(self.snapshot, self.table)

    def compared(self, publication: Publication, salt: bytes) -> Reproduction:
        """Held against the chain's entry of the publication.

        Args:
            publication: what was published.
            salt: the key of its commitment (32 bytes).
        """
        counts = outcomes.counts(self.table)
        equal = hmac.compare_digest(commitment(self.chunks(), salt), publication.commitment)
        judged = int(pc.sum(self.table.column(_JUDGED)).as_py() or 0)
        told = self.table.column(_DIFFERS).drop_null().to_pylist()
        return Reproduction(
            equal=equal and {s: counts[s] for s in Status} == dict(publication.counts),
            commitment_equal=equal,
            rows=self.snapshot.count,
            counts={status: counts[status] for status in Status},
            judged=judged,
            as_kept=counts.total() - judged,
            answers=dict(Counter(kind for kinds in told for kind in kinds.split())),
            differing=len(told),
        )


def commitment(chunks: Iterable[bytes], salt: bytes) -> str:
    """HMAC-SHA256 of a CSV, 64 hex digits, as `publish` entries record it."""
    digest = hmac.new(salt, digestmod=hashlib.sha256)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def make_again(snapshot: Snapshot, parts: Iterable[pa.Table], shape: ReplyShape) -> MadeAgain:
    """The report of a snapshot from parts with their raw answers; bodies of one part are in memory.

    Args:
        snapshot: the report's accounts, with metrics and date in force.
        parts: rows of OUTCOME_SCHEMA in the order in which they were kept, oldest part first.
        shape: how replies are read under the snapshot's mapping.
    """
    judged = [batch for part in parts for batch in _judged_again(part, snapshot, shape).to_batches()]
    none = _judged_again(OUTCOME_SCHEMA.empty_table(), snapshot, shape).schema
    table = outcomes.latest(
        snapshot.accounts.column("account_id"), judged or [pa.RecordBatch.from_pylist([], schema=none)]
    )
    return MadeAgain(snapshot, table)


def _judged_again(part: pa.Table, snapshot: Snapshot, shape: ReplyShape) -> pa.Table:
    """A part without its bodies, each rating as its body gives it, and what that changed."""
    kept = [outcome for batch in part.to_batches() for outcome in outcomes.from_batch(batch)]
    again = list(kept)
    judged = np.zeros(len(kept), dtype=bool)
    for body, places in _bodies(kept):
        ids = tuple(kept[place].account_id for place in places)
        found = judge_many(Reply(OK, body), ids, snapshot.as_of, snapshot.metrics, shape)
        for place in places:
            one = found[kept[place].account_id]
            again[place] = replace(kept[place], status=one.status, reason=one.reason, rating=one.rating)
        judged[places] = True
    made = pa.Table.from_batches([outcomes.to_batch(again)], schema=OUTCOME_SCHEMA).drop_columns(["raw"])
    before = outcomes.to_batch(kept)
    differs = pa.array(_differences(before, made), type=pa.string())
    return made.append_column(_JUDGED, pa.array(judged)).append_column(_DIFFERS, differs)


def _bodies(kept: Sequence[Outcome]) -> Iterator[tuple[bytes, list[int]]]:
    """Each body that brought ratings, with the positions of the outcomes that came of it.

    An outcome of a call for several accounts has the body of the first one of them that ended, which
    stands before it in the same part.
    """
    body, places = b"", list[int]()
    for place, outcome in enumerate(kept):
        if outcome.raw:
            if places:
                yield body, places
            body, places = outcome.raw, []
        if outcome.status is Status.SUCCESS:
            places.append(place)
    if places:
        yield body, places


def _differences(before: pa.RecordBatch, now: pa.Table) -> list[str | None]:
    """For each row the kinds in which it differs, None where it does not."""
    found: list[list[str]] = [[] for _ in range(now.num_rows)]
    for kind, names in _KINDS.items():
        for name in names:
            pairs = zip(before.column(name).to_pylist(), now.column(name).to_pylist(), strict=True)
            for kinds, (then, later) in zip(found, pairs, strict=True):
                if then != later and kind not in kinds:
                    kinds.append(kind)
    return [" ".join(kinds) or None for kinds in found]
