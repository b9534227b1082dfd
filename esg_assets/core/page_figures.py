"""Everything that the page of a report shows, as plain values: numbers for charts, texts for the rest.

Made of cleared figures and of what is kept beside them (`esg_assets.core.report_details`) alone, so a page
may be seen by anybody and can be made again at any time. How it looks is `esg_assets.site`'s; what changed
is put into words in `esg_assets.core.page_changes`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.differencing import stands
from esg_assets.core.figures import BIN_POINTS, BINS
from esg_assets.core.history import PastReport
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.page_changes import (
    ChangeShown,
    Matrix,
    changes_shown,
    matrix_of,
    moved,
    not_compared,
    turnover_rows,
)
from esg_assets.core.page_footer import facts_of, methods_told, version_row
from esg_assets.core.page_numbers import number, share, whole
from esg_assets.core.page_opening import (
    State,
    Tile,
    checks_passed,
    coverage_told,
    judged,
    notes_on,
    recorded,
    tiles_of,
)
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import PILLARS, Status
from esg_assets.core.report_details import Check, ReportDetails
from esg_assets.core.verdicts import Limits

__all__ = ["Bar", "DailyPage", "Failures", "Score", "State", "Tile", "daily_page"]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart and one row of its table; `value` is None where it is withheld."""

    label: str
    value: float | None
    text: str
    share: str = ""


@dataclass(frozen=True)
class Score:
    """One score's row: numbers for the chart, None where withheld or absent."""

    label: str
    mean: float | None
    change: str
    lower: float | None
    median: float | None
    upper: float | None
    by_value: float | None


@dataclass(frozen=True)
class Failures:
    """Failed accounts: share of all in percent, the limits in percent, and bars by reason."""

    share_pct: float
    warn_pct: float
    error_pct: float
    bars: Sequence[Bar]


@dataclass(frozen=True)
class DailyPage:
    """What the page of one report shows.

    Attributes:
        report_date: of the report.
        state: how far it may be relied on.
        heading: of the page; begins with the state in capitals.
        recorded: which version this is, since when, and as of when.
        passed: how many checks passed, "" where nobody knows.
        why: what makes it less than complete.
        notes: what must be read with it: a correction, accounts of another time, figures that stand.
        not_compared: with which earlier reports nothing is compared; "" for nothing to say.
        coverage: who counts for averages and who does not.
        histogram, focus, letters: bars; scores: rows.
        metrics: further metrics: name, mean, change, unit, which is better.
        failures: reasons and limits.
        changes: against each earlier report; turnover: their counts in one table; matrix: letters against
            the report before.
        checks: every check.
        methods: how figures are made, in sentences.
        versions: version, when published, why, who asked, rated, failed, mean overall score.
        facts: run, software, chain: label and value.
    """

    report_date: date
    version: int
    state: State
    heading: str
    recorded: str
    passed: str
    why: Sequence[str]
    notes: Sequence[str]
    tiles: Sequence[Tile]
    not_compared: str
    coverage: str
    histogram: Sequence[Bar]
    scores: Sequence[Score]
    focus: Sequence[Bar]
    letters: Sequence[Bar]
    metrics: Sequence[Sequence[str]]
    failures: Failures
    changes: Sequence[ChangeShown]
    turnover: Sequence[Sequence[str]]
    matrix: Matrix | None
    checks: Sequence[Check]
    methods: Sequence[str]
    versions: Sequence[Sequence[str]]
    facts: Sequence[tuple[str, str]]


def daily_page(versions: Sequence[PastReport], details: ReportDetails | None) -> DailyPage:
    """The page of a date.

    Args:
        versions: of its report, oldest first; at least one. The last is shown, the others are listed.
        details: of the last; None where none are kept: it was published by an earlier software, or its
            run ended right after the publication.
    """
    past = versions[-1]
    published = past.published
    state, why = judged(past, details)
    changes = changes_shown(details)
    words = "with a warning" if state is State.WARNING else ""
    heading = f"{'PARTIAL' if state is State.PARTIAL else 'COMPLETE'}{' ' + words if words else ''}"
    return DailyPage(
        report_date=published.report_date,
        version=published.version,
        state=state,
        heading=f"{heading}: ESG report of {day_in_words(published.report_date)}",
        recorded=recorded(past),
        passed=checks_passed(details),
        why=why,
        notes=list(notes_on(past, details)),
        tiles=list(tiles_of(past, details)),
        not_compared=not_compared(details),
        coverage=coverage_told(past, details),
        histogram=_histogram(past),
        scores=[_score(past, details, name) for name in SCORE_COLUMNS],
        focus=_bars(past, "focus", [*PILLARS, "none", "other"], biggest_first=True),
        letters=_bars(past, "letter", [*RATINGS, "none", "other"]),
        metrics=list(_metrics(past, details)),
        failures=_failures(past, details),
        changes=changes,
        turnover=turnover_rows(changes),
        matrix=matrix_of(details),
        checks=[] if details is None else list(details.checks),
        methods=list(methods_told(details)),
        versions=[version_row(each) for each in reversed(versions)],
        facts=list(facts_of(past, details)),
    )


def _histogram(past: PastReport) -> list[Bar]:
    bars = []
    for start in range(0, BINS * BIN_POINTS, BIN_POINTS):
        count = past.figures.get(f"histogram.overall.{start:02d}")
        bars.append(Bar(f"{start} to {start + BIN_POINTS}", count, whole(count)))
    return bars


def _score(past: PastReport, details: ReportDetails | None, name: str) -> Score:
    mean, lower, median, upper, by_value = (
        past.figures.get(f"{name}.{measure}")
        for measure in ("mean", "lower_quartile", "median", "upper_quartile", "weighted_mean")
    )
    label = name.removesuffix("_score").capitalize()
    change = next(iter(moved(details, f"{name}.mean", "")), "")
    return Score(label, mean, change, lower, median, upper, by_value)


def _bars(past: PastReport, group: str, names: Sequence[str], *, biggest_first: bool = False) -> list[Bar]:
    rated = past.published.counts[Status.SUCCESS]
    earlier = stands(past.figures, group, rated)
    bars = []
    for name in names:
        count = past.figures.get(f"{group}.{name}", 0.0)
        if count == 0 and name in {"none", "other"}:
            continue
        of_all = "" if count is None or earlier else share(count, rated)
        bars.append(Bar(name if name in RATINGS else name.capitalize(), count, whole(count), of_all))
    return sorted(bars, key=lambda bar: -(bar.value or 0)) if biggest_first else bars


def _metrics(past: PastReport, details: ReportDetails | None) -> Iterator[tuple[str, ...]]:
    for metric in details.methods.metrics if details is not None else ():
        name = f"metric.{metric.name}.mean"
        change = next(iter(moved(details, name, "")), "")
        yield metric.name, number(past.figures.get(name)), change, metric.unit, f"{metric.better} is better"


def _failures(past: PastReport, details: ReportDetails | None) -> Failures:
    accounts = past.published.accounts
    limits = details.methods if details is not None else Limits()
    bars = []
    for name, count in past.figures.items():
        if name.startswith("failures.") and count:
            label = name.removeprefix("failures.").replace("_", " ").capitalize()
            bars.append(Bar(label, 100 * count / accounts, whole(count), share(count, accounts)))
    failed = past.published.counts[Status.FAILED]
    return Failures(
        share_pct=100 * failed / accounts if accounts else 0.0,
        warn_pct=100 * limits.failure_warn,
        error_pct=100 * limits.failure_error,
        bars=sorted(bars, key=lambda bar: -(bar.value or 0)),
    )
