"""The site: which pages are out of date, and bringing them up to date.

    index.html, years/YYYY.html   every date
    reports/DATE/index.html       one page for each date, of its newest version
    latest/index.html             the newest date's
    trends/SPAN.html              30 days, a year, everything

How files are written is `esg_assets.site.files`'.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import daily_page
from esg_assets.core.ports import History
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.trend_figures import NAMES, SPANS, trend
from esg_assets.site import rendering
from esg_assets.site.files import SiteFolder
from esg_assets.site.rendering import IndexDay, Links

FIRST_PAGE_YEARS = 2
"""Years that the first page lists; earlier ones have pages of their own."""


@dataclass(frozen=True)
class Built:
    """What became of the site.

    Attributes:
        path: its folder.
        pages: how many pages were written.
        reports: how many dates it has.
        waiting: pages that are out of date still, since the time was up.
        latest: date of the newest report, None where nothing is published.
    """

    path: Path
    pages: int
    reports: int
    waiting: int
    latest: date | None


def build(
    history: History,
    folder: Path,
    links: Links,
    *,
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Built:
    """Bring the site up to date: newest reports first, then lists and trends.

    Args:
        history: what was published.
        folder: of the site; made if it is not there.
        links: where pages lead.
        seconds: after so many no further report's page is begun; None for no limit.
        clock: seconds, rising.

    Raises:
        StoreUnavailable: a file cannot be written, or the database does not answer.
    """
    until = None if seconds is None else clock() + seconds
    reports = history.trend(NAMES, date.min)
    site = SiteFolder(folder)
    if not reports:
        return Built(folder, 0, 0, 0, None)
    site.prepare()
    stale = [past for past in reversed(reports) if _is_stale(site, history, past)]
    written = 0
    for past in stale:
        if written and until is not None and clock() > until:
            break
        _write_day(site, history, past, links)
        written += 1
    newest = reports[-1]
    _write_latest(site, history, newest, links)
    lists = _write_lists(site, reports)
    limit = _failure_error(history, newest)
    for span in SPANS:
        site.write(f"trends/{span.name}.html", rendering.trend_page(trend(reports, span), limit))
    return Built(
        path=folder,
        pages=written + 1 + lists + len(SPANS),
        reports=len(reports),
        waiting=len(stale) - written,
        latest=newest.published.report_date,
    )


def report_file(day: date) -> str:
    """Where a report's page is, within the site."""
    return f"reports/{day.isoformat()}/index.html"


def _is_stale(site: SiteFolder, history: History, past: PastReport) -> bool:
    found = site.marker(report_file(past.published.report_date))
    if found == rendering.marker(past, bare=False):
        return False
    # Made before the details of its report were kept: they may be there by now.
    return found != rendering.marker(past, bare=True) or history.details(past.published) is not None


def _write_day(site: SiteFolder, history: History, past: PastReport, links: Links) -> None:
    name = report_file(past.published.report_date)
    site.write(name, _day(history, past, "../../", links))


def _write_latest(site: SiteFolder, history: History, past: PastReport, links: Links) -> None:
    """A copy, since links between files are not what every web server and bucket follows."""
    site.write("latest/index.html", _day(history, past, "../", links))


def _day(history: History, past: PastReport, root: str, links: Links) -> str:
    details = _details(history, past)
    page = daily_page(history.versions(past.published.report_date), details)
    return rendering.day_page(page, past, root, links, bare=details is None)


def _details(history: History, past: PastReport) -> ReportDetails | None:
    kept = history.details(past.published)
    return None if kept is None else ReportDetails.from_json(kept)


def _failure_error(history: History, past: PastReport) -> float | None:
    details = _details(history, past)
    return None if details is None else details.methods.failure_error


def _write_lists(site: SiteFolder, reports: Sequence[PastReport]) -> int:
    """The first page and those of earlier years; how many there are."""
    by_day = {past.published.report_date: past for past in reports}
    first, last = reports[0].published.report_date, reports[-1].published.report_date
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    shown = [_index_day(site, day, by_day.get(day)) for day in days]
    oldest = last.year - FIRST_PAGE_YEARS + 1
    others = list(range(oldest - 1, first.year - 1, -1))
    recent = [day for day in shown if day.date.year >= oldest]
    total = len(reports)
    site.write("index.html", rendering.index_page(recent, total=total, newest=last, others=others))
    for year in others:
        of_year = [day for day in shown if day.date.year == year]
        html = rendering.index_page(
            of_year, total=total, newest=last, others=others, root="../", year=str(year)
        )
        site.write(f"years/{year}.html", html)
    return 1 + len(others)


def _index_day(site: SiteFolder, day: date, past: PastReport | None) -> IndexDay:
    state = "" if past is None else site.state(report_file(day))
    corrected = past is not None and past.published.version > 1
    return IndexDay(day, state, reported=past is not None, corrected=corrected)
