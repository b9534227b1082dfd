"""Rows read again from a report's bytes, however these arrive; and what is no report."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core import outcomes, report, report_rows
from esg_assets.core.errors import Tampered
from esg_assets.core.ratings import Outcome, Reason, Status
from esg_assets_tests.unit.report_material import ids, snapshot, texts


def in_pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in pieces of these sizes over and over."""
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        yield data[at : at + size]
        at += size


@settings(max_examples=60, deadline=None)
@given(ids, st.data(), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_whatever_stands_in_a_report_is_read_again(accounts: list[str], draw: Any, sizes: list[int]) -> None:
    names = {account: draw.draw(texts) for account in accounts}
    day = snapshot(accounts, names)
    found = outcomes.latest(
        day.accounts.column("account_id"),
        [outcomes.to_batch([Outcome(a, Status.FAILED, Reason.TIMEOUT) for a in sorted(accounts)])],
    )
    data = b"".join(report.render(day, found))

    rows = list(report_rows.rows(in_pieces(data, sizes)))

    assert [row["account_id"] for row in rows] == sorted(accounts)
    assert [row["account_name"] for row in rows] == [names[account] for account in sorted(accounts)]
    assert {(row["processing_status"], row["reason"]) for row in rows} <= {("FAILED", "timeout")}
    assert {name for row in rows for name in row} in (set(), set(report.columns(day.metrics)))


def test_no_more_is_taken_than_is_read() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield b"account_id,processing_status,reason\r\n"
        for number in range(1000):
            taken += 1
            yield f"A{number:04},SUCCESS,\r\n".encode()

    rows = report_rows.rows(pieces())
    assert next(rows)["account_id"] == "A0000"
    assert taken == 1


HEAD = b"account_id,processing_status,reason\r\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "first line"),
        (b"account_id,score\r\nA,1\r\n", "first line"),
        (HEAD + b"A,SUCCESS\r\n", "row 1 has 2 cells for 3 columns"),
        (HEAD + b"B,SUCCESS,\r\nA,SUCCESS,\r\n", "row 2 does not come after"),
        (HEAD + b"A,SUCCESS,\r\nA,SUCCESS,\r\n", "row 2 does not come after"),
        (HEAD + b'A,"SUC"CESS,\r\n', "not CSV"),
        (HEAD + b'A,"SUCCESS,\r\n', "not CSV"),
        (HEAD + b"A\xff,SUCCESS,\r\n", "not CSV"),
        (HEAD + b"A,SUCCESS,\r\n\xc3", "not CSV"),
    ],
)
def test_what_is_no_report_is_refused_without_quoting_it(data: bytes, what: str) -> None:
    with pytest.raises(Tampered, match=what) as refused:
        list(report_rows.rows([data]))
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert "SUC" not in str(refused.value)
