"""A month of nights through the whole pipeline: reports opened, every figure on the pages counted again."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from esg_assets_tests.e2e.sample_book import write_book
from esg_assets_tests.site.reading import read_page
from esg_assets_tests.site.real_month import Plan, run_month
from esg_assets_tests.site.recount import of_csv, whole_month
from esg_assets_tests.site.walked_files import read

LAST = date(2026, 3, 31)


@pytest.mark.proof
def test_every_figure_on_a_months_pages_is_that_of_the_opened_reports(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    month = run_month(read(*write_book(tmp_path / "book", count=900)), tmp_path / "month", Plan.of(LAST))
    plan, site = month.plan, month.house.home / "site"
    reports = {}
    for day in plan.days:
        if day in {plan.missing, plan.stopped}:
            assert not (site / "reports" / day.isoformat()).exists()
            continue
        rows = pl.read_csv(month.opened(day, 2 if day == plan.corrected else 1), infer_schema=False)
        reports[day] = of_csv(day, rows, read_page(site / "reports" / day.isoformat() / "index.html"))
    assert whole_month(reports, read_page(site / "trends" / "30-days.html")) > 3_000
    partial = reports[plan.partial].page.text
    assert next(line for line in partial if "ESG report of" in line).startswith("PARTIAL")
    older = read_page(site / "reports" / plan.corrected.isoformat() / "v1.html")
    assert older.text[0].startswith("SUPERSEDED")
