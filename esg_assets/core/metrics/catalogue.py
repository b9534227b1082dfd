"""Every metric: its name, labels and meaning. Names are fixed: rules, dashboards and firms use them.

Base units (seconds, bytes, ratios from 0 to 1), `_total` for what only grows. Each metric has the
label `env` besides; no label ever holds anything of an account. docs/operations.md shows this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus knows it.
        meaning: its help text.
        labels: besides `env`.
        kind: a counter's name ends with _total.
    """

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


@dataclass(frozen=True)
class Sample:
    """One value of a metric."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


_OF_ITSELF = (
    Metric("esg_up", "1 if all that is asked answered, else 0; what did not answer has no metrics."),
    Metric("esg_source_up", "The same for history, alerts and dagster each.", ("source",)),
    Metric("esg_scrape_errors_total", "Times that a source did not answer.", ("source",), "counter"),
    Metric("esg_build_info", "Always 1; the labels tell the versions.", ("version", "dagster", "python")),
)

_OF_REPORTS = (
    Metric("esg_report_published", "1 if the report of a date that is due is published.", ("report_date",)),
    Metric("esg_report_deadline_timestamp_seconds", "When it must be there.", ("report_date",)),
    Metric("esg_report_margin_seconds", "How long before its deadline the last one came, or is left for it."),
    Metric("esg_reports_overdue", "Reports that are due, past their deadline and not published."),
    Metric("esg_last_success_timestamp_seconds", "When the newest date's report was published."),
    Metric("esg_report_version", "Version of the newest date's report; above 1 it is a correction."),
    Metric("esg_report_accounts", "Accounts of that report by status.", ("status",)),
    Metric("esg_report_failed_accounts", "Its FAILED accounts by reason.", ("reason",)),
    Metric("esg_rating_coverage_ratio", "Share of its accounts with a rating."),
    Metric("esg_scored_accounts", "Accounts behind its averages."),
    Metric("esg_coverage_accounts", "Rated accounts with enough, below or unknown coverage.", ("coverage",)),
    Metric("esg_rating_age_accounts", "Rated accounts with a current, stale or undated rating.", ("age",)),
    Metric("esg_score_mean", "Mean score, 0 to 100.", ("pillar",)),
    Metric("esg_score_weighted_mean", "Mean score weighted by market value.", ("pillar",)),
    Metric("esg_score_median", "Median score.", ("pillar",)),
    Metric("esg_score_lower_quartile", "Lower quartile of scores.", ("pillar",)),
    Metric("esg_score_upper_quartile", "Upper quartile of scores.", ("pillar",)),
    Metric("esg_primary_focus_accounts", "Rated accounts by primary focus.", ("focus",)),
    Metric("esg_rating_letter_accounts", "Rated accounts by rating letter.", ("letter",)),
    Metric("esg_metric_mean", "Mean of a metric of ESG_METRICS, in its own unit.", ("metric",)),
    Metric("esg_failure_ratio_limit", "ESG_FAILURE_RATE_WARN, _ERROR and _BLOCK.", ("level",)),
    Metric("esg_retention_seconds", "ESG_RETENTION_YEARS: reports are kept for at least so long."),
    Metric("esg_first_report_timestamp_seconds", "Midnight of the first published date."),
)

_OF_RUNS = (
    Metric("esg_runs_total", "Runs that ended, by status.", ("status",), "counter"),
    Metric("esg_source_requests_total", "Calls to the provider, repeats included.", (), "counter"),
    Metric("esg_source_retries_total", "Calls that were repeats.", (), "counter"),
    Metric("esg_source_refusals_total", "Answers 429 of the provider.", (), "counter"),
    Metric("esg_source_seconds_total", "Time spent on asking the provider.", (), "counter"),
    Metric("esg_last_run_status", "1 for the status of the last run.", ("status",)),
    Metric("esg_last_run_success", "1 if the last run ended with a report in place."),
    Metric("esg_last_run_end_timestamp_seconds", "When the last run ended."),
    Metric("esg_last_run_duration_seconds", "How long the last run took."),
    Metric("esg_last_run_asking_seconds", "How long of that it asked the provider."),
    Metric("esg_last_run_accounts", "Accounts of the last run by outcome.", ("outcome",)),
    Metric("esg_last_run_failure_ratio", "Share of the last run's accounts that failed."),
    Metric("esg_last_run_requests", "Calls of the last run."),
    Metric("esg_last_run_retries", "Repeats among them."),
    Metric("esg_last_run_refusals", "Answers 429 among them."),
    Metric(
        "esg_last_run_call_duration_seconds", "Within that time so many of 100 calls ended.", ("percentile",)
    ),
    Metric("esg_last_run_received_bytes", "Of the answers that were kept."),
    Metric("esg_last_run_report_bytes", "Of the sealed report, if it published one."),
)

_OF_ALERTS = (
    Metric("esg_alert_incidents_open", "Open incidents.", ("kind", "severity")),
    Metric("esg_alert_outbox_pending", "Messages that no channel has acknowledged yet.", ("channel",)),
    Metric("esg_alert_outbox_oldest_age_seconds", "Age of the oldest of them; 0 if there is none."),
    Metric("esg_alert_outbox_refused", "Messages refused for good in the last 7 days.", ("channel",)),
)

_OF_DAGSTER = (
    Metric("esg_dagster_runs", "Runs that Dagster keeps, by its status.", ("status",)),
    Metric("esg_asset_check_passed", "1 if the check's latest evaluation passed.", ("check", "severity")),
    Metric("esg_daemon_heartbeat_timestamp_seconds", "Last sign of life of each daemon.", ("daemon",)),
    Metric("esg_schedule_last_tick_timestamp_seconds", "Last tick of a schedule that is on.", ("schedule",)),
    Metric("esg_schedule_last_good_tick_timestamp_seconds", "The last one without error.", ("schedule",)),
    Metric("esg_schedule_pause_limit_seconds", "Without a good tick for so long: silent.", ("schedule",)),
    Metric("esg_sensor_last_tick_timestamp_seconds", "Last tick of a sensor that is on.", ("sensor",)),
    Metric("esg_sensor_last_good_tick_timestamp_seconds", "The last one without error.", ("sensor",)),
    Metric("esg_sensor_pause_limit_seconds", "Without a good tick for so long: silent.", ("sensor",)),
)

GROUPS: Mapping[str, tuple[Metric, ...]] = {
    "the exporter itself": _OF_ITSELF,
    "reports": _OF_REPORTS,
    "runs": _OF_RUNS,
    "alerts": _OF_ALERTS,
    "Dagster": _OF_DAGSTER,
}

METRICS = {metric.name: metric for group in GROUPS.values() for metric in group}
"""Every metric by its name."""


def table() -> str:
    """Markdown: every metric with its labels and meaning."""
    lines = ["| metric | labels | means |", "|---|---|---|"]
    for group in GROUPS.values():
        lines += [f"| `{m.name}` | {', '.join(m.labels)} | {m.meaning} |" for m in group]
    return "\n".join(lines)
