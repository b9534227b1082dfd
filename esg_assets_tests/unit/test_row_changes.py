"""What differs between two reports, against a comparison of dictionaries; and the words for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core import row_changes
from esg_assets_tests.unit.report_material import row, unrated

one = st.sampled_from(
    [
        row(),
        row(overall_esg_score="53"),
        row(overall_esg_score="52.5"),
        row(esg_rating="A"),
        row(coverage_pct=""),
        row(market_value="2"),
        row(account_name="Bob"),
        unrated(),
        unrated(status="FAILED", reason="timeout"),
    ]
)
books = st.dictionaries(st.sampled_from([f"A{number}" for number in range(12)]), one)


@settings(max_examples=150)
@given(books, books)
def test_every_account_of_either_report_is_told_once_and_in_order(
    before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]
) -> None:
    def rows(book: dict[str, dict[str, str]]) -> list[dict[str, str]]:
        return [{**book[each], "account_id": each} for each in sorted(book)]

    found = list(row_changes.changes(rows(before), rows(now)))
    tally = row_changes.Tally()
    for change in found:
        tally.add(change)

    assert [change.account_id for change in found] == sorted(before.keys() | now.keys())
    assert (tally.before, tally.now) == (len(before), len(now))
    assert tally.by_kind["joined"] == len(now.keys() - before.keys())
    assert tally.by_kind["left"] == len(before.keys() - now.keys())
    both = [(before[each], now[each]) for each in before.keys() & now.keys()]
    same = sum(not row_changes.kinds(then, later) for then, later in both)
    assert tally.changed + tally.only_details + same == len(found)
    for then, later in both:
        assert row_changes.kinds(then, later) == row_changes.kinds(later, then)
        assert row_changes.kinds(then, then) == ()


@pytest.mark.parametrize(
    ("before", "now", "kinds", "words"),
    [
        (row(), row(), (), ""),
        (row(), row(overall_esg_score="52.5"), (), ""),
        (row(), row(report_date="2026-01-16", as_of="2026-01-15"), (), ""),
        (row(), row(overall_esg_score="53"), ("score",), "overall 52.50 → 53"),
        (row(), row(governance_score="41.5"), ("score",), "governance 40 → 41.5"),
        (row(), row(esg_rating="A"), ("letter",), "rating BBB → A"),
        (row(esg_rating=""), row(), ("letter",), "rating none → BBB"),
        (row(), row(coverage_pct="80"), ("coverage",), "coverage 82.2 → 80"),
        (row(), row(market_value="999"), ("market_value",), "market value 1000.00 → 999"),
        (row(), row(waci="1"), ("details",), ""),
        (row(), row(account_name="Bob", esg_rating="A"), ("letter", "details"), "rating BBB → A"),
        # Scores that come or go with a rating are no change of a score.
        (row(), unrated(), ("status", "details"), "SUCCESS → NOT_RATED (not_covered)"),
        (
            unrated(status="FAILED", reason="timeout"),
            unrated(status="FAILED", reason="rejected"),
            ("status",),
            "FAILED (timeout) → FAILED (rejected)",
        ),
    ],
)
def test_kinds_and_words(
    before: dict[str, str], now: dict[str, str], kinds: tuple[str, ...], words: str
) -> None:
    assert row_changes.kinds(before, now) == kinds
    assert row_changes.words(before, now) == words


def test_of_an_account_in_one_report_only_its_own_values_are_told() -> None:
    told = "SUCCESS, overall 52.50, rating BBB, market value 1000.00"
    assert row_changes.words(None, row()) == row_changes.words(row(), None) == told
    assert row_changes.words(None, unrated()) == "NOT_RATED (not_covered), market value 1000.00"


def test_moves_are_told_by_difference_where_both_are_numbers() -> None:
    before, now = row(coverage_pct=""), row(overall_esg_score="51.25", esg_rating="BB")
    assert (
        row_changes.words(before, now, moves=True) == "rating BBB → BB, overall -1.25, coverage none → 82.2"
    )


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [("1", "2.50", "+1.50"), ("2.5", "2.50", "0"), ("0.3", "0.1", "-0.2"), ("", "1", ""), ("1", "NaN", "")],
)  # fmt: skip
def test_a_move_is_an_exact_difference(before: str, now: str, moved: str) -> None:
    assert row_changes.moved(before, now) == moved
