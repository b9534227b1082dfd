"""The foot of a report's page: how figures are made, its versions, and what an auditor asks for."""

from collections.abc import Iterator

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.alerts.times import moment
from esg_assets.core.history import PastReport
from esg_assets.core.methodology import methodology_told
from esg_assets.core.page_numbers import WITHHELD, number, whole
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.summary_words import duration


def methods_told(details: ReportDetails | None) -> Iterator[str]:
    """How the figures are made, in sentences."""
    yield "Scores are the provider's, 0 to 100, higher is better; letters run from AAA (best) to CCC."
    yield "Means are over accounts, not over money, unless they are called by market value."
    yield "The middle half lies between the lower and the upper quartile (linear interpolation)."
    if details is None:
        return
    methods = details.methods
    yield (
        f"An account counts for averages if its coverage is {methods.min_coverage_pct:g}% or more, or not "
        f"known. A rating older than {methods.max_rating_age_days:,} days is stale."
    )
    currency = f"in {methods.currency}" if methods.currency else "without a currency"
    yield (
        f"Market-value weights are those of accounts {currency}: amounts in different currencies are never "
        "added."
    )
    yield (
        f"“{WITHHELD}”: figures over fewer than {methods.min_cell:,} accounts, and those from which these "
        f"could be worked out, are not shown. A group of figures is made anew only when none or at least "
        f"{methods.min_cell:,} accounts differ; until then it stands. Everything is rounded."
    )


def version_row(past: PastReport) -> tuple[str, ...]:
    """One version: its number, when it was published, why, who asked, rated, failed, mean overall score."""
    published = past.published
    counts = published.counts
    return (
        str(published.version),
        moment(past.recorded_at),
        published.reason or ("first publication" if published.version == 1 else "not said"),
        published.requested_by or "not said",
        f"{counts[Status.SUCCESS]:,}",
        f"{counts[Status.FAILED]:,}",
        number(past.figures.get("overall_score.mean")),
    )


def facts_of(past: PastReport, details: ReportDetails | None) -> Iterator[tuple[str, str]]:
    """What an auditor asks for: label and value."""
    published, figures = past.published, past.figures
    yield "Ratings and accounts as of", day_in_words(published.as_of)
    yield "Published in chain entry", f"{published.sequence:,}:{published.head_sha256}"
    if details is not None and details.head:
        yield "Head of the chain then", details.head
    yield "Run", published.run_id
    seconds = figures.get("collection.seconds")
    if seconds is not None:
        calls, retries = whole(figures.get("collection.calls")), whole(figures.get("collection.retries"))
        refused = whole(figures.get("collection.refusals"))
        took = f"{calls} calls in {duration(seconds)}, {retries} of them retries, {refused} refused"
        yield "Asking the provider", took
    if told := methodology_told(figures):
        yield "Methodology", told
    if details is not None:
        yield "Software", ", ".join(f"{name} {version}" for name, version in details.software.items())
