"""The top of a report's page: how far the report may be relied on, its key figures, and what they are of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.alerts.times import moment
from esg_assets.core.differencing import UNCHANGED
from esg_assets.core.history import PastReport
from esg_assets.core.methodology import methodology_mixed, methodology_told
from esg_assets.core.page_changes import moved
from esg_assets.core.page_numbers import number, share, whole
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.summary import accounts_note
from esg_assets.core.verdicts import Limits


class State(StrEnum):
    """How far the report may be relied on."""

    COMPLETE = "complete"
    WARNING = "warning"
    PARTIAL = "partial"


@dataclass(frozen=True)
class Tile:
    """One figure in large: what it is, its value, what it is of, and how it changed."""

    label: str
    value: str
    of: str
    changes: Sequence[str]


def judged(past: PastReport, details: ReportDetails | None) -> tuple[State, list[str]]:
    """How far a report may be relied on, and why no further.

    PARTIAL: more accounts failed than ESG_FAILURE_RATE_ERROR allows, or a check failed that is an error.
    """
    counts = past.published.counts
    limit = details.methods.failure_error if details is not None else Limits().failure_error
    failed = counts[Status.FAILED] / past.published.accounts if past.published.accounts else 0.0
    wrong = [] if details is None else [check for check in details.checks if not check.passed]
    why = [f"{_capital(check.note)}." for check in wrong]
    if failed > limit and not any(check.name == "failure_rate" for check in wrong):
        why.insert(0, f"{counts[Status.FAILED]:,} accounts failed ({failed:.1%}).")
    if failed > limit or any(check.severity == "ERROR" for check in wrong):
        return State.PARTIAL, why
    if details is None:
        return State.WARNING, ["The results of the checks on this report are not kept here."]
    return (State.WARNING, why) if wrong else (State.COMPLETE, [])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def recorded(past: PastReport) -> str:
    """Which version this is, since when, and as of when its figures are."""
    published = past.published
    since = f"Version {published.version}, published {moment(past.recorded_at)}."
    return f"{since} Ratings and accounts as of {day_in_words(published.as_of)}."


def checks_passed(details: ReportDetails | None) -> str:
    """How many checks passed; "" where their results are not kept."""
    if details is None or not details.checks:
        return ""
    passed, of = sum(check.passed for check in details.checks), len(details.checks)
    return f"All {of} checks passed" if passed == of and of > 1 else f"{passed} of {of} checks passed"


def notes_on(past: PastReport, details: ReportDetails | None) -> Iterator[str]:
    """What must be read with the report: a correction first, accounts of another time, figures that stand."""
    published = past.published
    if published.version > 1:
        reason = f": {published.reason}" if published.reason else ""
        yield f"Version {published.version} is a correction{reason}."
        if details is not None:
            few = f"{details.methods.min_cell:,}"
            yield f"A group of figures for which it changed fewer than {few} accounts stands as it was."
    if note := accounts_note(published):
        yield note
    if methodology_mixed(past.figures):
        yield methodology_told(past.figures)
    if details is not None:
        for period in details.periods:
            if period.methodology and period.report_date is not None:
                yield f"Against {day_in_words(period.report_date)}: {period.methodology}"
    days = {name.removeprefix(UNCHANGED): n for name, n in past.figures.items() if name.startswith(UNCHANGED)}
    standing = [group.removeprefix("metric.").replace("_", " ") for group, n in days.items() if n]
    if standing and details is not None:
        yield (
            f"Figures of {', '.join(standing)} stand since an earlier report: fewer than "
            f"{details.methods.min_cell:,} accounts differ from those behind them."
        )


def tiles_of(past: PastReport, details: ReportDetails | None) -> Iterator[Tile]:
    """The key figures."""
    published, figures = past.published, past.figures
    counts, accounts = published.counts, published.accounts
    currency = details.methods.currency if details is not None else ""

    def tile(label: str, name: str, value: str, of: str, unit: str = "", *, count: bool = False) -> Tile:
        return Tile(label, value, of, moved(details, name, unit, count=count))

    rated = figures.get("success_rate_pct")
    if rated is None and accounts:
        rated = round(100 * counts[Status.SUCCESS] / accounts, 1)
    of_all = f"{counts[Status.SUCCESS]:,} of {accounts:,} accounts"
    yield tile("Rated", "success_rate_pct", "-" if rated is None else f"{rated:.1f}%", of_all, " points")
    mean, by_value = figures.get("overall_score.mean"), figures.get("overall_score.weighted_mean")
    yield tile("Overall score, mean", "overall_score.mean", number(mean), "0 to 100, higher is better")
    held = f"weighted, accounts in {currency}" if currency else "weighted by market value"
    yield tile("Overall score by market value", "overall_score.weighted_mean", number(by_value), held)
    failed, unrated = counts[Status.FAILED], counts[Status.NOT_RATED]
    yield tile(
        "Failed", "accounts.FAILED", f"{failed:,}", f"{share(failed, accounts)} of accounts", count=True
    )
    yield tile(
        *("Not rated by the provider", "accounts.NOT_RATED", f"{unrated:,}"),
        *(f"{share(unrated, accounts)} of accounts",),
        count=True,
    )
    stale = figures.get("ratings.stale")
    days = details.methods.max_rating_age_days if details is not None else 366
    yield tile("Stale ratings", "ratings.stale", whole(stale), f"older than {days:,} days", count=True)


def coverage_told(past: PastReport, details: ReportDetails | None) -> str:
    """Who counts for averages and who does not."""
    scored, below = past.figures.get("scored_accounts"), past.figures.get("coverage.below")
    least = details.methods.min_coverage_pct if details is not None else 65.0
    rated = past.published.counts[Status.SUCCESS]
    away = past.published.accounts - rated
    rest = f"{away:,} accounts without a rating count for no average, and never as zero."
    if scored is None or below is None:
        return (
            f"Averages leave out rated accounts with coverage below {least:g}%; how many is withheld. {rest}"
        )
    unknown = past.figures.get("coverage.unknown")
    of_them = f" ({whole(unknown)} of them of unknown coverage)" if unknown else ""
    then = scored + below  # of an earlier report's accounts, where the figures stand
    of_all = (
        f"{rated:,} rated accounts"
        if then == rated
        else f"the {whole(then)} accounts rated when these were made"
    )
    return (
        f"Averages are over {whole(scored)} of {of_all}{of_them}. {whole(below)} do not "
        f"count: their coverage is below {least:g}%. {rest}"
    )
