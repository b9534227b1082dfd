"""Runs whose process is gone: found by their lease, and reported as failed so that nothing waits for them.

Dagster's default launcher has no health check: after a SIGKILL or a reboot a run stays STARTED for
ever. A lease is released by the kernel or the database when its holder dies, so whoever gets the
lease knows that the holder before is gone.
"""

from datetime import date

import dagster as dg

from esg_assets.core.errors import LeaseBusy
from esg_assets.core.ports import Leases

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PARTITION_TAG = "dagster/partition"


def lease_name(partition: date | str) -> str:
    """The lease that a run of `partition` holds."""
    return f"partition/{partition}"


def report_gone(instance: dg.DagsterInstance, run_id: str, by: str) -> bool:
    """Mark a run as failed if it is not finished; its holder is known to be gone. Whether it was marked."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in UNFINISHED:
        return False
    instance.report_run_failed(
        run,
        f"The process of this run is gone (its lease was free when {by} asked for it), so the run is marked "
        "as failed. What it had gathered is kept: run the partition again and it goes on from there.",
    )
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return True


def sweep(instance: dg.DagsterInstance, leases: Leases, by: str) -> list[str]:
    """Report every unfinished run whose lease is free and was last its own; gives their run ids."""
    partitions = {
        run.tags[PARTITION_TAG]
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        if PARTITION_TAG in run.tags
    }
    reported = []
    for partition in sorted(partitions):
        try:
            with leases.hold(lease_name(partition), by) as held:
                holder = held.previous_holder
        except LeaseBusy:
            continue
        if holder and report_gone(instance, holder, by):
            reported.append(holder)
    return reported
