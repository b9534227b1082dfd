"""Sides, parts of a moved mean and what is cleared of them, in small books from both sides of each limit."""

import math
from datetime import date

import pyarrow as pa
import pytest

from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.change import Attribution, Migration, Part, attribution, side
from esg_assets.core.change_disclosure import ClearMigration, ClearPart, clear_migration, clear_parts
from esg_assets.core.comparison import compare
from esg_assets.core.disclosure import withheld
from esg_assets.core.figures import FigureRules
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.page_numbers import number, share, signed, whole
from esg_assets_tests.unit.rated_rows import rated_row
from esg_assets_tests.unit.test_change import account
from esg_assets_tests.unit.test_differencing import past
from esg_assets_tests.unit.walking_book import side_of

RULES = FigureRules(date(2026, 1, 14), 65.0, 366)
ROW = rated_row(market_value="10", base_currency="USD")
ROWS = [
    ROW,
    ROW | {"coverage_pct": "65", "rating_as_of": "2025-01-13", "market_value": "0.5"},
    ROW | {"coverage_pct": "64.99", "rating_as_of": "2025-01-12", "market_value": "0"},
    ROW | {"coverage_pct": None, "rating_as_of": None, "rating": None, "methodology_version": None},
    ROW | {"market_value": "-3", "overall_score": None},
    ROW | {"base_currency": "EUR"},
    ROW | {"base_currency": None},
    ROW | {"status": "FAILED", "rating_as_of": "2020-01-01"},
    ROW | {"status": None, "rating_as_of": "2020-01-01"},
]


def test_a_side_holds_of_each_account_what_its_row_says() -> None:
    rows = [row | {"account_id": f"A{n}"} for n, row in enumerate(ROWS)]
    nullable = [
        pa.schema([f.with_nullable(nullable=True) for f in s]) for s in (ACCOUNT_SCHEMA, OUTCOME_SCHEMA)
    ]
    accounts, outcomes = (pa.Table.from_pylist(rows, schema=schema) for schema in nullable)
    made = side(accounts, outcomes, RULES, "USD")
    frame = made.frame
    assert (made.currency, made.accounts) == ("USD", 9)
    assert frame.index.name == "account_id"
    assert frame.index.tolist() == [f"A{n}" for n in range(9)]
    assert frame["status"].tolist() == ["SUCCESS"] * 7 + ["FAILED", ""]
    assert frame["counted"].tolist() == [True, True, False, True, True, True, True, False, False]
    assert frame["stale"].tolist() == [False, False, True, *[False] * 6]
    assert frame["letter"].tolist() == ["A", "A", "A", "", "A", "A", "A", "", ""]
    assert frame["methodology"].tolist() == ["2", "2", "2", "", "2", "2", "2", "", ""]
    assert frame["weight"].fillna(-1).tolist() == [10, 0.5, -1, 10, -1, -1, -1, 10, 10]
    assert frame["overall_score"].fillna(-1).tolist() == [50, 50, 50, 50, -1, 50, 50, -1, -1]
    for name, score in (("environmental_score", 40), ("social_score", 60), ("governance_score", 70)):
        assert frame[name].fillna(-1).tolist() == [score] * 7 + [-1, -1]
    unvalued = side(accounts, outcomes, RULES, "")
    assert unvalued.frame["weight"].fillna(-1).tolist() == [-1, -1, -1, -1, -1, -1, 10, -1, -1]


def test_accounts_behind_each_part_are_counted() -> None:
    before = [account(name, 40) for name in "abcdefgh"] + [account("begins", 60, coverage=1)]
    now = [
        *(account("a", 50), account("b", 50), account("c", 40), account("h", 40), account("d", 40, 2.0)),
        *(account("e", 40, coverage=1), account("f", 40, coverage=1), account("begins", 60)),
        *(account("x", 10), account("y", 10), account("z", 10)),
    ]
    found = attribution(side_of(before), side_of(now), "overall_score", weighted=True)
    assert found is not None
    counts = {name: part.accounts for name, part in found.parts.items()}
    assert counts == {"left": 1, "joined": 3, "coverage": 3, "scores": 2, "market_value": 1}


def test_amounts_of_any_size_move_a_mean_without_overflow() -> None:
    before = side_of([account("a", 20, 1e300), account("b", 40, 1e300), account("c", 90, 1e-3)])
    now = side_of([account("a", 30, 1e300), account("b", 40, 1e300), account("c", 90, 1e-3)])
    found = attribution(before, now, "overall_score", weighted=True)
    assert found is not None
    assert (found.before, found.now, found.scores.points) == (30.0, 35.0, 5.0)


def matrix(up: int, down: int, same: int) -> Migration:
    cells = {("A", "A"): same, ("A", "AA"): up, ("A", "BBB"): down}
    return Migration({cell: n for cell, n in cells.items() if n})


@pytest.mark.parametrize(
    ("up", "down", "same", "shown"),
    [
        (10, 10, 10, True),
        (9, 10, 10, False),
        (10, 9, 10, False),
        (10, 10, 9, False),
        (0, 10, 10, True),
        (10, 0, 10, True),
        (10, 10, 0, True),
        (1, 10, 10, False),
    ],
)
def test_up_and_downgrades_show_when_they_and_the_rest_are_none_or_enough(
    up: int, down: int, same: int, shown: bool
) -> None:
    found = clear_migration(matrix(up, down, same), 10)
    assert (found.upgrades, found.downgrades) == ((up, down) if shown else (None, None))
    assert found.accounts == up + down + same


def test_small_cells_of_the_matrix_are_withheld_with_the_next_smallest() -> None:
    assert clear_migration(matrix(3, 12, 50), 10) == ClearMigration(
        {("A", "A"): 50, ("A", "AA"): None, ("A", "BBB"): None}, 65, None, None
    )


def moved(**parts: tuple[float, int]) -> Attribution:
    none = Part(0.0, 0)
    names = ("left", "joined", "coverage", "scores", "market_value")
    told = {name: Part(*parts[name]) if name in parts else none for name in names}
    return Attribution(50.0, 50.0 + math.fsum(part.points for part in told.values()), **told)


def test_parts_over_enough_accounts_are_told_each_for_itself() -> None:
    assert clear_parts(moved(scores=(1.26, 10), joined=(-0.34, 10)), 10) == (
        ClearPart(("joined",), -0.3),
        ClearPart(("scores",), 1.3),
    )


def test_parts_over_few_accounts_are_pooled_until_there_are_enough() -> None:
    found = moved(left=(0.14, 1), joined=(0.24, 9), scores=(2.0, 11), coverage=(1.0, 40))
    assert clear_parts(found, 10) == (
        ClearPart(("joined", "left"), 0.4),
        ClearPart(("coverage",), 1.0),
        ClearPart(("scores",), 2.0),
    )
    found = moved(left=(0.14, 1), joined=(0.24, 8), scores=(2.0, 11), coverage=(1.0, 40))
    assert clear_parts(found, 10) == (
        ClearPart(("joined", "left", "scores"), 2.4),
        ClearPart(("coverage",), 1.0),
    )
    assert clear_parts(moved(left=(0.14, 1), scores=(2.0, 10)), 10) == (ClearPart(("left", "scores"), 2.1),)


def test_parts_over_too_few_accounts_in_all_are_not_told() -> None:
    assert clear_parts(moved(left=(0.1, 4), joined=(0.2, 5)), 10) is None
    assert clear_parts(moved(left=(0.11, 5), joined=(0.22, 5)), 10) == (ClearPart(("joined", "left"), 0.3),)
    assert clear_parts(moved(), 10) is None


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({"a": 10, "b": 50}, set()),
        ({"a": 9, "b": 50, "c": 60}, {"a", "b"}),
        ({"a": 6, "b": 6, "c": 6, "d": 50}, {"a", "b", "c"}),
        ({"a": 4, "b": 6, "c": 50}, {"a", "b"}),
        ({"a": 4, "b": 5, "c": 50, "d": 0}, {"a", "b", "c"}),
        ({"a": 4, "b": 0}, {"a", "b"}),
    ],
)
def test_which_cells_of_a_table_are_withheld(cells: dict[str, int], hidden: set[str]) -> None:
    assert withheld(cells, 10) == hidden


def test_changes_of_rounded_figures_have_one_decimal() -> None:
    found = compare({"overall_score.mean": 52.4, "letter.A": None, "new": 1.0}, past())
    assert found is not None
    assert found.changes == {"overall_score.mean": 0.1}
    assert compare({}, None) is None


def test_numbers_on_pages() -> None:
    assert [number(1234.56), number(None), whole(1234.56), whole(None)] == [
        "1,234.6",
        "withheld",
        "1,235",
        "withheld",
    ]
    assert [signed(1234.56), signed(-1.0), signed(0.0), signed(-0.01), signed(-0.5, count=True)] == [
        *("+1,234.6", "\N{MINUS SIGN}1.0", "0.0", "0.0", "0")
    ]
    assert [signed(2.0, count=True), signed(-1234.0, count=True)] == ["+2", "\N{MINUS SIGN}1,234"]
    assert [share(1, 3), share(0, 3), share(1, 0)] == ["33.3%", "0.0%", ""]
