"""What became of a run, read from its events: for the command line, which has started it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from esg_assets.asset_metadata import unfence
from esg_assets.core.ratings import Status
from esg_assets.run_effort import effort_of

_FAILURES = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RESOURCE_INIT_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}

INTERRUPTED = (
    "The run was interrupted from outside. What had arrived is kept: run the date again and it goes on from "
    "there."
)


@dataclass(frozen=True)
class RunResult:
    """One run of one date.

    Attributes:
        day: the report's date.
        run_id: Dagster's.
        status: published, unchanged or failed.
        version, sequence: of the report that stands after the run, as far as the run got to it.
        counts: accounts by status, as far as the run got to it.
        calls, retries, refusals, seconds: of this run.
        summary: the day in words; "" without a report.
        complaints: failed checks, and what ended the run.
    """

    day: date
    run_id: str
    status: str
    version: int | None
    sequence: int | None
    counts: dict[str, int]
    calls: int
    retries: int
    refusals: int
    seconds: float
    summary: str
    complaints: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the report stands as this run wanted it."""
        return self.status != "failed"

    @property
    def interrupted(self) -> bool:
        """Whether somebody ended the run from outside."""
        return INTERRUPTED in self.complaints

    def as_json(self) -> dict[str, object]:
        """As the contract has it."""
        return {
            "date": self.day.isoformat(),
            "status": self.status,
            "version": self.version,
            "sequence": self.sequence,
            "published": self.status == "published",
            "counts": self.counts,
            "calls": self.calls,
            "retries": self.retries,
            "refusals": self.refusals,
            "seconds": self.seconds,
            "run_id": self.run_id,
            **({} if self.ok else {"error": " ".join(self.complaints[-1:])}),
        }


def result_of(instance: dg.DagsterInstance, run: dg.DagsterRun, day: date, seconds: float) -> RunResult:
    """Read a finished run.

    Args:
        instance: where it is kept.
        run: the run.
        day: its date.
        seconds: how long it took.
    """
    told: dict[str, dict[str, Any]] = {}
    complaints, reasons = [], []
    for entry in instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            made = event.step_materialization_data.materialization
            told[made.asset_key.to_user_string()] = {name: v.value for name, v in made.metadata.items()}
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed:
                complaints.append(f"{check.severity.value} {check.check_name}: {check.description}")
        elif event.event_type in _FAILURES and (why := _reason(event)):
            reasons.append(why)
    # The run's own failure only repeats the step's, with Dagster's words around it.
    complaints += reasons[:1]
    ratings, report = told.get("esg_ratings", {}), told.get("encrypted_report_csv", {})
    effort = effort_of(run)
    status = (
        "failed" if not run.is_success else "published" if report.get("published") == "now" else "unchanged"
    )
    return RunResult(
        day=day,
        run_id=run.run_id,
        status=status,
        version=report.get("version"),
        sequence=report.get("chain_entry"),
        counts={s.value: int(ratings[s.value.lower()]) for s in Status} if ratings else {},
        # A run that failed while it asked has no materialization, but its tags tell what it asked.
        calls=int(ratings.get("calls", effort.get("calls", 0))),
        retries=int(ratings.get("retries", effort.get("retries", 0))),
        refusals=int(ratings.get("refusals_429", effort.get("refusals", 0))),
        seconds=round(seconds, 1),
        summary=unfence(str(told.get("daily_summary", {}).get("text", ""))),
        complaints=tuple(dict.fromkeys(complaints)),
    )


def _reason(event: dg.DagsterEvent) -> str:
    """Why a step, a resource or the run failed, in one sentence: never a traceback."""
    data: Any = event.event_specific_data
    told = getattr(data, "user_failure_data", None)
    if told is not None and told.description:
        return str(told.description)
    error = getattr(data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return INTERRUPTED
    return "" if error is None else str(error.message).strip().rpartition("Error: ")[2].strip()
