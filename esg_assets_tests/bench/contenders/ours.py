"""Ours: the collection engine of a night, as `esg_assets.asking` wires it, without Dagster.

Snapshot, sealed parts every second, resumption and progress lines included.
"""

import logging
import secrets
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from esg_assets.adapters.authorization import Bearer
from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.adapters.stores import open_store
from esg_assets.adapters.workers import ThreadedGathering
from esg_assets.adapters.working_data import SealedParts, SealedSnapshots
from esg_assets.core import outcomes
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.gathering import accounts_to_ask, kept_outcomes
from esg_assets.core.outcomes import Refresh
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Outcome, Status
from esg_assets.core.replies import judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets.core.verdicts import Limits
from esg_assets_tests.bench.contenders.task import Task

NO_LIMIT = 100_000.0
"""Calls per second that no client here reaches."""

log = logging.getLogger("bench")


def main() -> int:
    """Collect what is open; 0 if every account then has its rating."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    task = Task.told()
    envelope = WorkingEnvelope(_working_key(Path(task.out) / "working.key"))
    store = open_store(str(Path(task.out) / "work"))
    snapshots = SealedSnapshots(store, envelope, "test")
    parts = SealedParts(store, envelope, "test", snapshots)
    partition = date.fromisoformat(task.as_of) + timedelta(days=1)
    snapshot = snapshots.latest(partition) or snapshots.save(_snapshot(task, partition))
    _gather(task, snapshot, parts)
    rated = outcomes.counts(kept_outcomes(snapshot, parts))[Status.SUCCESS]
    log.info("%s of %s rated", rated, snapshot.count)
    return 0 if rated == snapshot.count else 1


def _gather(task: Task, snapshot: Snapshot, parts: SealedParts) -> None:
    policy = CallPolicy(rate=task.rate or NO_LIMIT, concurrency=task.in_flight)
    api = HttpEsgApi(task.url, Bearer(task.token), policy, ca_bundle=Path(task.ca) if task.ca else None)

    def keep(batch: Sequence[Outcome]) -> None:
        parts.append(snapshot, outcomes.to_batch(batch))

    kept = kept_outcomes(snapshot, parts)
    ThreadedGathering().gather(
        accounts_to_ask(snapshot, kept, None, Limits(), Refresh.FAILED),
        snapshot.as_of,
        api,
        judge=lambda reply, ids: judge_many(reply, ids, snapshot.as_of, snapshot.metrics, CONTRACT_SHAPE),
        keep=keep,
        report=lambda progress: log.info("%s", progress),
    )
    api.close()


def _snapshot(task: Task, partition: date) -> Snapshot:
    ids = sorted(task.account_ids)
    columns = {"account_id": pa.array(ids, pa.string())}
    nothing = pa.nulls(len(ids), pa.string())
    return Snapshot(
        partition=partition,
        generation=0,
        as_of=date.fromisoformat(task.as_of),
        accounts_as_of=task.as_of,
        accounts=pa.table(
            [columns.get(name, nothing) for name in ACCOUNT_SCHEMA.names], schema=ACCOUNT_SCHEMA
        ),
        metrics=(),
        mapping="",
        salt=secrets.token_bytes(32),
    )


def _working_key(file: Path) -> bytes:
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
