"""Runs whose process is gone: found by their lease, and reported as failed so that nothing waits for them.

Dagster's default launcher has no health check: after a SIGKILL or a reboot a run stays STARTED for
ever. A lease is released by the kernel or the database when its holder dies, so whoever gets the
lease knows that the holder before is gone: unless that one said, with a tag, that it let go in order.
A run that died before it took its lease is known by its age.
"""

import logging
import time
from collections import defaultdict
from datetime import date

import dagster as dg

from esg_assets.core.errors import LeaseBusy
from esg_assets.core.ports import Leases
from esg_assets.core.telling import fields

_log = logging.getLogger(__name__)

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PARTITION_TAG = "dagster/partition"

COMMAND_LINE_TAG = "esg/command_line"
"""On a run from the command line; its process holds `command_lease` from before the run exists."""

BACKFILL_TAG = "esg/backfill"
"""On a run of `esg-assets backfill`, as Dagster marks the runs of its own backfills."""

RELEASED_TAG = "esg/released_at"
"""On a run that let its lease go in order, in seconds since 1970: in a moment Dagster marks its end."""

RELEASED_SECONDS = 60.0
"""A run that let go longer ago, and whose end is still not marked, is gone all the same."""

LEASELESS_SECONDS = 900.0
"""A run takes its lease in its first step; one without, that began longer ago, died before it got there."""

GONE = "The process of this run is gone"
"""How the message begins with which such a run is marked as failed."""

_WITHOUT_LEASE = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED]
"""What a run can be stuck in before its lease; Dagster's own monitoring looks after QUEUED and STARTING."""


def lease_name(partition: date | str) -> str:
    """The lease that a run of `partition` holds."""
    return f"partition/{partition}"


def command_lease(partition: date | str) -> str:
    """The lease that a command holds around its run of `partition`, with the run's id as holder."""
    return f"command/{partition}"


def report_gone(instance: dg.DagsterInstance, run_id: str, by: str) -> bool:
    """Mark the lease's last holder as failed if it is not finished. Whether it was marked.

    Args:
        instance: where the run is kept.
        run_id: who held the lease last; it is free now, or held by the caller.
        by: who found out.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in UNFINISHED or _ends_now(run):
        return False
    _report(instance, run, f"its lease was free when {by} asked for it")
    return True


def sweep(instance: dg.DagsterInstance, leases: Leases, by: str) -> list[str]:
    """Report every unfinished run that has no process any more; gives their run ids."""
    unfinished: defaultdict[str, list[dg.RunRecord]] = defaultdict(list)
    for record in instance.get_run_records(dg.RunsFilter(statuses=[*UNFINISHED, *_WITHOUT_LEASE])):
        if PARTITION_TAG in record.dagster_run.tags:
            unfinished[record.dagster_run.tags[PARTITION_TAG]].append(record)
    reported = []
    for partition, records in sorted(unfinished.items()):
        try:
            with leases.hold(lease_name(partition), by) as held:
                if report_gone(instance, held.previous_holder, by):
                    reported.append(held.previous_holder)
                reported += _commands_gone(instance, leases, partition, records, by)
                reported += [r.dagster_run.run_id for r in records if _died_before_its_lease(instance, r, by)]
        except LeaseBusy:
            continue
    return reported


def _commands_gone(
    instance: dg.DagsterInstance, leases: Leases, partition: str, records: list[dg.RunRecord], by: str
) -> list[str]:
    """Report a run whose command died, also before its lease or after it let that go."""
    from_commands = {r.dagster_run.run_id for r in records if COMMAND_LINE_TAG in r.dagster_run.tags}
    if not from_commands:
        return []
    try:
        with leases.hold(command_lease(partition), by) as held:
            run = instance.get_run_by_id(held.previous_holder) if held.previous_holder else None
    except LeaseBusy:
        return []
    # A command lets its lease go when Dagster has marked the run's end, so there is no moment to wait for.
    if run is None or run.run_id not in from_commands or run.is_finished:
        return []
    _report(instance, run, f"its command no longer held its lease when {by} asked for it")
    return [run.run_id]


def _died_before_its_lease(instance: dg.DagsterInstance, record: dg.RunRecord, by: str) -> bool:
    """Report a run that should have had a lease long ago; nobody has one now. Whether it was reported."""
    began = record.start_time or record.create_timestamp.timestamp()
    run = instance.get_run_by_id(record.dagster_run.run_id)
    if run is None or run.status not in _WITHOUT_LEASE or time.time() - began < LEASELESS_SECONDS:
        return False
    if _ends_now(run) or not _takes_a_lease(run):
        return False
    _report(instance, run, f"it began long ago and held no lease when {by} looked")
    return True


def _ends_now(run: dg.DagsterRun) -> bool:
    return time.time() - float(run.tags.get(RELEASED_TAG) or 0) < RELEASED_SECONDS


def _takes_a_lease(run: dg.DagsterRun) -> bool:
    """Steps of assets do; a run of checks alone does not."""
    return run.asset_selection is None or bool(run.asset_selection)


def _report(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    instance.report_run_failed(
        run,
        f"{GONE} ({why}), so the run is marked as failed. What it had gathered is "
        "kept: run the partition again and it goes on from there.",
    )
    _log.error(
        "run %s is gone: %s",
        run.run_id,
        why,
        extra=fields("run killed", dead_run=run.run_id, partition=run.tags.get(PARTITION_TAG)),
    )
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
