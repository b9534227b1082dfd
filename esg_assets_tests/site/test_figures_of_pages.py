"""The figures of pages against a count of the same accounts with polars, which shares no code with ours."""

import re
from datetime import date
from typing import Any

import polars as pl
import pytest

from esg_assets.core.page_figures import Bar, DailyPage, daily_page
from esg_assets.core.report_details import ReportDetails
from esg_assets_tests.site.month import CORRECTED, FIRST, LAST, PARTIAL, month, nights

LEAST = 10
DAYS = (FIRST, CORRECTED, PARTIAL, LAST)


def book(day: date) -> pl.DataFrame:
    """The accounts of a date, numbers as numbers."""
    night = nights()[day]
    columns = ["account_id", "market_value", "base_currency"]
    both = pl.concat(
        [
            pl.DataFrame(night.accounts.select(columns).to_pylist()),
            pl.DataFrame(night.outcomes.drop_columns(["account_id", "metrics", "raw"]).to_pylist()),
        ],
        how="horizontal",
    )
    numbers = [name for name in both.columns if name.endswith(("_score", "_pct")) or name == "market_value"]
    return both.with_columns(pl.col(numbers).cast(pl.Float64))


def page(day: date) -> DailyPage:
    versions = month().versions(day)
    kept = month().details(versions[-1].published)
    assert kept is not None
    return daily_page(versions, ReportDetails.from_json(kept))


def shown(bars: Any) -> dict[str, float | None]:
    return {bar.label: bar.value for bar in bars}


def own(day: date, group: str) -> bool:
    """Whether that group shows the accounts of this date, and not of an earlier one."""
    return month().versions(day)[-1].figures[f"unchanged_days.{group}"] == 0


@pytest.mark.parametrize("day", DAYS)
def test_counts_and_failure_reasons_are_those_of_the_accounts(day: date) -> None:
    accounts, found = book(day), page(day)
    counts = dict(accounts.group_by("status").len().iter_rows())
    tiles = {tile.label: tile for tile in found.tiles}
    assert tiles["Failed"].value == f"{counts['FAILED']:,}"
    assert tiles["Not rated by the provider"].value == f"{counts['NOT_RATED']:,}"
    assert tiles["Rated"].value == f"{100 * counts['SUCCESS'] / len(accounts):.1f}%"
    reasons = accounts.filter(pl.col("status") == "FAILED").group_by("reason").len()
    told = {bar.label.lower(): int(bar.text.replace(",", "")) for bar in found.failures.bars}
    assert told == dict(reasons.iter_rows())
    assert found.failures.share_pct == pytest.approx(100 * counts["FAILED"] / len(accounts))


def test_means_quartiles_and_the_histogram_are_those_of_accounts_with_enough_coverage() -> None:
    tried = 0
    for day in nights():
        if not own(day, "overall_score"):
            continue
        tried += 1
        rated = book(day).filter((pl.col("status") == "SUCCESS") & (pl.col("coverage_pct") >= 65))
        scores, score = rated["overall_score"], page(day).scores[0]
        assert score.mean == pytest.approx(scores.mean(), abs=0.0501)
        assert score.lower == pytest.approx(scores.quantile(0.25, "linear"), abs=0.0501)
        assert score.upper == pytest.approx(scores.quantile(0.75, "linear"), abs=0.0501)
        held = rated.filter((pl.col("base_currency") == "USD") & (pl.col("market_value") > 0))
        weighted = float((held["overall_score"] * held["market_value"]).sum()) / float(
            held["market_value"].sum()
        )
        assert score.by_value == pytest.approx(weighted, abs=0.0501)
        bins = rated.group_by((pl.col("overall_score") // 5).cast(pl.Int64).alias("bin")).len()
        counted = {f"{5 * n} to {5 * n + 5}": many for n, many in bins.iter_rows()}
        for label, value in shown(page(day).histogram).items():
            assert value in {counted.get(label, 0), None}
            assert value is not None or counted[label] < LEAST or min(counted.values()) < LEAST
    assert tried > 5


def test_focus_and_letters_are_those_of_rated_accounts() -> None:
    tried = 0
    for day in nights():
        rated = book(day).filter(pl.col("status") == "SUCCESS")
        for group, column in (("focus", "primary_focus"), ("letter", "rating")):
            if not own(day, group):
                continue
            tried += 1
            counted = {key.lower(): n for key, n in rated.group_by(column).len().iter_rows()}
            bars: list[Bar] = list(page(day).focus if group == "focus" else page(day).letters)
            for label, value in shown(bars).items():
                assert value is None or value == counted.get(label.lower(), 0)
    assert tried > 10


@pytest.mark.parametrize("day", [CORRECTED, LAST])
def test_who_came_and_went_since_a_week_ago_is_counted(day: date) -> None:
    then, now = (set(book(each)["account_id"]) for each in (date.fromordinal(day.toordinal() - 7), day))
    (week,) = [change for change in page(day).changes if change.title.startswith("Week ago")]
    told = dict(week.turnover)
    assert told["New accounts"] == str(len(now - then))
    assert told["Closed accounts"] == str(len(then - now))


def test_no_id_of_an_account_is_on_any_page_s_values() -> None:
    for day in DAYS:
        assert not re.search(r"\b[AN]\d{2,}-?\d+\b", str(page(day)))
