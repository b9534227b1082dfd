"""How a run ended: what that opens, and what it ends.

A run of a person's own that the person cancelled is no alert, and neither is one that gave way to today's
report. Whether Dagster wants to retry a run (`dagster/will_retry`) is not asked: a retry that was
promised may never come, and one that comes and succeeds ends the incident.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from esg_assets.assets import daily_summary, encrypted_report_csv
from esg_assets.core import errors
from esg_assets.core.alerts.incidents import Observation, Recovery
from esg_assets.core.alerts.kinds import KINDS, RUN_FAILED, RUN_KILLED, RUN_TIMED_OUT, Family, Kind, Severity
from esg_assets.detection.run_record import Looked
from esg_assets.detection.scene import Scene, Seen
from esg_assets.failures import ERROR_TAG
from esg_assets.run_lease import YIELDED_TAG
from esg_assets.stale_runs import COMMAND_LINE_TAG, GONE

ENDINGS = frozenset(kind.name for kind in KINDS.values() if kind.family is Family.ENDING)
UNEXPECTED = "Unexpected"

_LONGEST_WORD = 60

_TOO_LONG = ("Canceling due to exceeding maximum runtime", "Exceeded maximum runtime")
_WORKER_DIED = (GONE, "Detected run worker status")
_TOLD_BY_CHECKS = {"ReportBlocked", "AccountsRefused", "Tampered", "DagsterAssetCheckFailedError"}
_LAST_ASSETS = {encrypted_report_csv.NAME, daily_summary.NAME}
"""A run that made one of these has made the report of the date, or finished what was left of it."""


def look(scene: Scene, looked: Looked) -> Iterator[Seen]:
    """What the end of a run says; nothing of a run that goes on."""
    if looked.run.status is dg.DagsterRunStatus.SUCCESS:
        yield from _well(scene, looked)
    elif looked.run.status in {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}:
        kind = _kind(looked)
        if kind is not None and not (kind is RUN_FAILED and _told_by_a_check(looked)):
            yield _unwell(scene, looked, kind)


def of_status_alone(scene: Scene, looked: Looked) -> Iterator[Seen]:
    """The same of a run whose events cannot be read."""
    if looked.run.status is dg.DagsterRunStatus.FAILURE:
        yield _unwell(scene, looked, RUN_FAILED)


def _well(scene: Scene, looked: Looked) -> Iterator[Recovery]:
    made: set[date] = set()
    for one in looked.of_type(dg.DagsterEventType.ASSET_MATERIALIZATION):
        materialization = one.event.step_materialization_data.materialization
        if materialization.asset_key.to_user_string() in _LAST_ASSETS and materialization.partition:
            made.add(date.fromisoformat(materialization.partition))
    for day in sorted(made):
        yield Recovery(
            f"run:{looked.run_id}:well:{day}",
            looked.ended_at,
            ENDINGS,
            day,
            earlier_dates=True,
            facts=scene.standing(day),
            run_id=looked.run_id,
        )
    if looked.days is None:
        evidence = f"run:{looked.run_id}:well"
        yield Recovery(evidence, looked.ended_at, ENDINGS, subject=looked.run.job_name, run_id=looked.run_id)


def _kind(looked: Looked) -> Kind | None:
    """None if nobody needs to be told."""
    if looked.run.tags.get(YIELDED_TAG):
        return None
    canceling = [one.event.message or "" for one in looked.of_type(dg.DagsterEventType.RUN_CANCELING)]
    failures = [one.event for one in looked.of_type(dg.DagsterEventType.RUN_FAILURE)]
    said = [*canceling, *(event.message or "" for event in failures)]
    reasons = {_reason(event) for event in failures}
    if any(text.startswith(_TOO_LONG) for text in said) or "START_TIMEOUT" in reasons:
        return RUN_TIMED_OUT
    if any(text.startswith(_WORKER_DIED) for text in said) or "RUN_WORKER_RESTART" in reasons:
        return RUN_KILLED
    if canceling or looked.run.status is dg.DagsterRunStatus.CANCELED:
        return None  # a person did it
    if "UNEXPECTED_TERMINATION" in reasons:
        # Ctrl-C on a command is a person's; a signal to a run of the daemon is the host's.
        return None if COMMAND_LINE_TAG in looked.run.tags else RUN_KILLED
    return RUN_FAILED


def _reason(event: dg.DagsterEvent) -> str:
    data: Any = event.event_specific_data
    reason = getattr(data, "failure_reason", None)
    return "" if reason is None else str(reason.value)


def _told_by_a_check(looked: Looked) -> bool:
    """Whether the run failed because of a check that stands failed among its evaluations."""
    blocking = any(
        not one.event.asset_check_evaluation_data.passed
        and bool(_value(one.event.asset_check_evaluation_data.metadata.get("blocks_publication")))
        for one in looked.of_type(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    )
    return blocking and not {looked.run.tags.get(ERROR_TAG), _class(looked)}.isdisjoint(_TOLD_BY_CHECKS)


def _value(metadata: Any) -> object:
    return getattr(metadata, "value", metadata)


def _unwell(scene: Scene, looked: Looked, kind: Kind) -> Observation:
    days, word = looked.days, _word(looked)
    facts: dict[str, int | float | str] = {"error": word} if kind is RUN_FAILED else {}
    if note := _note(looked):
        facts["note"] = note
    if days is not None:
        facts |= scene.prospects(days[0])
    if kind is RUN_TIMED_OUT and looked.record.start_time is not None:
        facts["minutes"] = round((looked.ended_at.timestamp() - looked.record.start_time) / 60)
    return Observation(
        kind,
        f"run:{looked.run_id}:ended",
        looked.ended_at,
        None if days is None else days[0],
        looked.run.job_name if days is None else word if kind is RUN_FAILED else "",
        _severity(looked, word),
        facts,
        looked.run_id,
    )


def _severity(looked: Looked, word: str) -> Severity | None:
    """None for the kind's own; less if no report is missing because of this run."""
    of_no_report = looked.days is None
    in_anothers_way = word == errors.LeaseBusy.__name__  # the run that holds the date makes its report
    return Severity.WARN if of_no_report or in_anothers_way else None


def _word(looked: Looked) -> str:
    """The type of the error, one word."""
    tag, kind = looked.run.tags.get(ERROR_TAG) or "", _class(looked)
    if tag.isidentifier() and len(tag) <= _LONGEST_WORD:
        return tag
    known = isinstance(getattr(errors, kind, None), type)
    return kind if known else UNEXPECTED


def _class(looked: Looked) -> str:
    """The class of what was raised first of all."""
    for one in looked.of_type(dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RESOURCE_INIT_FAILURE):
        error = getattr(one.event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return str(error.cls_name)
    return ""


def _note(looked: Looked) -> str:
    """What the failed step said in words of ours; "" if they may be another's."""
    words = ""
    for one in looked.of_type(dg.DagsterEventType.STEP_FAILURE):
        told = getattr(one.event.event_specific_data, "user_failure_data", None)
        if told is not None and told.description:
            words = str(told.description)
            break
    days = looked.days
    if days is not None and days[0] != days[1]:
        return f"A run of all dates from {days[0]} to {days[1]}. {words}".strip()
    return words
