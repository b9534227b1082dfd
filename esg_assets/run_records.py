"""Records of how runs went, made from what Dagster keeps of them: the runs that failed and died too.

A run cannot be trusted to tell its own end. So a sensor, and the command line after its own runs,
look at the runs that have ended and record each once, in the history. What a run's calls took is on
its tags (`run_effort`), what it counted among its events.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from esg_assets.core import reasons
from esg_assets.core.errors import ReportBlocked
from esg_assets.core.history import BLOCKED, FAILED, PUBLISHED, STOPPED, UNCHANGED, RunRecord
from esg_assets.core.ports import History
from esg_assets.core.ratings import Status
from esg_assets.failures import ERROR_TAG
from esg_assets.run_effort import effort_of, software_of
from esg_assets.stale_runs import PARTITION_TAG

REQUESTED_BY_TAG = "esg/requested_by"
RELOOK = timedelta(minutes=2)
"""How far before the latest run seen is looked again: rows do not show up in the order of their times."""

MOST_AT_ONCE = 50
"""Runs that are recorded in one go at most: a sensor's tick has a minute."""

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_INTERRUPTED = dg.DagsterExecutionInterruptedError.__name__


def record_ended_runs(
    instance: dg.DagsterInstance, history: History, since: datetime | None
) -> tuple[int, datetime | None]:
    """Record every run of one date that has ended and is not recorded yet, oldest first.

    Args:
        instance: where the runs are.
        history: where they are recorded.
        since: what the last call gave; None looks at all.

    Returns:
        How many were recorded now, and up to when all runs are looked at.
    """
    after = None if since is None else since - RELOOK
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=after), order_by="update_timestamp", ascending=True
    )
    oldest = min((_started(record) for record in records), default=datetime.now(UTC))
    known = {run.run_id for run in history.runs_since(oldest)}
    recorded, seen = 0, since
    for record in records:
        if record.dagster_run.run_id not in known and (made := record_of(instance, record)) is not None:
            history.record_run(made)
            recorded += 1
        seen = max(seen or record.update_timestamp, record.update_timestamp)
        if recorded == MOST_AT_ONCE:
            break
    return recorded, seen


def record_run(instance: dg.DagsterInstance, history: History, run_id: str) -> None:
    """Record one run that has ended."""
    record = instance.get_run_record_by_id(run_id)
    made = None if record is None else record_of(instance, record)
    if made is not None:
        history.record_run(made)


def record_of(instance: dg.DagsterInstance, record: dg.RunRecord) -> RunRecord | None:
    """What the history remembers of a run; None if it has not ended or is not of one date."""
    run = record.dagster_run
    day = _date(run.tags.get(PARTITION_TAG, ""))
    if run.status not in _ENDED or day is None:
        return None
    made, interrupted = _told(instance, run.run_id)
    report, status = made.get("encrypted_report_csv", {}), _status(run, made, interrupted=interrupted)
    effort = effort_of(run)
    published = status == PUBLISHED
    return RunRecord(
        run_id=run.run_id,
        report_date=day,
        status=status,
        started_at=_started(record),
        ended_at=None if record.end_time is None else datetime.fromtimestamp(record.end_time, UTC),
        calls=int(effort.pop("calls", 0)),
        retries=int(effort.pop("retries", 0)),
        refusals=int(effort.pop("refusals", 0)),
        seconds=float(effort.pop("seconds", 0.0)),
        requested_by=_requested_by(run, made),
        version=int(report["version"]) if published else None,
        figures={
            **_accounts(made),
            **effort,
            **({"report_bytes": int(report["sealed_bytes"])} if published else {}),
            **software_of(run),
            **({"error": run.tags[ERROR_TAG]} if run.tags.get(ERROR_TAG) and not run.is_success else {}),
        },
    )


def _status(run: dg.DagsterRun, made: Mapping[str, Mapping[str, Any]], *, interrupted: bool) -> str:
    if run.is_success:
        new = made.get("encrypted_report_csv", {}).get("published") == "now"
        return PUBLISHED if new else UNCHANGED
    if run.status is dg.DagsterRunStatus.CANCELED or interrupted:
        return STOPPED
    return BLOCKED if run.tags.get(ERROR_TAG) == ReportBlocked.__name__ else FAILED


def _told(instance: dg.DagsterInstance, run_id: str) -> tuple[dict[str, dict[str, Any]], bool]:
    """The metadata of what the run materialized, by asset, and whether somebody interrupted it."""
    made: dict[str, dict[str, Any]] = {}
    interrupted = False
    for entry in instance.all_logs(
        run_id, of_type={dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.STEP_FAILURE}
    ):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            found = event.step_materialization_data.materialization
            made[found.asset_key.to_user_string()] = {name: v.value for name, v in found.metadata.items()}
        else:
            error: Any = getattr(event.event_specific_data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            interrupted = interrupted or getattr(error, "cls_name", "") == _INTERRUPTED
    return made, interrupted


def _accounts(made: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Counts by status: they may always stand in the clear."""
    ratings, accounts = made.get("esg_ratings", {}), made.get("active_accounts", {}).get("accounts")
    counts = {f"accounts.{s}": int(ratings[s.value.lower()]) for s in Status if s.value.lower() in ratings}
    total = accounts if accounts is not None else sum(counts.values()) if counts else None
    return {**({} if total is None else {"accounts": int(total)}), **counts}


def _requested_by(run: dg.DagsterRun, made: Mapping[str, Mapping[str, Any]]) -> str:
    """Who asked, where the run has looked at the text already and gone on: it could name an account."""
    text = run.tags.get(REQUESTED_BY_TAG, "").strip()
    looked_at = {"esg_ratings", "encrypted_report_csv"} & set(made) or effort_of(run)
    return text if looked_at and not reasons.problem(text) else ""


def _started(record: dg.RunRecord) -> datetime:
    if record.start_time is None:
        return record.create_timestamp.astimezone(UTC)
    return datetime.fromtimestamp(record.start_time, UTC)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
