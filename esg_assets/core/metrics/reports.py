"""Samples about reports: which are due, and what the newest one says, in figures that were cleared.

A figure that is withheld has no sample: it is absent, not zero.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from esg_assets.core.alerts.punctuality import deadline_of
from esg_assets.core.central_time import CENTRAL, central_date
from esg_assets.core.history import ClearFigures, PastReport
from esg_assets.core.metrics.catalogue import Sample
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Status

YEAR_SECONDS = 365.25 * 86_400

_STATISTICS = {
    "mean": "esg_score_mean",
    "weighted_mean": "esg_score_weighted_mean",
    "median": "esg_score_median",
    "lower_quartile": "esg_score_lower_quartile",
    "upper_quartile": "esg_score_upper_quartile",
}
_CELLS = {
    "failures": ("esg_report_failed_accounts", "reason"),
    "coverage": ("esg_coverage_accounts", "coverage"),
    "ratings": ("esg_rating_age_accounts", "age"),
    "focus": ("esg_primary_focus_accounts", "focus"),
    "letter": ("esg_rating_letter_accounts", "letter"),
}
_SCORES = {name: name.removesuffix("_esg_score").removesuffix("_score") for name in SCORE_COLUMNS}


@dataclass(frozen=True)
class Timetable:
    """The settings that say when a report is due.

    Attributes:
        deadline: ESG_REPORT_DEADLINE, in Central time.
        first: ESG_FIRST_DATE.
        catchup_days: ESG_CATCHUP_DAYS.
    """

    deadline: time
    first: date
    catchup_days: int

    def due(self, now: datetime, first_publication: date | None, *, tried: bool) -> list[date]:
        """Dates whose report somebody waits for: today, and those that are still made up for; ascending.

        Args:
            now: the time.
            first_publication: before it nothing was missed, as `core.due` has it.
            tried: whether any run has ended yet; until then, and without a publication, nobody waits.
        """
        today = central_date(now)
        if first_publication is None and not tried:
            return []
        since = max(self.first, min(first_publication or today, today), today - timedelta(self.catchup_days))
        return [since + timedelta(days=n) for n in range((today - since).days + 1)]


def punctuality(
    due: Sequence[date], published: Collection[date], last: PastReport | None, clock: time, now: datetime
) -> Iterator[Sample]:
    """Which of the dates that are due are published, and when they must be.

    Args:
        due: ascending.
        published: those that are, and perhaps others.
        last: what is published of the newest date.
        clock: ESG_REPORT_DEADLINE.
        now: the time.
    """
    overdue = 0
    for day in due:
        of, deadline = {"report_date": day.isoformat()}, deadline_of(day, clock)
        yield Sample("esg_report_published", day in published, of)
        yield Sample("esg_report_deadline_timestamp_seconds", deadline.timestamp(), of)
        overdue += day not in published and now > deadline
    yield Sample("esg_reports_overdue", overdue)
    if due and due[-1] not in published:
        yield Sample("esg_report_margin_seconds", (deadline_of(due[-1], clock) - now).total_seconds())
    elif (
        last is not None and last.published.version == 1
    ):  # when the first version came, a correction does not say
        margin = deadline_of(last.published.report_date, clock) - last.recorded_at
        yield Sample("esg_report_margin_seconds", margin.total_seconds())


def newest(report: PastReport) -> Iterator[Sample]:
    """What the newest date's report says."""
    published = report.published
    yield Sample("esg_last_success_timestamp_seconds", report.recorded_at.timestamp())
    yield Sample("esg_report_version", published.version)
    for status in Status:
        yield Sample("esg_report_accounts", published.counts[status], {"status": status.value})
    if published.accounts:
        ratio = published.counts[Status.SUCCESS] / published.accounts
        yield Sample("esg_rating_coverage_ratio", ratio)
    yield from _figures(report.figures)


def kept(first_publication: date | None, retention_years: int) -> Iterator[Sample]:
    """How long reports are kept, and since when there are any."""
    yield Sample("esg_retention_seconds", retention_years * YEAR_SECONDS)
    if first_publication is not None:
        midnight = datetime.combine(first_publication, time(), CENTRAL)
        yield Sample("esg_first_report_timestamp_seconds", midnight.timestamp())


def _figures(figures: ClearFigures) -> Iterator[Sample]:
    for name, value in figures.items():
        if value is None:
            continue
        group, _, rest = name.partition(".")
        if name == "scored_accounts":
            yield Sample("esg_scored_accounts", value)
        elif group in _SCORES and rest in _STATISTICS:
            yield Sample(_STATISTICS[rest], value, {"pillar": _SCORES[group]})
        elif group in _CELLS and rest:
            metric, label = _CELLS[group]
            yield Sample(metric, value, {label: rest})
        elif group == "metric" and rest.endswith(".mean"):
            yield Sample("esg_metric_mean", value, {"metric": rest.removesuffix(".mean")})
