"""The snapshot's commitment: the same content gives the same digest, any other content another."""

import dataclasses
import itertools
import time
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.ratings import Metric

optional = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
rows = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), *[optional] * 4), max_size=12
)
Row = tuple[str | None, ...]


def table(content: list[Row]) -> pa.Table:
    columns = [list(c) for c in zip(*content, strict=True)] or [[]] * 5
    return pa.table([pa.array(c, pa.string()) for c in columns], schema=ACCOUNT_SCHEMA)


def snapshot(accounts: pa.Table, **changes: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "partition": date(2026, 1, 15),
        "generation": 0,
        "as_of": date(2026, 1, 14),
        "accounts_as_of": "2026-01-14",
        "accounts": accounts,
        "metrics": (),
        "mapping": "",
        "salt": b"s" * 32,
    }
    return Snapshot(**{**fields, **changes})


@given(rows, st.lists(st.integers(0, 12), max_size=4))
def test_chunks_and_slices_do_not_matter(content: list[Row], cuts: list[int]) -> None:
    whole = table(content)
    bounds = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    pieces = [whole.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
    chunked = pa.concat_tables(pieces)
    wider = pa.concat_tables([table([("x", None, "y", "", "z")]), whole]).combine_chunks().slice(1)
    assert snapshot(whole).commitment == snapshot(chunked).commitment == snapshot(wider).commitment


@given(rows, rows)
def test_other_accounts_give_another_commitment(one: list[Row], other: list[Row]) -> None:
    same = snapshot(table(one)).commitment == snapshot(table(other)).commitment
    assert same is (one == other)


def test_values_cannot_run_into_each_other() -> None:
    pairs: list[tuple[Row, Row]] = [
        (("a", "", None, None, None), ("a", None, None, None, None)),
        (("a", "bc", "d", None, None), ("a", "b", "cd", None, None)),
        (("a\0", "b", None, None, None), ("a", "\0b", None, None, None)),
    ]
    for one, other in pairs:
        assert snapshot(table([one])).commitment != snapshot(table([other])).commitment


def test_what_lies_below_a_null_does_not_matter() -> None:
    offsets = pa.py_buffer(bytes.fromhex("000000000300000004000000"))
    hidden = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcd"), pa.py_buffer(b"\x02"))
    assert hidden.to_pylist() == [None, "d"]
    plain = pa.array([None, "d"], pa.string())
    ids = pa.array(["1", "2"])
    one, other = (pa.table([ids, names, ids, ids, ids], schema=ACCOUNT_SCHEMA) for names in (hidden, plain))
    assert snapshot(one).commitment == snapshot(other).commitment


@pytest.mark.parametrize(
    "change",
    [
        {"partition": date(2026, 1, 16)},
        {"as_of": date(2026, 1, 13)},
        {"accounts_as_of": "2026-01-13"},
        {"metrics": (Metric("waci", "t", "lower"),)},
        {"mapping": "request: {}"},
        {"salt": b"t" * 32},
    ],
)
def test_everything_that_the_report_depends_on_is_committed(change: dict[str, Any]) -> None:
    accounts = table([("a", "b", "c", "d", "1.50")])
    assert snapshot(accounts, **change).commitment != snapshot(accounts).commitment


def test_the_generation_is_not_committed() -> None:
    one = snapshot(table([("a", None, None, None, None)]))
    assert dataclasses.replace(one, generation=3).commitment == one.commitment


def test_the_commitment_stays_as_it_was_published() -> None:
    content: list[Row] = [("A-1", "Ünal & Söhne", "pension", "EUR", "1.50"), ("A-2", None, "", None, None)]
    assert snapshot(table(content)).commitment == (
        "5e31c0a046aecbca0ef03289da41b0e686529641d42a1ec641981068e6a659fd"
    )


def test_a_million_accounts_are_committed_within_seconds() -> None:
    numbers = pa.array(range(1_000_000)).cast(pa.string())
    accounts = pa.table([numbers] * 5, schema=ACCOUNT_SCHEMA)
    start = time.process_time()
    assert snapshot(accounts).commitment
    assert time.process_time() - start < 10
