"""The site: which pages are out of date, and bringing them up to date.

    index.html, years/YYYY.html   every date
    reports/DATE/index.html       the newest version of that date's report
    reports/DATE/vN.html          version N, as it was first shown
    latest/index.html             the newest date's newest version
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
from esg_assets.core.page_places import INDEX, report_file, version_file
from esg_assets.core.ports import History
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.trend_figures import NAMES, SPANS, trend
from esg_assets.site import rendering
from esg_assets.site.files import SiteFolder
from esg_assets.site.index_days import index_day
from esg_assets.site.made_of import Links, of_day, of_trend, of_version

FIRST_PAGE_YEARS = 2
"""Years that the first page lists; earlier ones have pages of their own."""


@dataclass(frozen=True)
class Built:
    """What became of the site.

    Attributes:
        path: its folder.
        pages: how many pages were written; those that were up to date are left alone.
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
    stale = [past for past in reversed(reports) if _is_stale(site, history, past, links)]
    written = days = 0
    for past in stale:
        if days and until is not None and clock() > until:
            break
        written += write_day(site, history, past, links)
        days += 1
    newest = reports[-1]
    written += _write_latest(site, history, newest, links)
    written += _write_lists(site, reports)
    written += _write_trends(site, history, reports)
    return Built(
        path=folder,
        pages=written,
        reports=len(reports),
        waiting=len(stale) - days,
        latest=newest.published.report_date,
    )


def _is_stale(site: SiteFolder, history: History, past: PastReport, links: Links) -> bool:
    published = past.published
    day, version = published.report_date, published.version
    if not site.marker(version_file(day, version)):
        return True
    if any(site.is_damaged(version_file(day, earlier)) for earlier in range(1, version)):
        return True
    found = site.marker(report_file(day))
    if found == of_day(past, links, bare=False):
        return False
    # Made before the details of its report were kept: they may be there by now.
    return found != of_day(past, links, bare=True) or _details(history, past) is not None


def write_day(site: SiteFolder, history: History, past: PastReport, links: Links) -> int:
    """Write a date's page and those of its versions; how many were written.

    A version's page stays as it was first shown, whatever software comes; only the line that there is a
    later one is put in.
    """
    day = past.published.report_date
    versions = history.versions(day)
    html = _day(history, versions, "../../", links)
    written = site.write(report_file(day), html)
    for place, each in enumerate(versions, 1):
        name, last = version_file(day, each.published.version), place == len(versions)
        kept = site.read(name)
        if not kept or _lacks_details(site, history, each, name):
            kept = html if last else _day(history, versions[:place], "../../", links)
        written += site.write(name, kept if last else rendering.superseded(kept))
    return written


def _lacks_details(site: SiteFolder, history: History, past: PastReport, name: str) -> bool:
    made_bare = site.marker(name).startswith(of_version(past, bare=True))
    return made_bare and _details(history, past) is not None


def _write_latest(site: SiteFolder, history: History, past: PastReport, links: Links) -> int:
    """A copy, since links between files are not what every web server and bucket follows."""
    day = report_file(past.published.report_date)
    made_of, name = site.marker(day), "latest/index.html"
    if made_of and made_of == site.marker(name):
        return 0
    return site.write(name, _day(history, history.versions(past.published.report_date), "../", links))


def _write_trends(site: SiteFolder, history: History, reports: Sequence[PastReport]) -> int:
    limit = _failure_error(history, reports[-1])
    made_of, written = of_trend(reports, limit), 0
    for span in SPANS:
        name = f"trends/{span.name}.html"
        if site.marker(name) != made_of:
            written += site.write(name, rendering.trend_page(trend(reports, span), limit, made_of))
    return written


def _day(history: History, versions: Sequence[PastReport], root: str, links: Links) -> str:
    """The page of the last of these versions, as it was when there was no later one."""
    past = versions[-1]
    details = _details(history, past)
    page = daily_page(versions, details)
    made_of = of_day(past, links, bare=details is None)
    return rendering.day_page(page, past, root, links, made_of, rendering.day_charts(page))


def _details(history: History, past: PastReport) -> ReportDetails | None:
    return ReportDetails.understood(history.details(past.published))


def _failure_error(history: History, past: PastReport) -> float | None:
    details = _details(history, past)
    return None if details is None else details.methods.failure_error


def _write_lists(site: SiteFolder, reports: Sequence[PastReport]) -> int:
    """The first page and those of earlier years; how many were written."""
    by_day = {past.published.report_date: past for past in reports}
    first, last = reports[0].published.report_date, reports[-1].published.report_date
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    shown = [index_day(day, by_day.get(day), site.state(report_file(day))) for day in days]
    oldest = last.year - FIRST_PAGE_YEARS + 1
    others = list(range(oldest - 1, first.year - 1, -1))
    recent = [day for day in shown if day.date.year >= oldest]
    total = len(reports)
    written = site.write(INDEX, rendering.index_page(recent, total=total, newest=last, others=others))
    for year in others:
        of_year = [day for day in shown if day.date.year == year]
        html = rendering.index_page(
            of_year, total=total, newest=last, others=others, root="../", year=str(year)
        )
        written += site.write(f"years/{year}.html", html)
    return written
