"""Samples about Dagster: its runs, checks, daemons, and the ticks of what is on."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.scheduler.instigation import (  # what the instance lists; no public name
    InstigatorState,
    InstigatorType,
    TickStatus,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from esg_assets.core import verdicts
from esg_assets.core.metrics.catalogue import Sample
from esg_assets.detection.machinery import LONGEST_PAUSE

CHECKS = {
    "active_accounts": (verdicts.ACCOUNTS_COMPLETE, verdicts.ACCOUNT_COUNT),
    "esg_ratings": (verdicts.ONE_OUTCOME, verdicts.FAILURE_RATE, verdicts.NOT_RATED_RATE),
    "daily_summary": (verdicts.RATINGS_DRIFT,),
    "encrypted_report_csv": (verdicts.REPORT_EQUALS, verdicts.KEYS_UNCHANGED, verdicts.STILL_VERIFIES),
}
"""Names of checks by asset; the definitions need settings, and these names are fixed anyway."""

_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_GOOD = [TickStatus.SUCCESS, TickStatus.SKIPPED]


def dagster_samples(instance: dg.DagsterInstance) -> Iterator[Sample]:
    """What the instance knows; reads only."""
    for status in dg.DagsterRunStatus:
        count = instance.get_runs_count(dg.RunsFilter(statuses=[status]))
        yield Sample("esg_dagster_runs", count, {"status": status.value.lower()})
    yield from _checks(instance)
    required = set(instance.get_required_daemon_types())
    for daemon, heartbeat in instance.get_daemon_heartbeats().items():
        if daemon in required:
            of = {"daemon": daemon.lower()}
            yield Sample("esg_daemon_heartbeat_timestamp_seconds", heartbeat.timestamp, of)
    for state in instance.all_instigator_state():
        if state.is_running and state.name in LONGEST_PAUSE:
            yield from _ticks(instance, state)


def _checks(instance: dg.DagsterInstance) -> Iterator[Sample]:
    """The latest evaluation of each check, of whatever date it is."""
    for asset, names in CHECKS.items():
        for name in names:
            key = dg.AssetCheckKey(dg.AssetKey(asset), name)
            records = instance.event_log_storage.get_asset_check_execution_history(
                key, limit=1, status=_EVALUATED
            )
            for record in records:
                event = record.event.dagster_event if record.event else None
                if event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                    found = event.asset_check_evaluation_data
                    of = {"check": name, "severity": found.severity.value}
                    yield Sample("esg_asset_check_passed", found.passed, of)


def _ticks(instance: dg.DagsterInstance, state: InstigatorState) -> Iterator[Sample]:
    kind = "schedule" if state.instigator_type is InstigatorType.SCHEDULE else "sensor"
    of = {kind: state.name}
    yield Sample(f"esg_{kind}_pause_limit_seconds", LONGEST_PAUSE[state.name].total_seconds(), of)
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    for tick in ticks:
        yield Sample(f"esg_{kind}_last_tick_timestamp_seconds", tick.timestamp, of)
    good = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_GOOD)
    # Without a good one yet it counts from when it was switched on.
    data = state.instigator_data
    started = getattr(data, "last_sensor_start_timestamp", None) or getattr(data, "start_timestamp", None)
    latest = max(started or 0.0, good[0].timestamp if good else 0.0)
    yield Sample(f"esg_{kind}_last_good_tick_timestamp_seconds", latest, of)
