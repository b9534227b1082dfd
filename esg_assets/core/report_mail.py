"""The mail about a publication: its subject, its words and the few figures in it, as plain values.

Made of what the report's page shows (`esg_assets.core.page_figures`), so nothing is in it that could not be
seen by anybody. How a mail looks is the notifiers'; when it is sent, `esg_assets.detection.ready`'s.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import Bar, DailyPage, State, Tile, daily_page
from esg_assets.core.page_numbers import WITHHELD, number, signed
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import PREVIOUS, ReportDetails

RATED = "Rated"
SHOWN_TILES = (RATED, "Overall score, mean", "Failed")
"""The three figures, by their labels on the page."""

_SETTING = re.compile(r" \(ESG_[A-Z_]+\)")
"""What the notes of checks name for those who run the pipeline."""

_WARNING = {State.COMPLETE: "", State.WARNING: "WARNING", State.PARTIAL: "PARTIAL"}
_WORTH = {
    State.COMPLETE: "COMPLETE",
    State.WARNING: "COMPLETE with a warning",
    State.PARTIAL: "PARTIAL",
}


_COUNTS = {Status.SUCCESS: "Rated", Status.NOT_RATED: "Not rated by the provider", Status.FAILED: "Failed"}
_MEANS = {
    "overall_score.mean": "Overall score, mean",
    "overall_score.weighted_mean": "Overall score by market value",
}


@dataclass(frozen=True)
class Changed:
    """One figure that a correction changed: its name, as it was, as it is, and the difference."""

    label: str
    before: str
    now: str
    difference: str


@dataclass(frozen=True)
class Correction:
    """What a mail about a later version says of it.

    Attributes:
        of: the version that it replaces.
        reason: as it stands in the chain in the clear.
        changed: figures that differ, counts first.
    """

    of: int
    reason: str
    changed: Sequence[Changed]


@dataclass(frozen=True)
class Histogram:
    """The mail's chart.

    Attributes:
        bars: accounts by overall score.
        mean: of the overall scores, None where it is withheld.
        title: what it shows.
        alternative: the same in words, for those who do not see it.
        caption: what stands below it.
    """

    bars: Sequence[Bar]
    mean: float | None
    title: str
    alternative: str
    caption: str


@dataclass(frozen=True)
class ReportMail:
    """One mail.

    Attributes:
        state: how far the report may be relied on.
        worth: the same in a few words, first in every text; with CORRECTION if it is one.
        environment: as it is named in settings.
        title: the report and its version.
        subject: at most 150 characters, in ASCII; the numbers are in it.
        warnings: what makes it less than complete, and what else must be read first.
        correction: None of a first version.
        figures: three, each with its change since the report before.
        moves: what else changed since then, in a sentence; "" for nothing to say.
        histogram: None where there is nothing to draw.
        notes: who counts, and what stands or is withheld.
        page: where the report's page is, "" where nobody knows.
        facts: label and value, for auditors.
        footer: why this mail came, and from where.
    """

    state: State
    worth: str
    environment: str
    title: str
    subject: str
    warnings: Sequence[str]
    correction: Correction | None
    figures: Sequence[Tile]
    moves: str
    histogram: Histogram | None
    notes: Sequence[str]
    page: str
    facts: Sequence[tuple[str, str]]
    footer: str


def report_mail(
    versions: Sequence[PastReport],
    shown: PastReport,
    details: ReportDetails | None,
    *,
    environment: str,
    note: str,
    site: str,
) -> ReportMail:
    """The mail about one version.

    Args:
        versions: of the date's report, oldest first, as they stand now.
        shown: which of them the mail is about.
        details: of that one; None where none are kept.
        environment: its name (ESG_ENV).
        note: what is to be said of the environment.
        site: ESG_SITE_URL without a slash at its end, "" for none.
    """
    until = list(versions[: versions.index(shown) + 1])
    page = daily_page(until, details)
    published = shown.published
    tiles = {tile.label: tile for tile in page.tiles}
    correction = _correction(until[-2], shown) if len(until) > 1 else None
    is_correction = published.version > 1
    version = f", version {published.version:,}" if is_correction else ""
    return ReportMail(
        state=page.state,
        worth=_WORTH[page.state] + (", a CORRECTION" if is_correction else ""),
        environment=environment,
        title=f"ESG report of {day_in_words(published.report_date)}{version}",
        subject=_subject(page.state, tiles[RATED].value, shown, details, environment),
        warnings=[*_superseded(versions, shown), *(_SETTING.sub("", why) for why in page.why)],
        correction=correction,
        figures=[tiles[label] for label in SHOWN_TILES],
        moves=_moves(details),
        histogram=_histogram(page, shown),
        notes=list(_notes(page, shown)),
        page=f"{site}/{page_path(published.report_date)}" if site else "",
        facts=[
            ("Accounts and ratings as of", day_in_words(published.as_of)),
            ("Head of the chain, for auditors", _head(shown, details)),
        ],
        footer=f"Sent to the readers of the ESG report, once for each version. {note}",
    )


def page_path(day: date) -> str:
    """Where a date's page is, within the site."""
    return f"reports/{day.isoformat()}/index.html"


def _subject(
    state: State, rated: str, past: PastReport, details: ReportDetails | None, environment: str
) -> str:
    published = past.published
    words = [_WARNING[state], "CORRECTION" if published.version > 1 else ""]
    first = " ".join([*filter(None, words), published.report_date.isoformat()])
    mean, failed = past.figures.get("overall_score.mean"), published.counts[Status.FAILED]
    score = "mean score withheld" if mean is None else f"mean score {number(mean)}{_since(details)}"
    return f"[ESG report {environment}] {first}: {rated} rated, {failed:,} failed, {score}"[:150]


def _since(details: ReportDetails | None) -> str:
    """The change of the mean since the report before, in ASCII."""
    for period in details.periods if details is not None else ():
        change = period.changes.get("overall_score.mean")
        if period.name == PREVIOUS and change is not None:
            told = signed(change).replace("\N{MINUS SIGN}", "-") if change else "unchanged"
            return f" ({told})"
    return ""


def _superseded(versions: Sequence[PastReport], shown: PastReport) -> Iterator[str]:
    newest, of = versions[-1].published.version, shown.published.version
    if newest > of:
        yield (
            f"Version {newest:,} of this report has been published since and replaces this one; "
            "it has a mail of its own."
        )


def _correction(before: PastReport, now: PastReport) -> Correction:
    published = now.published
    return Correction(before.published.version, published.reason, list(_changed(before, now)))


def _changed(before: PastReport, now: PastReport) -> Iterator[Changed]:
    then, later = before.published, now.published
    numbers = [("Accounts", then.accounts, later.accounts)]
    numbers += [(label, then.counts[status], later.counts[status]) for status, label in _COUNTS.items()]
    for label, old, new in numbers:
        if old != new:
            yield Changed(label, f"{old:,}", f"{new:,}", signed(new - old, count=True))
    if not before.figures or not now.figures:
        return  # recorded from the chain alone, which holds counts and no scores
    for name, label in _MEANS.items():
        was, is_ = (each.figures.get(name) for each in (before, now))
        if was != is_:
            difference = "" if was is None or is_ is None else signed(is_ - was)
            yield Changed(label, number(was), number(is_), difference)


def _moves(details: ReportDetails | None) -> str:
    """What became of accounts since the report before."""
    period = next((p for p in details.periods if p.name == PREVIOUS), None) if details is not None else None
    if period is None:
        return ""
    if period.report_date is None:
        return "This is the first report: there is none to compare it with."
    before = day_in_words(period.report_date)
    if period.change is None:
        return f"Single accounts are not compared with the report of {before}: {period.unavailable}."
    turnover, letters = period.change.turnover, period.change.migration
    numbers = {
        "new": turnover.new,
        "closed": turnover.closed,
        "newly failing": turnover.newly_failing,
        "no longer failing": turnover.no_longer_failing,
        "upgraded": letters.upgrades,
        "downgraded": letters.downgrades,
    }
    told = ", ".join(f"{n:,} {what}" for what, n in numbers.items() if n)
    hidden = "; how many were up- or downgraded is withheld" if letters.upgrades is None else ""
    return f"Accounts since the report of {before}: {told or 'none came or went'}{hidden}."


def _histogram(page: DailyPage, past: PastReport) -> Histogram | None:
    if not any(bar.value for bar in page.histogram):
        return None
    mean, lower, upper = (
        past.figures.get(f"overall_score.{measure}")
        for measure in ("mean", "lower_quartile", "upper_quartile")
    )
    title = "Accounts by overall score"
    told = "; ".join(f"{bar.label}: {bar.text}" for bar in page.histogram if bar.value != 0)
    caption = f"{title}, in steps of five points."
    if lower is not None and upper is not None:
        caption += f" Half of them lie between {number(lower)} and {number(upper)}."
    if any(bar.value is None for bar in page.histogram):
        caption += f" A question mark: {WITHHELD}, too few accounts."
    mean_told = "" if mean is None else f" Mean: {number(mean)}."
    return Histogram(page.histogram, mean, title, f"{title}. {told}.{mean_told}", caption)


def _notes(page: DailyPage, past: PastReport) -> Iterator[str]:
    # The first note of a correction is that it is one, which stands above with its reason.
    yield from page.notes[1:] if past.published.version > 1 else page.notes
    yield page.coverage
    yield "Every row of the report is sealed; its recipients open it with their keys."


def _head(past: PastReport, details: ReportDetails | None) -> str:
    published = past.published
    told = details.head if details is not None else ""
    return told or f"{published.sequence}:{published.head_sha256}"
