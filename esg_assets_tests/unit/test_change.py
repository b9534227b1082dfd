"""What changed between two reports: laws over random books, and one book worked out by hand."""

import math
import random
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core import outcomes
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.change import Side, attribution, migration, side, turnover
from esg_assets.core.figures import FigureRules
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Outcome, Rating, Reason, Status
from esg_assets_tests.unit.walking_book import Account, drawn, side_of, walked


def account(name: str, score: float, value: float | None = 1.0, coverage: float = 100.0) -> Account:
    return Account(name, (score, score, score), value, coverage)


BEFORE = [account("gone", 10, 4), account("dropped", 20, 2), account("stays", 30, 1), account("dear", 40, 1)]
NOW = [
    account("dropped", 20, 2, coverage=10),
    account("stays", 36, 1),
    account("dear", 40, 3),
    account("new", 80, 6),
]


def test_the_parts_of_a_change_are_what_one_works_out_by_hand() -> None:
    """(10+20+30+40)/4 = 25, without gone 30, without dropped 35, stays at 36: 38, with new 52."""
    found = attribution(side_of(BEFORE), side_of(NOW), "overall_score", weighted=False)
    assert found is not None
    assert (found.before, found.now) == (25.0, 52.0)
    points = {name: round(part.points, 9) for name, part in found.parts.items()}
    assert points == {"left": 5, "coverage": 5, "scores": 3, "market_value": 0, "joined": 14}
    counts = {name: part.accounts for name, part in found.parts.items()}
    assert counts == {"left": 1, "coverage": 1, "scores": 1, "market_value": 0, "joined": 1}


def test_the_parts_of_a_weighted_change_are_what_one_works_out_by_hand() -> None:
    """(4*10+2*20+30+40)/8 = 18.75; 110/4 = 27.5; 70/2 = 35; 76/2 = 38; (36+120)/4 = 39; (156+480)/10."""
    found = attribution(side_of(BEFORE), side_of(NOW), "overall_score", weighted=True)
    assert found is not None
    points = {name: round(part.points, 9) for name, part in found.parts.items()}
    assert points == {"left": 8.75, "coverage": 7.5, "scores": 3, "market_value": 1, "joined": 24.6}
    assert found.market_value.accounts == 1


def test_no_change_is_attributed_when_no_account_stays() -> None:
    assert attribution(side_of(BEFORE[:1]), side_of(NOW[-1:]), "overall_score", weighted=False) is None


def _nights(seed: int, size: int, nights: int) -> tuple[list[Account], list[Account]]:
    dice = random.Random(seed)
    first = book = [drawn(dice, f"A{n}") for n in range(size)]
    for night in range(nights):
        book = walked(dice, book, night)
    return first, book


books = st.builds(_nights, st.integers(0, 2**32), st.integers(5, 60), st.integers(1, 5))


@given(books, st.sampled_from(SCORE_COLUMNS), st.booleans())
def test_the_parts_add_up_to_the_change(
    pair: tuple[list[Account], list[Account]], score: str, weighted: bool
) -> None:
    found = attribution(side_of(pair[0]), side_of(pair[1]), score, weighted=weighted)
    if found is not None:
        total = math.fsum(part.points for part in found.parts.values())
        assert total == pytest.approx(found.change, abs=1e-9)


@given(books, st.integers(0, 2**32))
def test_the_order_of_the_accounts_changes_nothing(
    pair: tuple[list[Account], list[Account]], seed: int
) -> None:
    (before, now), dice = pair, random.Random(seed)
    mixed = [dice.sample(book, len(book)) for book in pair]
    for weighted in (False, True):
        straight = attribution(side_of(before), side_of(now), "overall_score", weighted=weighted)
        shuffled = attribution(side_of(mixed[0]), side_of(mixed[1]), "overall_score", weighted=weighted)
        assert straight == shuffled
    assert migration(side_of(before), side_of(now)) == migration(side_of(mixed[0]), side_of(mixed[1]))


@given(books)
def test_a_book_compared_with_itself_has_not_changed(pair: tuple[list[Account], list[Account]]) -> None:
    book = side_of(pair[1])
    found = attribution(book, book, "overall_score", weighted=True)
    assert found is None or set(found.parts.values()) == {replace(found.left, points=0.0, accounts=0)}
    assert migration(book, book).upgrades == migration(book, book).downgrades == 0
    assert set(vars(turnover(book, book)).values()) == {0}


@given(books)
def test_turnover_and_migration_count_each_account_once(pair: tuple[list[Account], list[Account]]) -> None:
    before, now = map(side_of, pair)
    moved = turnover(before, now)
    assert before.accounts - moved.closed == now.accounts - moved.new
    failing = [int((book.frame["status"] == "FAILED").sum()) for book in (before, now)]
    only = [_failing_of_one_book(before, now), _failing_of_one_book(now, before)]
    assert failing[1] - failing[0] == (moved.newly_failing - moved.no_longer_failing + only[1] - only[0])
    letters = migration(before, now)
    back = migration(now, before)
    assert letters.accounts == back.accounts
    assert (letters.upgrades, letters.downgrades) == (back.downgrades, back.upgrades)


def _failing_of_one_book(book: Side, other: Side) -> int:
    alone = book.frame.index.difference(other.frame.index)
    return int((book.frame.loc[alone, "status"] == "FAILED").sum())


def test_letters_go_up_towards_aaa() -> None:
    before = side_of([account("up", 10), account("down", 95), account("same", 50)])
    now = side_of([account("up", 95), account("down", 10), account("same", 51)])
    found = migration(before, now)
    assert found.cells == {("AAA", "CCC"): 1, ("BBB", "BBB"): 1, ("CCC", "AAA"): 1}
    assert (found.upgrades, found.downgrades, found.accounts) == (1, 1, 3)


def test_a_side_is_read_from_accounts_and_outcomes() -> None:
    accounts = pa.Table.from_pylist(
        [
            {"account_id": "a", "market_value": "10", "base_currency": "USD"},
            {"account_id": "b", "market_value": "-1", "base_currency": "USD"},
            {"account_id": "c", "market_value": "5", "base_currency": "EUR"},
            {"account_id": "d", "market_value": None, "base_currency": "USD"},
        ],
        schema=pa.schema([field.with_nullable(nullable=True) for field in ACCOUNT_SCHEMA]),
    )
    rating = Rating(date(2020, 1, 1), "50.5", "40", "50", "61.5", "governance", "A", "64.9")
    rows = [
        Outcome("a", Status.SUCCESS, rating=rating),
        Outcome("b", Status.SUCCESS, rating=replace(rating, as_of=date(2026, 1, 1), coverage_pct="")),
        Outcome("c", Status.FAILED, Reason.TIMEOUT),
        Outcome("d", Status.NOT_RATED, Reason.NOT_COVERED),
    ]
    table = pa.Table.from_batches([outcomes.to_batch(rows)]).drop_columns(["raw"])
    frame = side(accounts, table, FigureRules(date(2026, 1, 2)), "USD").frame
    assert frame["counted"].tolist() == [False, True, False, False]
    assert frame["stale"].tolist() == [True, False, False, False]
    assert frame["letter"].tolist() == ["A", "A", "", ""]
    assert frame["overall_score"].tolist()[:2] == [50.5, 50.5]
    assert frame["overall_score"].isna().tolist() == [False, False, True, True]
    assert frame["weight"].isna().tolist() == [False, True, True, True]
