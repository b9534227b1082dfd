"""What a run holds while it lives: its partition, so that no other run makes the same report.

Taken by the first asset step and kept until the run's resources are torn down; if the process dies,
kernel or database releases it. Also the turn at the provider, whose rate all runs share.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import dagster as dg

from esg_assets import run_effort
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import LeaseBusy, Stopped
from esg_assets.core.ports import Leases
from esg_assets.core.telling import fields
from esg_assets.failures import BEHIND_TAG, ERROR_TAG, PERMANENT_TAG
from esg_assets.partitions import partition_of
from esg_assets.stale_runs import COMMAND_LINE_TAG, PARTITION_TAG, RELEASED_TAG, lease_name, report_gone

PROVIDER = "esg_api"
KEY_GATE = "working_key"
"""Every run passes this lease when it begins; whoever holds it replaces the working key."""

SWEEP_SECONDS = 2.0
"""A sweep for dead runs may hold the lease for a moment; that is no reason to refuse a run."""

PROVIDER_WAIT_SECONDS = 12 * 3600.0
"""A backfill's runs wait for each other at the provider; longer than any of them may take."""

WAITING_TAG = "esg/waiting_for_provider"
"""On a run that waits for its turn at the provider."""

YIELDED_TAG = "esg/yielded"
"""On a run that gave way to a more urgent date."""

STARTED = dg.DagsterRunStatus.STARTED


class RunLease:
    """The leases of one run."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._held = ExitStack()
        self._partition = ""

    def hold(self, context: dg.AssetExecutionContext) -> None:
        """Take the run's partition, once a run.

        Raises:
            LeaseBusy: another run has it; the message names that run.
        """
        name = lease_name(partition_of(context))
        if self._partition == name:
            return
        try:
            held = self._held.enter_context(
                self._leases.hold(name, context.run.run_id, wait_seconds=SWEEP_SECONDS)
            )
        except LeaseBusy as busy:
            raise LeaseBusy(
                f"Another run is making the report of {context.partition_key}: {busy} Wait for it, or "
                "terminate it in the UI; nothing of this run was done."
            ) from None
        self._partition = name
        self._pass_the_gate(context)
        _introduce(context)
        self._held.callback(_say_that_it_lets_go, context.instance, context.run.run_id)
        if held.previous_holder not in ("", context.run.run_id) and report_gone(
            context.instance, held.previous_holder, context.run.run_id
        ):
            context.log.info(
                "run %s of this partition died; it is marked as failed",
                held.previous_holder,
                extra=fields("dead run found", dead_run=held.previous_holder),
            )

    def _pass_the_gate(self, context: dg.AssetExecutionContext) -> None:
        try:
            with self._leases.hold(KEY_GATE, context.run.run_id, wait_seconds=SWEEP_SECONDS):
                return
        except LeaseBusy as busy:
            raise LeaseBusy(
                f"Making the report of {context.partition_key}: a new working key is being made ({busy}) "
                "and this run may have loaded the old one. Nothing was done; run the date again later."
            ) from None

    @contextmanager
    def provider(self, context: dg.AssetExecutionContext) -> Iterator[None]:
        """The turn at the provider: one run calls at a time, so that the rate holds over all runs."""
        with ExitStack() as turn:
            try:
                turn.enter_context(self._leases.hold(PROVIDER, context.run.run_id))
            except LeaseBusy as busy:
                context.log.info(
                    "waiting for the provider's rate: %s", busy, extra=fields("waiting for the provider")
                )
                context.instance.add_run_tags(context.run.run_id, {WAITING_TAG: "true"})
                turn.enter_context(
                    self._leases.hold(PROVIDER, context.run.run_id, wait_seconds=PROVIDER_WAIT_SECONDS)
                )
                context.instance.add_run_tags(context.run.run_id, {WAITING_TAG: "false"})
            yield

    def may_have_to_give_way(self, context: dg.AssetExecutionContext) -> bool:
        """Whether this run asks for an older date than today's."""
        return partition_of(context) != central_date(datetime.now(UTC))

    def must_give_way(self, context: dg.AssetExecutionContext) -> bool:
        """Whether the report of today waits for the provider while this run asks for an older date."""
        if not self.may_have_to_give_way(context):
            return False
        today = central_date(datetime.now(UTC)).isoformat()
        waiting = dg.RunsFilter(tags={WAITING_TAG: "true", PARTITION_TAG: today}, statuses=[STARTED])
        return bool(context.instance.get_runs(waiting, limit=1))

    def give_way(self, context: dg.AssetExecutionContext) -> None:
        """Let the more urgent run have the provider; what arrived is sealed already.

        A run from the command line waits for its next turn. One that the daemon has started ends as
        canceled with a tag, so that it holds nothing, and the schedule's next ticks take it up again.
        """
        if COMMAND_LINE_TAG not in context.run.tags:
            message = (
                "This run gives way to today's report; the schedule's next tick takes its date up again."
            )
            context.instance.add_run_tags(context.run.run_id, {YIELDED_TAG: "true"})
            context.instance.report_run_canceling(context.run, message)
            raise Stopped(message)
        context.log.info("giving way to today's report, then going on", extra=fields("giving way"))
        while self.must_give_way(context):
            time.sleep(1.0)

    def close(self) -> None:
        """Release everything."""
        self._held.close()
        self._partition = ""


def _say_that_it_lets_go(instance: dg.DagsterInstance, run_id: str) -> None:
    """Before the lease is released: whoever gets it next must not take this run for dead."""
    instance.add_run_tags(run_id, {RELEASED_TAG: f"{time.time():.0f}"})


def _introduce(context: dg.AssetExecutionContext) -> None:
    """Say what software this run is, and forget what became of the run whose tags it may have inherited.

    A run that is executed again starts with its parent's tags, and Dagster takes no tag away.
    """
    outcome = (PERMANENT_TAG, ERROR_TAG, BEHIND_TAG, YIELDED_TAG, WAITING_TAG, RELEASED_TAG)
    inherited = dict.fromkeys((tag for tag in outcome if tag in context.run.tags), "")
    software = {run_effort.SOFTWARE_TAG: run_effort.software_tag(context.run.run_id)}
    context.instance.add_run_tags(context.run.run_id, {**inherited, **software})
