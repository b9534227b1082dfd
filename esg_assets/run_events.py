"""What of Dagster's own events is told as a log line: how runs, assets and checks went, by figures.

Most of an event log is about Dagster itself and is not told. Of metadata only what is named here
goes into a line: counts, and figures of calls.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster import DagsterEvent

from esg_assets.checks import DESCRIPTIONS
from esg_assets.failures import ERROR_METADATA
from esg_assets.stale_runs import PARTITION_TAG

Fields = dict[str, object]

FIGURES = {
    **dict.fromkeys(("accounts", "success", "not_rated", "failed", "success_rate", "asked"), ""),
    **dict.fromkeys(("calls", "retries", "seconds", "calls_per_second", "sealed_parts"), ""),
    **dict.fromkeys(("rows", "version", "chain_entry", "published", "sealed_bytes"), ""),
    "refusals_429": "refusals",
}
"""Metadata of a materialization that may stand in a line, with its name there if that is another."""

ENDS = frozenset({"run succeeded", "run failed", "run canceled"})


def where(record: logging.LogRecord) -> Fields:
    """Run, job, partition and asset of a record that was logged in a run; nothing of any other."""
    told: Mapping[str, Any] = getattr(record, "dagster_meta", {})
    fields: Fields = {
        "run_id": told.get("run_id"),
        "job": told.get("job_name"),
        "partition": (told.get("job_tags") or {}).get(PARTITION_TAG),
        "asset": told.get("step_key"),
    }
    return {name: value for name, value in fields.items() if value}


def event_of(record: logging.LogRecord) -> DagsterEvent | None:
    """The event of Dagster that a record stands for."""
    return getattr(record, "dagster_meta", {}).get("dagster_event") or None


def fields_of(event: DagsterEvent) -> Fields | None:
    """What a line says of an event: `event`, `level` and figures; None if it is not told."""
    tell = _TOLD.get(event.event_type) if event.event_type else None
    return tell(event) if tell else None


def figures(metadata: Mapping[str, dg.MetadataValue[Any]]) -> Fields:
    """Of metadata what may stand in a line."""
    return {FIGURES[name] or name: value.value for name, value in metadata.items() if name in FIGURES}


def _run(event: str, level: str = "info") -> Callable[[DagsterEvent], Fields]:
    return lambda _: {"event": event, "level": level}


def _step_succeeded(event: DagsterEvent) -> Fields:
    milliseconds = float(getattr(event.event_specific_data, "duration_ms", 0.0))
    return {"event": "step succeeded", "level": "info", "seconds": round(milliseconds / 1000, 3)}


def _materialized(event: DagsterEvent) -> Fields:
    made = event.step_materialization_data.materialization
    return {"event": "asset materialized", "level": "info", **figures(made.metadata)}


def _checked(event: DagsterEvent) -> Fields:
    found = event.asset_check_evaluation_data
    failed = "error" if found.severity is dg.AssetCheckSeverity.ERROR else "warning"
    fields: Fields = {
        "event": "check passed" if found.passed else "check failed",
        "level": "info" if found.passed else failed,
        "check": found.check_name,
        "asset": found.asset_key.to_user_string(),
        "severity": found.severity.value,
    }
    # A check of somebody else's may say anything; of ours the words are ours.
    return fields | {"message": found.description or ""} if found.check_name in DESCRIPTIONS else fields


def _step_failed(event: DagsterEvent) -> Fields:
    """The type of the error, and its text where that is ours (`failures.told_to`)."""
    data = event.step_failure_data
    fields: Fields = {"event": "step failed", "level": "error"}
    told = data.user_failure_data
    if told is None:
        return fields | {"error": (data.error.cls_name if data.error else None) or "unknown"}
    kind = told.metadata.get(ERROR_METADATA)
    return fields | {"error": kind.value if kind else "Failure", "message": told.description or ""}


_TOLD: Mapping[dg.DagsterEventType, Callable[[DagsterEvent], Fields]] = {
    dg.DagsterEventType.RUN_START: _run("run started"),
    dg.DagsterEventType.RUN_SUCCESS: _run("run succeeded"),
    dg.DagsterEventType.RUN_FAILURE: _run("run failed", "error"),
    dg.DagsterEventType.RUN_CANCELED: _run("run canceled", "warning"),
    dg.DagsterEventType.STEP_START: _run("step started"),
    dg.DagsterEventType.STEP_SUCCESS: _step_succeeded,
    dg.DagsterEventType.STEP_FAILURE: _step_failed,
    dg.DagsterEventType.ASSET_MATERIALIZATION: _materialized,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION: _checked,
}
