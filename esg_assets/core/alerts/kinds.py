"""Every kind of alert: its name, how bad it is, and what kind of cause it is.

A kind's name is stable: it stands in dedup keys, metrics, ESG_RUNBOOK_URL's anchors and
docs/operations.md, where each has a section of that name.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from esg_assets.core import verdicts


class Severity(StrEnum):
    """How bad: INFO is a notice that nobody has to act on."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return list(Severity).index(self)


class Family(Enum):
    """What a kind is about, which decides what folds into what and what ends it (`ledger`)."""

    ENDING = "how a run ended"
    LATENESS = "the report of a date is not there in time"
    CHECK = "a check of a date failed"
    MACHINERY = "something that has no date: a sensor, a daemon, the outbox"
    NOTICE = "something to be told once, with no end"


@dataclass(frozen=True)
class Kind:
    """One kind of alert.

    Attributes:
        name: `[a-z_]+`.
        family: what it is about.
        severity: unless what was seen says otherwise (a check has its own).
        title: a few words, the beginning of a subject line.
    """

    name: str
    family: Family
    severity: Severity
    title: str

    @property
    def anchor(self) -> str:
        """Of its section in docs/operations.md."""
        return self.name.replace("_", "-")


RUN_FAILED = Kind("run_failed", Family.ENDING, Severity.ERROR, "Run failed")
RUN_KILLED = Kind("run_killed", Family.ENDING, Severity.ERROR, "Run killed")
RUN_TIMED_OUT = Kind("run_timed_out", Family.ENDING, Severity.ERROR, "Run timed out")
REPORT_LATE = Kind("report_late", Family.LATENESS, Severity.ERROR, "Report missed its deadline")
FORECAST_LATE = Kind("report_will_be_late", Family.LATENESS, Severity.WARN, "Report will be late")
CATCH_UP = Kind("catch_up", Family.LATENESS, Severity.WARN, "Missed report is made up for")
GIVEN_UP = Kind("date_given_up", Family.LATENESS, Severity.ERROR, "Report given up")
CHECK_FAILED = Kind("check_failed", Family.CHECK, Severity.ERROR, "Check failed")
OUTBOX_STUCK = Kind("outbox_stuck", Family.MACHINERY, Severity.ERROR, "Alerts cannot be delivered")
ALERT_REFUSED = Kind("alert_refused", Family.MACHINERY, Severity.ERROR, "A channel refuses alerts")
SENSOR_SILENT = Kind("sensor_silent", Family.MACHINERY, Severity.ERROR, "Sensor or schedule does not tick")
DAEMON_SILENT = Kind("daemon_silent", Family.MACHINERY, Severity.ERROR, "Dagster daemon is silent")
DRILL = Kind("drill", Family.MACHINERY, Severity.ERROR, "DRILL")
PUBLISHED = Kind("report_published", Family.NOTICE, Severity.INFO, "Report published")
READY = Kind("report_ready", Family.NOTICE, Severity.INFO, "Report ready for its readers")

_CHECK_TITLES = {
    verdicts.ACCOUNTS_COMPLETE: "Account list refused",
    verdicts.ACCOUNT_COUNT: "Account count jumped",
    verdicts.ONE_OUTCOME: "Accounts without an outcome",
    verdicts.FAILURE_RATE: "Failure rate too high",
    verdicts.NOT_RATED_RATE: "Too many accounts not rated",
    verdicts.REPORT_EQUALS: "Report differs from the ratings",
    verdicts.KEYS_UNCHANGED: "Keys changed",
    verdicts.RATINGS_DRIFT: "Ratings drift",
    verdicts.STILL_VERIFIES: "Published report does not verify",
}

KINDS = {
    kind.name: kind
    for kind in (
        RUN_FAILED,
        RUN_KILLED,
        RUN_TIMED_OUT,
        REPORT_LATE,
        FORECAST_LATE,
        CATCH_UP,
        GIVEN_UP,
        CHECK_FAILED,
        *(Kind(name, Family.CHECK, Severity.ERROR, title) for name, title in _CHECK_TITLES.items()),
        OUTBOX_STUCK,
        ALERT_REFUSED,
        SENSOR_SILENT,
        DAEMON_SILENT,
        DRILL,
        PUBLISHED,
        READY,
    )
}
"""Every kind by its name; a check of a firm's own is CHECK_FAILED with the check's name as subject."""


def kind_of_check(check: str) -> tuple[Kind, str]:
    """The kind of a failed check, and the subject that goes with it."""
    return (KINDS[check], "") if check in KINDS else (CHECK_FAILED, check)
