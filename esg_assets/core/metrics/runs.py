"""Samples about runs: all that were ever recorded, and the last one of the newest date."""

from collections.abc import Iterator, Mapping, Sequence

from esg_assets.core.history import PUBLISHED, RUN_STATUSES, UNCHANGED, RunRecord, RunTotals
from esg_assets.core.latencies import PERCENTILES, name_of
from esg_assets.core.metrics.catalogue import Sample
from esg_assets.core.ratings import Status

_OUTCOMES = {Status.SUCCESS: "succeeded", Status.NOT_RATED: "not_rated", Status.FAILED: "failed"}


def totals(of: RunTotals) -> Iterator[Sample]:
    """Counters; they go on where they were after a restart, since the history keeps them."""
    for status in RUN_STATUSES:
        yield Sample("esg_runs_total", of.runs.get(status, 0), {"status": status})
    yield Sample("esg_source_requests_total", of.calls)
    yield Sample("esg_source_retries_total", of.retries)
    yield Sample("esg_source_refusals_total", of.refusals)
    yield Sample("esg_source_seconds_total", of.seconds)


def last_of(runs: Sequence[RunRecord]) -> RunRecord | None:
    """The run that ended last of those of the newest date: a backfill of old dates hides no failed night."""
    newest = max((run.report_date for run in runs), default=None)
    of_newest = [run for run in runs if run.report_date == newest]
    return max(of_newest, key=lambda run: run.ended_at or run.started_at, default=None)


def last(run: RunRecord) -> Iterator[Sample]:
    """How the last run went; what it did not get to has no sample."""
    for status in RUN_STATUSES:
        yield Sample("esg_last_run_status", run.status == status, {"status": status})
    yield Sample("esg_last_run_success", run.status in {PUBLISHED, UNCHANGED})
    if run.ended_at is not None:
        yield Sample("esg_last_run_end_timestamp_seconds", run.ended_at.timestamp())
        yield Sample("esg_last_run_duration_seconds", (run.ended_at - run.started_at).total_seconds())
    yield Sample("esg_last_run_asking_seconds", run.seconds)
    yield Sample("esg_last_run_requests", run.calls)
    yield Sample("esg_last_run_retries", run.retries)
    yield Sample("esg_last_run_refusals", run.refusals)
    yield from _figures(run.figures)


def _figures(figures: Mapping[str, float | str]) -> Iterator[Sample]:
    numbers = {name: value for name, value in figures.items() if not isinstance(value, str)}
    counts = {status: numbers.get(f"accounts.{status}") for status in Status}
    for status, count in counts.items():
        if count is not None:
            yield Sample("esg_last_run_accounts", count, {"outcome": _OUTCOMES[status]})
    accounts, failed = numbers.get("accounts"), counts[Status.FAILED]
    if accounts and failed is not None:
        yield Sample("esg_last_run_failure_ratio", failed / accounts)
    for share in PERCENTILES:
        if (seconds := numbers.get(name_of(share))) is not None:
            yield Sample("esg_last_run_call_duration_seconds", seconds, {"percentile": f"{share * 100:g}"})
    for name in ("received_bytes", "report_bytes"):
        if (size := numbers.get(name)) is not None:
            yield Sample(f"esg_last_run_{name}", size)
