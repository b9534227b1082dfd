"""Details of figures, of what is cleared and of what differs that no larger test would notice."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from esg_assets.core.averages import Average
from esg_assets.core.differencing import Shown, contributions, differing, group_of, held
from esg_assets.core.disclosure import clear
from esg_assets.core.figures import FigureRules, Figures, Tally, Weighting, numbers, texts
from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS
from esg_assets.core.pairing import paired
from esg_assets.core.ratings import Metric, Reason, Status
from esg_assets_tests.unit.rated_rows import rated_row
from esg_assets_tests.unit.test_differencing import DAY, FRESH, OLD, past
from esg_assets_tests.unit.test_disclosure import BOOK
from esg_assets_tests.unit.test_figures import RULES, batch, ended, of, rated

WACI = Metric("waci", "t", "lower")


def test_failures_of_several_batches_are_added_up() -> None:
    tally = Tally(RULES)
    for reason in (Reason.TIMEOUT, Reason.REJECTED, Reason.TIMEOUT):
        tally.add(batch([ended("a", Status.FAILED, reason, None)]))
    assert tally.figures().failures == {Reason.REJECTED: 1, Reason.TIMEOUT: 2}


def test_each_bin_of_the_histogram_holds_its_lower_end_and_the_last_one_a_full_hundred() -> None:
    scores = ("0", "4.99", "5", "94.99", "95", "99.99", "100")
    rows = [rated("a", "90", f"{score} 1 1 1", "social", "A", "2025-12-31", "1") for score in scores]
    assert of(*rows).histogram == (2, 1, *[0] * 16, 1, 3)


def test_texts_keep_nulls_and_numbers_are_not_a_number_where_there_is_none() -> None:
    assert texts(pa.array(["b", None, "a", "b"])).tolist() == ["b", None, "a", "b"]
    assert [str(n) for n in numbers(pa.array(["1.5", None, "x"])).tolist()] == ["1.5", "nan", "nan"]
    assert numbers(pa.array([None, None], pa.string())).dtype == "float64"


def test_where_coverage_shows_the_weighting_shows_with_it() -> None:
    figures = replace(
        BOOK,
        weighting=Weighting("USD", 30, other_currency=20, not_positive=12, unknown_market_value=8 + 20),
        methodologies={"2": 60, "": 30},
        stale_ratings=12,
        current_ratings=60,
        undated_ratings=18,
        histogram=(10, 60, *[0] * 18),
    )
    shown = clear(figures, 10)
    expected = {
        "coverage.enough": 70,
        "coverage.unknown": 0,
        "coverage.below": 20,
        "scored_accounts": 70,
        "weighting.accounts": 30,
        "weighting.other_currency": 20,
        "weighting.not_positive": 12,
        "weighting.unknown_market_value": 28,
        "market_value.known": 90,
        "market_value.unknown": 10,
        "ratings.current": 60,
        "ratings.stale": 12,
        "ratings.undated": 18,
        "methodology.2": 60,
        "methodology.none": 30,
        "histogram.overall.00": 10,
        "histogram.overall.05": 60,
        "histogram.overall.95": 0,
        "focus.environmental": 50,
        "focus.social": 25,
        "focus.governance": 15,
    }
    assert {name: shown[name] for name in expected} == expected
    rare = clear(replace(figures, weighting=Weighting("USD", 30, 20, 11, 9)), 10)
    assert [rare[f"weighting.{name}"] for name in ("accounts", "other_currency", "not_positive")] == [
        30,
        20,
        None,
    ]
    assert rare["weighting.unknown_market_value"] is None


def test_the_rate_has_one_decimal_and_is_none_of_nobody() -> None:
    third = replace(
        BOOK, accounts=300, by_status={Status.SUCCESS: 200, Status.NOT_RATED: 0, Status.FAILED: 100}
    )
    assert clear(third, 10)["success_rate_pct"] == 66.7
    nobody = replace(BOOK, accounts=0, by_status=dict.fromkeys(Status, 0))
    assert clear(nobody, 10)["success_rate_pct"] is None


def test_words_of_the_provider_are_counted_as_other() -> None:
    figures: Figures = replace(BOOK, focus={"social": 40, "climate": 20, "water": 10, "": 20})
    shown = {k: v for k, v in clear(figures, 10).items() if k.startswith("focus.")}
    assert shown == {
        "focus.environmental": 0,
        "focus.social": 40,
        "focus.governance": 0,
        "focus.other": 30,
        "focus.none": 20,
    }


def test_further_metrics_are_rounded_or_withheld_each_by_its_own_accounts() -> None:
    figures = replace(BOOK, metrics={"a": Average(10, 1.26), "b": Average(9, 2.0), "c": Average(0, None)})
    shown = clear(figures, 10)
    assert [shown[f"metric.{name}.mean"] for name in "abc"] == [1.3, None, None]


def _row(**cells: object) -> dict[str, object]:
    return rated_row(**{"primary_focus": "social", **cells})


ROWS = [
    _row(metrics=[("waci", "7.5")]),
    _row(coverage_pct="65", rating_as_of="2025-01-13"),
    _row(coverage_pct="64.9", rating_as_of="2025-01-12", metrics=[("waci", "7.5")]),
    _row(coverage_pct=None, rating_as_of=None, rating=None, primary_focus=None, methodology_version=None),
    _row(status="FAILED", rating_as_of="2025-12-31", metrics=[("waci", "7.5")]),
    _row(status=None, rating_as_of="2025-12-31"),
]


def test_each_account_puts_into_each_group_what_its_row_says() -> None:
    schema = pa.schema([field.with_nullable(nullable=True) for field in OUTCOME_SCHEMA])
    ids = pa.chunked_array([[f"A{n}" for n in range(len(ROWS))]])
    table = pa.Table.from_pylist(ROWS, schema=schema)
    put = contributions(ids, table, FigureRules(date(2026, 1, 14), metrics=(WACI,)))
    assert put.index.name == "account_id"
    assert put.index.tolist() == [f"A{n}" for n in range(6)]
    expected: Mapping[str, list[object]] = {
        **{name: [n, n, -1, n, -1, -1] for name, n in zip(SCORE_COLUMNS, (50, 40, 60, 70), strict=True)},
        "coverage": ["enough", "enough", "below", "unknown", -1, -1],
        "focus": ["social", "social", "social", "", -1, -1],
        "letter": ["A", "A", "A", "", -1, -1],
        "ratings": ["current", "current", "stale", "undated", -1, -1],
        "methodology": ["2", "2", "2", "", -1, -1],
        "metric.waci": [7.5, -1, -1, -1, -1, -1],
    }
    assert {name: put[name].astype(object).where(put[name].notna(), -1).tolist() for name in put} == expected
    assert all(put[name].dtype == "float64" for name in (*SCORE_COLUMNS, "metric.waci"))
    without = contributions(ids, table.drop_columns(["metrics"]), FigureRules(date(2026, 1, 14)))
    assert "metric.waci" not in without


def test_a_group_that_was_not_there_before_differs_in_all_that_is_in_it() -> None:
    schema = pa.schema([field.with_nullable(nullable=True) for field in OUTCOME_SCHEMA])
    ids = pa.chunked_array([[f"A{n}" for n in range(len(ROWS))]])
    table = pa.Table.from_pylist(ROWS, schema=schema)
    put = contributions(ids, table, FigureRules(date(2026, 1, 14), metrics=(WACI,)))
    found = differing(put, put.drop(columns=["letter", "metric.waci"]))
    assert {name: n for name, n in found.items() if n} == {"letter": 4, "metric.waci": 1}


def test_a_value_that_comes_or_goes_differs_and_one_that_stays_away_does_not() -> None:
    schema = pa.schema([field.with_nullable(nullable=True) for field in OUTCOME_SCHEMA])
    ids = pa.chunked_array([["A", "B", "C"]])
    rules = FigureRules(date(2026, 1, 14))
    before, now = (
        contributions(ids, pa.Table.from_pylist(rows, schema=schema), rules)
        for rows in (
            [_row(overall_score=None), _row(), _row(overall_score=None)],
            [_row(), _row(overall_score=None), _row(overall_score=None)],
        )
    )
    assert {name: n for name, n in differing(now, before).items() if n} == {"overall_score": 2}


def test_which_figures_belong_together_by_the_first_part_of_their_names() -> None:
    names = ("histogram.overall.45", "metric.waci.mean", "metric.waci", "letter", "unchanged_days.letter")
    assert [group_of(name) for name in names] == ["overall_score", "metric.waci", "metric.waci", "letter", ""]


def _held(counts: Mapping[str, int], last: Mapping[str, float | None], min_cell: int = 10) -> float | None:
    before = replace(past(), figures=last)
    found = held(
        FRESH,
        day=DAY,
        version=1,
        shown=Shown(None, before),
        differing=lambda _day: counts,
        min_cell=min_cell,
    )
    return found["overall_score.mean"]


def test_figures_stand_from_a_smallest_cell_of_two_on() -> None:
    assert [_held({"overall_score": 1}, OLD, min_cell) for min_cell in (0, 1, 2)] == [52.4, 52.4, 52.3]


def test_a_group_that_nobody_differs_in_is_made_anew_and_so_is_all_after_a_report_without_figures() -> None:
    assert _held({}, OLD) == 52.4
    assert _held({"overall_score": 1}, {}) == 52.4


@pytest.mark.parametrize(
    ("was", "rated", "mean"), [(84, 94, 52.4), (85, 94, 52.3), (10, None, 52.4), (9, None, 52.3)]
)
def test_a_correction_makes_figures_anew_from_the_smallest_cell_on(
    was: int, rated: int | None, mean: float
) -> None:
    fresh = FRESH | {"accounts.SUCCESS": rated}
    latest = past(DAY, rated=was)
    found = held(fresh, day=DAY, version=2, shown=Shown(latest, None), differing=lambda _: None, min_cell=10)
    assert found["overall_score.mean"] == mean


def test_a_correction_of_nobody_is_made_anew_where_nothing_is_withheld() -> None:
    latest = past(DAY, rated=95)
    shown = Shown(latest, None)
    for smallest, mean in ((1, 52.4), (2, 52.3)):
        found = held(FRESH, day=DAY, version=2, shown=shown, differing=lambda _: None, min_cell=smallest)
        assert found["overall_score.mean"] == mean


def test_accounts_of_two_reports_are_paired_by_their_keys() -> None:
    found = paired(pd.Index(["a", "b", "c"]), pd.Index(["d", "c", "e", "a"]))
    assert [each.tolist() for each in (found.then, found.now, found.gone, found.come)] == [
        *([0, 2], [3, 1], [1], [0, 2])
    ]
