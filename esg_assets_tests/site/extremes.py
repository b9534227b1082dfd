"""Pages at their largest: ten years of trends, and a report with everything that can be on its page."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from esg_assets.core.change_disclosure import ClearMigration
from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import daily_page
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import Metric
from esg_assets.core.report_details import Check, ReportDetails
from esg_assets.core.trend_figures import SPANS, trend
from esg_assets.site import rendering
from esg_assets.site.files import SiteFolder
from esg_assets.site.made_of import Links
from esg_assets_tests.site.month import LAST, month

YEARS, METRICS, VERSIONS = 10, 30, 12
REASONS = ("timeout", "unavailable", "rejected", "bad_response", "rate_limited", "interrupted")


def decade() -> list[PastReport]:
    """Ten years of reports, with gaps and corrections, each unlike the one before."""
    newest = month().latest(LAST)
    assert newest is not None
    dice, found = random.Random(10), []
    for back in range(365 * YEARS + 2, -1, -1):
        if dice.random() < 0.02:
            continue
        published = replace(
            newest.published,
            report_date=LAST - timedelta(days=back),
            version=2 if dice.random() < 0.02 else 1,
        )
        figures = {name: n and n * dice.uniform(0.8, 1.1) for name, n in newest.figures.items()}
        found.append(replace(newest, published=published, figures=figures))
    return found


def crowded() -> tuple[list[PastReport], ReportDetails]:
    """A report with many versions, metrics, failed checks and reasons, and every cell of the matrix."""
    newest = month().latest(LAST)
    assert newest is not None
    kept = month().details(newest.published)
    assert kept is not None
    details = ReportDetails.from_json(kept)
    metrics = tuple(
        Metric(f"metric_number_{n}_of_a_long_name", "tCO2e/MUSD revenue", "lower") for n in range(METRICS)
    )
    figures = {
        **newest.figures,
        **{f"metric.{metric.name}.mean": 1234.5 + n for n, metric in enumerate(metrics)},
        **{f"failures.{reason}": 10.0 + n for n, reason in enumerate(REASONS)},
        **{f"letter.{letter}": 1000.0 + n for n, letter in enumerate(RATINGS)},
    }
    cells: dict[tuple[str, str], int | None] = {(a, b): 12_345 for a in RATINGS for b in RATINGS}
    first, *others = details.periods
    assert first.change is not None
    matrix = ClearMigration(cells, 604_905, 259_245, 259_245)
    first = replace(first, change=replace(first.change, migration=matrix))
    checks = [
        Check(f"{check.name}_{n}", n % 2 == 0, "WARN", check.note) for check in details.checks for n in (1, 2)
    ]
    reason = "the provider mended its governance data and said so in a long letter " * 7
    versions = [
        replace(newest, figures=figures, published=replace(newest.published, version=n, reason=reason[:500]))
        for n in range(1, VERSIONS + 1)
    ]
    methods = replace(details.methods, metrics=metrics)
    return versions, replace(details, methods=methods, periods=[first, *others], checks=checks)


def write(folder: Path) -> None:
    """Write both pages into a site: reports/LAST/crowded.html and trends/decade.html."""
    site = SiteFolder(folder)
    versions, details = crowded()
    page = daily_page(versions, details)
    html = rendering.day_page(page, versions[-1], "../../", Links(), "", rendering.day_charts(page))
    site.write(f"reports/{LAST}/crowded.html", html)
    site.write("trends/decade.html", rendering.trend_page(trend(decade(), SPANS[-1]), 0.05, ""))
