"""What the dashboard shows: rows of panels, each with its queries; how they become JSON is `dashboard`."""

from dataclasses import dataclass
from typing import Literal

OF = 'env="$env"'
OVERALL = ',pillar="overall"'


@dataclass(frozen=True)
class Shown:
    """One panel.

    Attributes:
        title: a few words.
        description: what it shows, and what to look for.
        unit: of Grafana's names.
        queries: PromQL by legend.
        kind: one number, lines, bars that add up, or states.
        width: of 24.
        red_from: numbers from here on are red; None for no colour of warning.
        lowest, highest: of the axis, where they are known.
    """

    title: str
    description: str
    unit: str
    queries: dict[str, str]
    kind: Literal["stat", "lines", "bars", "states"] = "lines"
    width: int = 8
    red_from: float | None = None
    lowest: float | None = 0
    highest: float | None = None


def newest(metric: str, *by: str, where: str = "") -> str:
    """A gauge over all exporters of the environment."""
    return f"max by ({', '.join(('env', *by))}) ({metric}{{{OF}{where}}})"


def grown(metric: str, *by: str) -> str:
    """How much a counter grew in a day."""
    return f"max by ({', '.join(('env', *by))}) (increase({metric}{{{OF}}}[1d]))"


TONIGHT = (
    Shown(
        "Reports overdue",
        "Reports that are past their deadline and not published. Anything but 0 is EsgReportLate.",
        "short",
        {"overdue": newest("esg_reports_overdue")},
        kind="stat",
        width=4,
        red_from=1,
    ),
    Shown(
        "Before the deadline",
        "How long before its deadline the last report came; what is left while it is not there, then late.",
        "s",
        {"margin": newest("esg_report_margin_seconds")},
        kind="stat",
        width=4,
        lowest=None,
    ),
    Shown(
        "Age of the newest report",
        "Time since the newest date's report was published. More than a day and a bit is a missed night.",
        "s",
        {"age": f"time() - {newest('esg_last_success_timestamp_seconds')}"},
        kind="stat",
        width=4,
        red_from=93_600,
    ),
    Shown(
        "Last run left a report",
        "Whether a report stands after the last run of the newest date.",
        "bool_yes_no",
        {"report stands": newest("esg_last_run_success")},
        kind="stat",
        width=4,
    ),
    Shown(
        "Accounts that failed",
        "Share of the last run's accounts without an answer; red from ESG_FAILURE_RATE_ERROR's default on.",
        "percentunit",
        {"failed": newest("esg_last_run_failure_ratio")},
        kind="stat",
        width=4,
        red_from=0.05,
    ),
    Shown(
        "Open incidents",
        "Incidents that the product's own alerts have opened and not resolved yet.",
        "short",
        {"open": f"sum(esg_alert_incidents_open{{{OF}}}) or vector(0)"},
        kind="stat",
        width=4,
        red_from=1,
    ),
)

REPORTS = (
    Shown(
        "Accounts by status",
        "All accounts of the newest report. A jump of the whole is account_count_plausible's business.",
        "short",
        {"{{status}}": newest("esg_report_accounts", "status")},
        kind="bars",
    ),
    Shown(
        "Accounts that failed, by reason",
        "FAILED accounts of the newest report. One reason that stands out points to its cause.",
        "short",
        {"{{reason}}": f"{newest('esg_report_failed_accounts', 'reason')} > 0"},
        kind="bars",
    ),
    Shown(
        "Accounts with a rating",
        "Share of SUCCESS. A slow fall is a provider that covers less of the book.",
        "percentunit",
        {"rated": newest("esg_rating_coverage_ratio")},
        lowest=None,
        highest=1,
    ),
    Shown(
        "Mean scores",
        "Means over accounts with enough coverage, rounded; withheld ones are gaps.",
        "short",
        {"{{pillar}}": newest("esg_score_mean", "pillar")},
        lowest=None,
    ),
    Shown(
        "Spread of the overall score",
        "Quartiles and median. All three moving together is the market or the provider's method.",
        "short",
        {
            "upper quartile": newest("esg_score_upper_quartile", where=OVERALL),
            "median": newest("esg_score_median", where=OVERALL),
            "lower quartile": newest("esg_score_lower_quartile", where=OVERALL),
        },
        lowest=None,
    ),
    Shown(
        "Primary focus",
        "Rated accounts by primary focus; cells that are too small are withheld.",
        "short",
        {"{{focus}}": newest("esg_primary_focus_accounts", "focus")},
        kind="bars",
    ),
)

RUNS = (
    Shown(
        "How long the last run took",
        "From start to end, and how much of that it asked the provider. A steady rise meets the deadline.",
        "s",
        {
            "run": newest("esg_last_run_duration_seconds"),
            "asking": newest("esg_last_run_asking_seconds"),
        },
    ),
    Shown(
        "How long a call takes",
        "Percentiles of the last run's calls to the provider.",
        "s",
        {"{{percentile}}": newest("esg_last_run_call_duration_seconds", "percentile")},
    ),
    Shown(
        "Calls a second while asking",
        "Of the last run: how much of ESG_API_RATE_LIMIT was used.",
        "reqps",
        {
            "calls": f"{newest('esg_last_run_requests')} / on (env) "
            f"({newest('esg_last_run_asking_seconds')} > 0)"
        },
    ),
    Shown(
        "Repeats and refusals",
        "Of the last run: calls that were repeats, and answers 429.",
        "short",
        {
            "repeats": newest("esg_last_run_retries"),
            "refused (429)": newest("esg_last_run_refusals"),
        },
    ),
    Shown(
        "Runs a day",
        "Runs that ended, by status. More than one a day means that dates are tried again.",
        "short",
        {"{{status}}": grown("esg_runs_total", "status")},
        kind="bars",
    ),
    Shown(
        "Size",
        "Bytes of the answers kept and of the sealed report.",
        "bytes",
        {
            "answers": newest("esg_last_run_received_bytes"),
            "report": newest("esg_last_run_report_bytes"),
        },
    ),
)

MACHINERY = (
    Shown(
        "Checks",
        "The latest evaluation of each check: 1 passed, 0 failed.",
        "bool_yes_no",
        {"{{check}}": f"min by (env, check) (esg_asset_check_passed{{{OF}}})"},
        kind="states",
    ),
    Shown(
        "Daemons without a sign of life",
        "Age of each daemon's heartbeat. EsgDaemonSilent is told from 10 minutes on.",
        "s",
        {"{{daemon}}": f"time() - {newest('esg_daemon_heartbeat_timestamp_seconds', 'daemon')}"},
        red_from=600,
    ),
    Shown(
        "Silence of sensors and schedules",
        "Time since the last good tick, as a share of what is still in order; from 1 on it is told.",
        "percentunit",
        {
            "{{" + kind + "}}": (
                f"(time() - {newest(f'esg_{kind}_last_good_tick_timestamp_seconds', kind)}) "
                f"/ on (env, {kind}) {newest(f'esg_{kind}_pause_limit_seconds', kind)}"
            )
            for kind in ("sensor", "schedule")
        },
        red_from=1,
    ),
    Shown(
        "Alerts that wait",
        "Messages that no channel has acknowledged yet.",
        "short",
        {"{{channel}}": newest("esg_alert_outbox_pending", "channel")},
        kind="bars",
    ),
    Shown(
        "Age of the oldest alert that waits",
        "EsgOutboxStuck is told from 15 minutes on.",
        "s",
        {"oldest": newest("esg_alert_outbox_oldest_age_seconds")},
        red_from=900,
    ),
    Shown(
        "What the exporter can read",
        "1 if the source answered the last scrape, 0 if its metrics are missing.",
        "bool_yes_no",
        {"{{source}}": newest("esg_source_up", "source")},
        kind="states",
    ),
)

ROWS = {
    "Tonight": TONIGHT,
    "Reports": REPORTS,
    "Runs and the provider": RUNS,
    "Checks, alerts and machinery": MACHINERY,
}
