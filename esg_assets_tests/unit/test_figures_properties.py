"""What holds of the figures of any book."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core.averages import Spread
from esg_assets.core.figures import Figures, figures
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import PILLARS, Reason, Status
from esg_assets_tests.unit.test_figures import RULES, batch, ended, of, rated

Row = dict[str, object]

any_time = settings(deadline=None)  # the first example warms Arrow up; others share these cores

scores = st.integers(0, 10_000).map(lambda n: f"{n / 100:.2f}")
values = st.none() | st.integers(0, 10**13).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
currencies = st.sampled_from(["USD", "EUR", "JPY", None])


@st.composite
def rows(draw: Callable[[st.SearchStrategy[object]], object]) -> Row:
    value, currency = draw(values), draw(currencies)
    assert value is None or isinstance(value, str)
    assert currency is None or isinstance(currency, str)
    status = draw(st.sampled_from([*Status, Status.SUCCESS, Status.SUCCESS]))
    if status is Status.NOT_RATED:
        return ended("x", Status.NOT_RATED, Reason.NOT_COVERED, value, currency)
    if status is Status.FAILED:
        reason = draw(st.sampled_from([r for r in Reason if r is not Reason.NOT_COVERED]))
        assert isinstance(reason, Reason)
        return ended("x", Status.FAILED, reason, value, currency)
    row = rated(
        "x",
        None,
        " ".join(str(draw(scores)) for _ in SCORE_COLUMNS),
        str(draw(st.sampled_from(PILLARS))),
        None,
        str(draw(st.sampled_from(["2025-12-31", "2025-01-12", "2020-06-30"]))),
        value,
        currency,
        str(draw(scores)),
    )
    return row | {
        "coverage_pct": draw(st.none() | scores),
        "rating": draw(st.sampled_from([None, "A", "CCC"])),
    }


books = st.lists(rows(), max_size=30)


def counted(book: list[Row]) -> list[Row]:
    """Accounts that count for averages, found another way than the code does."""
    return [
        row
        for row in book
        if row["status"] == "SUCCESS"
        and (row["coverage_pct"] is None or float(str(row["coverage_pct"])) >= RULES.min_coverage_pct)
    ]


@any_time
@given(books, st.randoms(use_true_random=False))
def test_the_order_of_the_accounts_changes_no_bit(book: list[Row], random: Random) -> None:
    shuffled = list(book)
    random.shuffle(shuffled)
    assert of(*shuffled) == of(*book)


@any_time
@given(books, st.lists(st.integers(0, 30), max_size=4))
def test_the_cut_into_batches_changes_no_bit(book: list[Row], cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(book)]
    parts = [book[a:b] for a, b in itertools.pairwise(edges)]
    assert figures(map(batch, parts), RULES) == of(*book)


@any_time
@given(books)
def test_parts_add_up_to_the_whole(book: list[Row]) -> None:
    found = of(*book)
    success = found.by_status[Status.SUCCESS]
    assert sum(found.by_status.values()) == found.accounts == len(book)
    assert sum(found.failures.values()) == found.by_status[Status.FAILED]
    assert sum(found.focus.values()) == sum(found.letters.values()) == success
    assert found.current_ratings + found.stale_ratings + found.undated_ratings == success
    assert found.scored_accounts + found.below_coverage == success
    weighting = found.weighting
    assert (
        found.scored_accounts
        == len(counted(book))
        == (
            weighting.accounts
            + weighting.other_currency
            + weighting.not_positive
            + weighting.unknown_market_value
        )
    )


@any_time
@given(books)
def test_every_mean_and_quartile_lies_between_lowest_and_highest(book: list[Row]) -> None:
    for name, spread in of(*book).scores.items():
        numbers = [float(str(row[name])) for row in counted(book)]
        assert spread.accounts == len(numbers)
        for figure in (spread.mean, spread.lower_quartile, spread.median, spread.upper_quartile):
            assert (figure is None) == (not numbers)
            assert figure is None or min(numbers) - 1e-9 <= figure <= max(numbers) + 1e-9
        if spread.weighted_mean is not None:
            assert min(numbers) - 1e-9 <= spread.weighted_mean <= max(numbers) + 1e-9


@any_time
@given(books)
def test_means_are_those_of_exact_fractions(book: list[Row]) -> None:
    found = of(*book)
    for name, spread in found.scores.items():
        assert close(spread.mean, [(Fraction(str(r[name])), Fraction(1)) for r in counted(book)])
        held = [
            (Fraction(str(r[name])), Fraction(str(r["market_value"])))
            for r in counted(book)
            if r["market_value"] is not None
            and Fraction(str(r["market_value"])) > 0
            and (r["base_currency"] or "") == found.weighting.currency
        ]
        assert spread.weighted_accounts == len(held)
        assert close(spread.weighted_mean, held)


def close(found: float | None, weighted: list[tuple[Fraction, Fraction]]) -> bool:
    if not weighted:
        return found is None
    exact = sum(v * w for v, w in weighted) / sum(w for _, w in weighted)
    return found is not None and math.isclose(found, exact, rel_tol=1e-12, abs_tol=1e-12)


@any_time
@given(books)
def test_the_effective_number_of_accounts_is_between_one_and_all_of_them(book: list[Row]) -> None:
    for spread in of(*book).scores.values():
        if spread.weighted_accounts:
            assert 1 - 1e-9 <= spread.effective_accounts <= spread.weighted_accounts + 1e-9


@any_time
@given(books, st.integers(1, 10))
def test_other_units_of_money_change_no_weighted_mean(book: list[Row], digits: int) -> None:
    def in_other_units(row: Row) -> Row:
        value = row["market_value"]
        return row if value is None else row | {"market_value": f"{value}e{digits}"}

    found = of(*map(in_other_units, book))
    for before, after in zip(weighted_means(of(*book)), weighted_means(found), strict=True):
        assert after == (None if before is None else pytest.approx(before))


def weighted_means(found: Figures) -> list[float | None]:
    return [spread.weighted_mean for spread in found.scores.values()]


@any_time
@given(books, rows())
def test_an_account_below_the_coverage_wanted_changes_no_average(book: list[Row], extra: Row) -> None:
    low = extra | {"coverage_pct": "64.99"}
    before, after = of(*book), of(*book, low)
    if low["status"] == "SUCCESS":
        assert after.below_coverage == before.below_coverage + 1
        assert (after.scores, after.metrics, after.weighting) == (
            before.scores,
            before.metrics,
            before.weighting,
        )


@any_time
@given(books)
def test_an_account_without_a_score_is_never_a_zero(book: list[Row]) -> None:
    blank: Row = dict.fromkeys(SCORE_COLUMNS)
    unscored = rated("y", "100", "- - - -", "social", "A", "2025-12-31", None)
    assert blank.items() <= unscored.items()

    def plain(spread: Spread) -> tuple[object, ...]:
        return (spread.accounts, spread.mean, spread.median, spread.weighted_mean)

    before, after = of(*book).scores, of(*book, unscored).scores
    assert {n: plain(s) for n, s in after.items()} == {n: plain(s) for n, s in before.items()}
