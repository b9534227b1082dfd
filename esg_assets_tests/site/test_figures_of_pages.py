"""Every figure on a month of pages, counted again with polars, which shares no code with ours.

The same count of a month that went through the whole pipeline is `proof/test_month_in_full.py`.
"""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from esg_assets.core.page_places import report_file
from esg_assets.site import rendering, trend_charts
from esg_assets.site.building import build
from esg_assets.site.made_of import Links
from esg_assets_tests.site.month import FIRST, METRICS, month, nights
from esg_assets_tests.site.reading import read_page
from esg_assets_tests.site.recount import Counted, of_csv, whole_month

CHARTS = ("histogram", "scores", "focus", "letters", "failures")
NAMES = {
    "overall_score": "overall_esg_score",
    "rating": "esg_rating",
    "primary_focus": "primary_esg_focus",
    "status": "processing_status",
}


def rows_of(day: date) -> pl.DataFrame:
    """The accounts of a date with the columns of a report, all of them texts."""
    night = nights()[day]
    columns = ["account_id", "market_value", "base_currency"]
    outcomes = night.outcomes.drop_columns(["account_id", "metrics", "raw"])
    sent = [dict(each or ()) for each in night.outcomes["metrics"].to_pylist()]
    parts = [
        pl.DataFrame(night.accounts.select(columns).to_pylist()),
        pl.DataFrame(outcomes.to_pylist(), infer_schema_length=None),
        pl.DataFrame({metric.name: [each.get(metric.name) for each in sent] for metric in METRICS}),
    ]
    return pl.concat(parts, how="horizontal").rename(NAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the month, charts left out: they are looked at elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "day_charts", lambda _: dict.fromkeys(CHARTS, "<svg></svg>"))
        patch.setattr(trend_charts, "trend_lines", lambda *_: "<svg></svg>")
        made = tmp_path_factory.mktemp("counted")
        build(month(), made, Links())
    return made


def counted(folder: Path) -> dict[date, Counted]:
    return {day: of_csv(day, rows_of(day), read_page(folder / report_file(day))) for day in nights()}


def test_every_figure_of_a_month_of_pages_is_that_of_the_accounts(folder: Path) -> None:
    trend = read_page(folder / "trends" / "30-days.html")
    assert whole_month(counted(folder), trend) > 2_500


@pytest.mark.parametrize(
    ("beginning", "cell"),
    [
        *(("Scores", 1), ("Scores", 3), ("Scores", 6), ("Primary focus", 1)),
        *(("Failed accounts by reason", 1), ("Means over accounts", 1)),
        *(("Accounts that came", 1), ("Rows: letter before", 0)),
    ],
)
def test_the_count_notices_any_figure_that_is_another(folder: Path, beginning: str, cell: int) -> None:
    reports = counted(folder)
    rows = next(rows for of in reports.values() for rows in _numbers(of, beginning))
    row = next(row for row in rows if any(text[-1:].isdigit() for text in row[1:]))
    place = cell or next(n for n, text in enumerate(row) if n and text[-1:].isdigit())
    row[place] = row[place][:-1] + str((int(row[place][-1]) + 5) % 10)
    with pytest.raises(AssertionError):
        whole_month(reports, read_page(folder / "trends" / "30-days.html"))


def _numbers(of: Counted, beginning: str) -> list[list[list[str]]]:
    """The table of a page without its head, where it is there and has a number."""
    found = [rows[1:] for caption, rows in of.page.tables.items() if caption.startswith(beginning)]
    return [rows for rows in found if any(text[-1:].isdigit() for row in rows for text in row[1:])]


def test_the_count_notices_a_tile_that_is_another(folder: Path) -> None:
    reports = counted(folder)
    reports[FIRST].page.tiles["Failed"][0] = "1,234"
    with pytest.raises(AssertionError):
        whole_month(reports, read_page(folder / "trends" / "30-days.html"))
