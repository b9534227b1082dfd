"""Outcomes as columns: the schema of a sealed part, and the latest outcome of each account.

Columns rather than objects, because a book can hold a million accounts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.ratings import TRANSIENT_REASONS, Outcome, Rating, Reason, Status

SCORE_COLUMNS = ("overall_score", "environmental_score", "social_score", "governance_score")

OUTCOME_SCHEMA = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("last_status", pa.int32()),
        *(pa.field(name, pa.string()) for name in SCORE_COLUMNS),
        pa.field("primary_focus", pa.string()),
        pa.field("rating", pa.string()),
        pa.field("coverage_pct", pa.string()),
        pa.field("rating_as_of", pa.string()),
        pa.field("metrics", pa.map_(pa.string(), pa.string())),
        pa.field("methodology_version", pa.string()),
        pa.field("etag", pa.string()),
        pa.field("raw", pa.binary(), nullable=False),
    ]
)
"""Columns of a part. Scores are the number texts that the provider sent; dates are ISO texts."""


def to_batch(outcomes: Sequence[Outcome]) -> pa.RecordBatch:
    """`outcomes` as one record batch of OUTCOME_SCHEMA, in the given order."""
    ratings = [o.rating for o in outcomes]

    def scores(name: str) -> list[str | None]:
        return [None if r is None else (getattr(r, name) or None) for r in ratings]

    columns = [
        [o.account_id for o in outcomes],
        [o.status.value for o in outcomes],
        [None if o.reason is None else o.reason.value for o in outcomes],
        [o.attempts for o in outcomes],
        [o.last_status for o in outcomes],
        *(scores(name) for name in SCORE_COLUMNS),
        scores("primary_focus"),
        scores("rating"),
        scores("coverage_pct"),
        [None if r is None else r.as_of.isoformat() for r in ratings],
        [None if r is None else list(r.metrics.items()) for r in ratings],
        scores("methodology_version"),
        [o.etag or None for o in outcomes],
        [o.raw for o in outcomes],
    ]
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, OUTCOME_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=OUTCOME_SCHEMA)


def from_batch(batch: pa.RecordBatch) -> list[Outcome]:
    """The outcomes of a record batch that `to_batch` made."""
    return [_outcome(row) for row in batch.to_pylist()]


def _outcome(row: dict[str, object]) -> Outcome:
    reason, as_of = row["reason"], row["rating_as_of"]
    rating = None
    if as_of is not None:
        rating = Rating(
            as_of=date.fromisoformat(str(as_of)),
            metrics=dict(row["metrics"] or []),  # type: ignore[call-overload]  # pairs, by the schema
            **{
                name: str(row[name] or "")
                for name in (*SCORE_COLUMNS, "primary_focus", "rating", "coverage_pct", "methodology_version")
            },
        )
    last_status = row["last_status"]
    assert last_status is None or isinstance(last_status, int)
    raw = row["raw"]
    assert isinstance(raw, bytes)
    return Outcome(
        account_id=str(row["account_id"]),
        status=Status(str(row["status"])),
        reason=None if reason is None else Reason(str(reason)),
        rating=rating,
        attempts=int(str(row["attempts"])),
        last_status=last_status,
        raw=raw,
        etag=str(row["etag"] or ""),
    )


def latest(account_ids: pa.ChunkedArray, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """The last outcome of each account, in the order of `account_ids`.

    Args:
        account_ids: unique ids of the snapshot.
        batches: outcomes, oldest first, all with the same columns of OUTCOME_SCHEMA. Accounts that
            are not in the snapshot are ignored.

    Returns:
        One row for each id; an account that has no outcome yet has nulls in every column.
    """
    given = list(batches)
    schema = given[0].schema if given else pa.schema([f for f in OUTCOME_SCHEMA if f.name != "raw"])
    outcomes = pa.Table.from_batches(given, schema=schema)
    position = pc.index_in(outcomes.column("account_id"), value_set=account_ids.combine_chunks())
    known = position.is_valid().to_numpy()
    row = np.full(len(account_ids), -1, dtype=np.int64)
    # With repeated positions numpy keeps the last assignment: the newest outcome.
    row[position.drop_null().to_numpy()] = np.flatnonzero(known)
    nullable = pa.schema([f.with_nullable(nullable=True) for f in schema])
    return outcomes.take(pa.array(row, mask=row < 0)).cast(nullable)


def counts(outcomes: pa.Table) -> Counter[Status]:
    """How many accounts ended in each status; accounts without an outcome are not counted."""
    found = pc.value_counts(outcomes.column("status")).to_pylist()
    return Counter({Status(f["values"]): f["counts"] for f in found if f["values"] is not None})


def failures_by_reason(outcomes: pa.Table) -> Counter[str]:
    """How many accounts FAILED, by reason."""
    failed = outcomes.filter(pc.equal(outcomes.column("status"), Status.FAILED.value))
    found = pc.value_counts(failed.column("reason")).to_pylist()
    return Counter({f["values"]: f["counts"] for f in found})


class Refresh(StrEnum):
    """Which accounts a run asks for again."""

    MISSING = "missing"
    FAILED = "failed"
    ALL = "all"


def still_open(outcomes: pa.Table, refresh: Refresh, *, blocked: bool) -> list[int]:
    """Positions of the accounts to ask for, ascending.

    Args:
        outcomes: what `latest` gave.
        refresh: `missing` asks only for accounts without an outcome, `failed` also for those whose
            failure was transient and, while the date is blocked, for NOT_RATED and unauthorized ones;
            `all` for all.
        blocked: whether a verdict on `outcomes` stops the publication.
    """
    if refresh is Refresh.ALL:
        return list(range(outcomes.num_rows))
    wanted = pc.is_null(outcomes.column("status"))
    if refresh is Refresh.FAILED:
        again = set(TRANSIENT_REASONS)
        if blocked:  # a wrong URL or a lost permission is mended outside, and these may be its marks
            again |= {Reason.NOT_COVERED, Reason.UNAUTHORIZED}
        wanted = pc.or_(wanted, pc.is_in(outcomes.column("reason"), value_set=pa.array(sorted(again))))
    positions: list[int] = np.flatnonzero(wanted.to_numpy()).tolist()
    return positions


def etags(outcomes: pa.Table) -> dict[str, str]:
    """What the provider calls its answers to the rated accounts, by account id, where it said."""
    rated = outcomes.filter(pc.is_valid(outcomes.column("etag")))
    return dict(zip(*(rated.column(name).to_pylist() for name in ("account_id", "etag")), strict=True))
