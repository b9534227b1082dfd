"""The words and the few figures of the mail about a publication.

Made of what the report's page shows (`esg_assets.core.page_figures`), so nothing is in it that could not be
seen by anybody.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import DailyPage, State, Tile, daily_page
from esg_assets.core.page_numbers import WITHHELD, number, signed
from esg_assets.core.page_places import report_file
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import PREVIOUS, Period, ReportDetails
from esg_assets.core.report_mail import Changed, Correction, Histogram, ReportMail

RATED = "Rated"
_SHOWN = {
    RATED: ("success_rate_pct", " points"),
    "Overall score, mean": ("overall_score.mean", " points"),
    "Failed": ("accounts.FAILED", ""),
}
"""The three figures: label on the page, name, and the unit of its change; a count has none."""

MINUS = "\N{MINUS SIGN}"
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
        warnings=[*_superseded(versions, shown), *_why(page)],
        correction=correction,
        figures=[_figure(tiles[label], details) for label in _SHOWN],
        moves=_moves(details, is_correction=is_correction),
        histogram=_histogram(page, shown),
        notes=list(_notes(page, shown)),
        page=f"{site}/{report_file(published.report_date)}" if site else "",
        facts=[
            ("Accounts and ratings as of", day_in_words(published.as_of)),
            ("Head of the chain, for auditors", _head(shown, details)),
        ],
        footer=f"Sent to the readers of the ESG report, once for each version. {note}",
    )


def _subject(
    state: State, rated: str, past: PastReport, details: ReportDetails | None, environment: str
) -> str:
    published = past.published
    words = [_WARNING[state], "CORRECTION" if published.version > 1 else ""]
    first = " ".join([*filter(None, words), published.report_date.isoformat()])
    mean, failed = past.figures.get("overall_score.mean"), published.counts[Status.FAILED]
    score = "mean score withheld" if mean is None else f"mean score {number(mean)}{_since(details)}"
    return f"[ESG report {environment}] {first}: {rated} rated, {failed:,} failed, {score}"[:150]


def _previous(details: ReportDetails | None) -> Period | None:
    """The change against the report before; None where nothing is kept."""
    return next((p for p in details.periods if p.name == PREVIOUS), None) if details is not None else None


def _figure(tile: Tile, details: ReportDetails | None) -> Tile:
    period, (name, unit) = _previous(details), _SHOWN[tile.label]
    if period is None or period.report_date is None:
        return replace(tile, changes=())
    change = period.changes.get(name)
    if change is None:
        told = "not compared"
    elif not change:
        told = "unchanged"
    else:
        told = f"{'▲' if change > 0 else '▼'} {signed(change, count=not unit)}{unit}"
    return replace(tile, changes=(told,))


def _since(details: ReportDetails | None) -> str:
    """The change of the mean since the report before, in ASCII."""
    period = _previous(details)
    change = None if period is None else period.changes.get("overall_score.mean")
    if change is None:
        return ""
    return f" ({signed(change).replace(MINUS, '-') if change else 'unchanged'})"


def _why(page: DailyPage) -> Iterator[str]:
    """What makes the report less than complete, without the settings that decide it."""
    first = "Why partial: " if page.state is State.PARTIAL else "Why the warning: "
    yield from (f"{first}{_SETTING.sub('', why)}" for why in page.why)


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


def _moves(details: ReportDetails | None, *, is_correction: bool) -> str:
    """Since when changes are, and what became of accounts."""
    period = _previous(details)
    if period is None:
        return ""
    if period.report_date is None:
        first = "No earlier date has a report" if is_correction else "This is the first report"
        return f"{first}: there is none to compare it with."
    against = f"Changes are since the report of {day_in_words(period.report_date)}."
    if period.change is None:
        return f"{against} Single accounts are not compared: {period.unavailable}."
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
    return f"{against} Accounts: {told or 'none came or went'}{hidden}."


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
