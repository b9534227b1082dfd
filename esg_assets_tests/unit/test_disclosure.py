"""What may stand in the clear, and that sums do not give away what is withheld."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core.averages import Average, Spread
from esg_assets.core.disclosure import clear, withheld
from esg_assets.core.figures import FigureRules, Figures, Weighting
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Metric, Reason, Status

WACI = Metric("waci", "tCO2e/MUSD", "lower")

BOOK = Figures(
    rules=FigureRules(date(2026, 1, 14), metrics=(WACI,)),
    accounts=100,
    by_status={Status.SUCCESS: 90, Status.NOT_RATED: 7, Status.FAILED: 3},
    failures={Reason.TIMEOUT: 2, Reason.REJECTED: 1},
    enough_coverage=70,
    unknown_coverage=0,
    below_coverage=20,
    scores=dict.fromkeys(SCORE_COLUMNS, Spread(70, 52.349, 40.06, 51.25, 60.04, 40, 12.5, 55.55001)),
    weighting=Weighting("USD", 40, other_currency=30, not_positive=0, unknown_market_value=0),
    focus={"environmental": 50, "social": 25, "governance": 15},
    letters={"AAA": 4, "AA": 16, "A": 30, "BBB": 40},
    current_ratings=90,
    stale_ratings=0,
    undated_ratings=0,
    metrics={"waci": Average(50, 389.649)},
    unknown_market_value=10,
)


def test_figures_are_rounded_to_one_decimal() -> None:
    shown = clear(BOOK, 10)
    assert shown["success_rate_pct"] == 90.0
    assert [shown[f"overall_score.{m}"] for m in ("mean", "lower_quartile", "median", "upper_quartile")] == [
        52.3,
        40.1,
        51.2,
        60.0,
    ]
    assert (shown["social_score.weighted_mean"], shown["metric.waci.mean"]) == (55.6, 389.6)


def test_counts_by_status_and_reason_always_show() -> None:
    shown = clear(BOOK, 1_000)
    assert [shown[n] for n in ("accounts", "accounts.SUCCESS", "accounts.NOT_RATED", "accounts.FAILED")] == [
        100,
        90,
        7,
        3,
    ]
    assert (shown["failures.timeout"], shown["failures.rejected"], shown["failures.unavailable"]) == (2, 1, 0)


@pytest.mark.parametrize(("accounts", "mean"), [(10, 52.3), (9, None)])
def test_a_mean_over_fewer_accounts_than_the_smallest_cell_is_withheld(
    accounts: int, mean: float | None
) -> None:
    spread = Spread(accounts, 52.349, 40.0, 51.0, 60.0, accounts, float(accounts), 52.349)
    shown = clear(replace(BOOK, scores={"overall_score": spread}), 10)
    assert shown["overall_score.mean"] == shown["overall_score.weighted_mean"] == mean
    assert (shown["overall_score.median"] is None) == (mean is None)
    metric = replace(BOOK, metrics={"waci": Average(accounts, 52.349)})
    assert clear(metric, 10)["metric.waci.mean"] == mean


def test_a_weighted_mean_that_one_account_rules_is_withheld() -> None:
    ruled = Spread(70, 52.349, 40.0, 51.0, 60.0, 40, 9.99, 55.55)
    shown = clear(replace(BOOK, scores={"overall_score": ruled}), 10)
    assert (shown["overall_score.mean"], shown["overall_score.weighted_mean"]) == (52.3, None)


def test_no_lowest_or_highest_score_shows() -> None:
    assert not [name for name in clear(BOOK, 1) if "min" in name or "max" in name]


def test_a_small_cell_takes_the_next_smallest_with_it() -> None:
    shown = clear(BOOK, 10)
    letters = {name.removeprefix("letter."): n for name, n in shown.items() if name.startswith("letter.")}
    assert letters == {"AAA": None, "AA": None, "A": 30, "BBB": 40, "BB": 0, "B": 0, "CCC": 0}


def test_few_accounts_below_the_coverage_wanted_cannot_be_found_from_any_sum() -> None:
    book = replace(BOOK, enough_coverage=85, below_coverage=5, weighting=Weighting("USD", 45, 40, 0, 0))
    shown = clear(book, 10)
    names = ("coverage.enough", "coverage.below", "scored_accounts", "weighting.accounts")
    assert [shown[name] for name in names] == [None] * 4
    assert shown["weighting.other_currency"] is None


def test_one_letter_that_all_have_shows_only_for_enough_accounts() -> None:
    few = replace(
        BOOK,
        by_status={Status.SUCCESS: 9, Status.NOT_RATED: 91, Status.FAILED: 0},
        letters={"AAA": 9},
        focus={"social": 9},
    )
    shown = clear(few, 10)
    assert {n for name, n in shown.items() if name.startswith(("letter.", "focus."))} == {None}


def test_letters_off_the_scale_are_counted_without_their_text() -> None:
    book = replace(BOOK, letters={"A": 30, "": 20, "A000123": 15, "Zoe": 25})
    shown = clear(book, 10)
    assert (shown["letter.A"], shown["letter.none"], shown["letter.other"]) == (30, 20, 40)
    assert "A000123" not in str(shown)


def test_every_name_is_there_whatever_the_book() -> None:
    empty = replace(BOOK, accounts=0, by_status=dict.fromkeys(Status, 0), failures={}, letters={}, focus={})
    assert clear(empty, 10).keys() == clear(BOOK, 10).keys()
    assert clear(empty, 10)["success_rate_pct"] is None


cells = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1)


@settings(deadline=None)
@given(cells, st.integers(0, 12))
def test_what_is_withheld_is_together_large_enough_or_everything(
    table: dict[str, int], min_cell: int
) -> None:
    hidden = withheld(table, min_cell)
    shown = {name: n for name, n in table.items() if name not in hidden}
    assert all(n == 0 or n >= min_cell for n in shown.values())
    if hidden and hidden != set(table):
        assert len([name for name in hidden if table[name]]) >= 2
        assert sum(table[name] for name in hidden) >= min_cell
    if all(n == 0 or n >= min_cell for n in table.values()):
        assert not hidden
