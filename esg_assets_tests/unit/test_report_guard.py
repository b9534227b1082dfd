"""The formula guard of the report: taken off again without loss, and no number is ever touched."""

import csv
import io
import itertools
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from esg_assets.core import outcomes, report
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.ratings import Metric, Outcome, Rating, Status
from esg_assets.core.report_cells import guard, unguard

DAY = date(2026, 1, 15)
TEXTS = ("account_id", "account_name", "account_type", "base_currency")
NUMBERS = (
    *("market_value", "overall_esg_score", "environmental_score", "social_score", "governance_score"),
    *("coverage_pct", "waci"),
)
LEADING = ("=", "+", "-", "@", "\t", "\r", "'")
# Whatever can be encoded; a lone surrogate cannot, and no source gives one.
cells = st.text(st.characters(exclude_categories=["Cs"]))
awkward = st.one_of(
    cells,
    st.builds("".join, st.tuples(st.sampled_from(LEADING), cells)),
    st.sampled_from(
        [
            "",
            "'",
            "''",
            "'=1",
            "=1",
            '"',
            '"quoted"',
            '"=1"',
            ",",
            "a,b",
            "a\nb",
            "a\r\nb",
            "\r",
            "=\r\n",
            " =1",
            "'-5",
        ]
    ),
)
digits = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=4).map(
    lambda n: f"{n:f}"
)


def rendered(texts: list[list[str]], numbers: list[list[str]]) -> bytes:
    """A report with these texts (by row, as TEXTS) and numbers (as NUMBERS)."""
    rows = [[*text, number[0]] for text, number in zip(texts, numbers, strict=True)]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    table = pa.Table.from_arrays(columns, schema=ACCOUNT_SCHEMA)
    snapshot = Snapshot(DAY, 1, DAY, "", table, (Metric("waci", "t", "lower"),), "", b"s" * 32)
    found = [
        Outcome(
            text[0],
            Status.SUCCESS,
            rating=Rating(
                as_of=DAY,
                overall_score=number[1],
                environmental_score=number[2],
                social_score=number[3],
                governance_score=number[4],
                primary_focus="social",
                rating="A",
                coverage_pct=number[5],
                metrics={"waci": number[6]},
            ),
        )
        for text, number in zip(texts, numbers, strict=True)
    ]
    latest = outcomes.latest(table.column("account_id"), [outcomes.to_batch(found)])
    return b"".join(report.render(snapshot, latest))


def by_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def by_pandas(data: bytes) -> list[dict[str, str]]:
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, na_filter=False)
    return [{str(name): str(cell) for name, cell in row.items()} for row in frame.to_dict("records")]


@st.composite
def books(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    ids = draw(st.lists(awkward, min_size=1, max_size=4, unique=True))
    texts = [[name, *(draw(awkward) for _ in TEXTS[1:])] for name in ids]
    return texts, [[draw(digits) for _ in NUMBERS] for _ in ids]


@settings(deadline=None, max_examples=150)
@given(books())
def test_every_cell_of_a_report_comes_back_through_the_csv_module(
    book: tuple[list[list[str]], list[list[str]]],
) -> None:
    texts, numbers = book
    rows = by_csv(rendered(texts, numbers))
    assert [[unguard(row[name]) for name in TEXTS] for row in rows] == texts
    assert [[row[name] for name in NUMBERS] for row in rows] == numbers


@settings(deadline=None, max_examples=100)
@given(books())
def test_every_cell_of_a_report_comes_back_through_pandas(
    book: tuple[list[list[str]], list[list[str]]],
) -> None:
    texts, numbers = book
    # pandas takes a NUL for the end of a cell; no account has one (`core.account_rows` refuses it).
    texts = [[text.replace("\0", "") or f"row {n}" for text in row] for n, row in enumerate(texts)]
    texts = [
        [f"{n}{row[0]}" if row[0][:1] not in LEADING else f"{row[0]}{n}", *row[1:]]
        for n, row in enumerate(texts)
    ]
    rows = by_pandas(rendered(texts, numbers))
    assert [[unguard(row[name]) for name in TEXTS] for row in rows] == texts
    assert [[row[name] for name in NUMBERS] for row in rows] == numbers


@settings(deadline=None, max_examples=150)
@given(books())
def test_no_text_begins_as_a_formula_does(book: tuple[list[list[str]], list[list[str]]]) -> None:
    for row in by_csv(rendered(*book)):
        for name in TEXTS:
            assert not row[name].startswith(LEADING[:-1])


@settings(deadline=None)
@given(awkward)
@example("'")
@example("''=1")
@example("")
def test_the_guard_is_one_quote_where_it_is_needed_and_nothing_elsewhere(text: str) -> None:
    guarded = guard(text)
    assert guarded == (f"'{text}" if text[:1] in LEADING and text else text)
    assert unguard(guarded) == text


@settings(deadline=None)
@given(awkward, awkward)
def test_two_texts_never_become_the_same_cell(one: str, other: str) -> None:
    assert (guard(one) == guard(other)) == (one == other)


@pytest.mark.parametrize("leading", LEADING)
@pytest.mark.parametrize("column", TEXTS)
def test_each_leading_character_is_guarded_in_each_column(leading: str, column: str) -> None:
    text = f"{leading}SUM(A1:A9)|'/C calc'!A0"
    texts = [["A1", "Ann", "ira", "USD"]]
    texts[0][TEXTS.index(column)] = text
    (row,) = by_csv(rendered(texts, [["1"] * len(NUMBERS)]))
    assert row[column] == f"'{text}"
    assert unguard(row[column]) == text


def test_numbers_are_never_touched_negative_ones_neither() -> None:
    numbers = ["-5.00", "-0.0", "52.50", "0", "100", "1e-7", "-12.5"]
    (row,) = by_csv(rendered([["A1", "Ann", "ira", "USD"]], [numbers]))
    assert [row[name] for name in NUMBERS] == numbers


def test_every_pair_of_awkward_beginnings_comes_back() -> None:
    beginnings = [*LEADING, '"', ",", "\n", " ", ";", "\u00a0", "\uff1d"]
    texts = [
        [f"{a}{b}{n}", f"{b}{a}", a, b] for n, (a, b) in enumerate(itertools.product(beginnings, repeat=2))
    ]
    rows = by_csv(rendered(texts, [["1"] * len(NUMBERS)] * len(texts)))
    assert [[unguard(row[name]) for name in TEXTS] for row in rows] == texts
