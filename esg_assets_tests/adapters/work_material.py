"""Snapshots and outcomes to keep, and the envelope of the working data."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.working_data import SealedParts, SealedRecords, SealedSnapshots
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.outcomes import to_batch
from esg_assets.core.ports import ObjectStore
from esg_assets.core.ratings import Metric, Outcome, Rating, Reason, Status

DAY = dt.date(2026, 1, 15)
NEXT = DAY + dt.timedelta(days=1)
WORKING_KEY = b"w" * 32


def working_envelope() -> WorkingEnvelope:
    return WorkingEnvelope(WORKING_KEY)


def snapshot(count: int = 3, **changes: Any) -> Snapshot:
    ids = [f"ACC-{i:07d}" for i in range(count)]
    names = [None if i % 5 == 4 else f"Müller & Søn {i}" for i in range(count)]
    columns = [ids, names, ["pension"] * count, ["EUR"] * count, [f"{i}.50" for i in range(count)]]
    fields: dict[str, Any] = {
        "partition": DAY,
        "generation": 0,
        "as_of": DAY - dt.timedelta(days=1),
        "accounts_as_of": "2026-01-14",
        "accounts": pa.table([pa.array(c, pa.string()) for c in columns], schema=ACCOUNT_SCHEMA),
        "metrics": (Metric("waci", "t:per:musd", "lower"),),
        "mapping": "",
        "salt": b"s" * 32,
    }
    return Snapshot(**{**fields, **changes})


def success(account: str, score: str = "61.20") -> Outcome:
    rating = Rating(
        as_of=DAY,
        overall_score=score,
        environmental_score=score,
        social_score=score,
        governance_score=score,
        primary_focus="climate",
        metrics={"waci": "12.0"},
    )
    return Outcome(account, Status.SUCCESS, rating=rating, attempts=1, last_status=200, raw=b'{"a": 1}')


def failure(account: str) -> Outcome:
    return Outcome(account, Status.FAILED, Reason.TIMEOUT, attempts=5)


def batch(*outcomes: Outcome) -> pa.RecordBatch:
    return to_batch(outcomes)


def accounts_in(batches: Sequence[pa.RecordBatch]) -> list[str]:
    return [account for each in batches for account in each.column("account_id").to_pylist()]


def snapshots_in(store: ObjectStore, environment: str = "test") -> SealedSnapshots:
    return SealedSnapshots(store, working_envelope(), environment)


def parts_in(store: ObjectStore) -> SealedParts:
    return SealedParts(store, working_envelope(), "test", snapshots_in(store))


def records_in(store: ObjectStore) -> SealedRecords:
    return SealedRecords(store, working_envelope(), "test")
