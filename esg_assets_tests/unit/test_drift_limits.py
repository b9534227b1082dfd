"""The limits of the drift check, each from both sides, with what it says word for word."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest

from esg_assets.core.change import Side
from esg_assets.core.drift import drift, uncompared
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.verdicts import Verdict

DAY = date(2026, 1, 15)
ASK = "Compared with the report of 2026-01-15 over {} accounts. Ask the provider before the figures are used"


def book(n: int = 100, step: float = 1.0) -> Side:
    """Accounts with scores of 0, one step, two steps …, all with the letter A."""
    frame = pd.DataFrame(
        {name: np.arange(n) * step for name in SCORE_COLUMNS}, index=[f"A{each}" for each in range(n)]
    )
    frame["status"], frame["counted"], frame["letter"] = "SUCCESS", True, "A"
    frame["weight"], frame["stale"], frame["methodology"] = np.nan, False, ""
    return Side(frame, "USD")


def with_(side: Side, column: str, rows: Sequence[int], value: object) -> Side:
    """The book with another value in some rows."""
    frame = side.frame.copy()
    values = frame[column].to_numpy(object, copy=True)
    values[list(rows)] = value
    frame[column] = pd.Series(values, index=frame.index).infer_objects()
    return Side(frame, side.currency)


def moved(side: Side, rows: Sequence[int], points: float, *columns: str) -> Side:
    """The book with some scores moved."""
    frame = side.frame.copy()
    for column in columns or ("overall_score",):
        frame.loc[frame.index[list(rows)], column] += points
    return Side(frame, side.currency)


def note(before: Side, now: Side) -> str:
    """What is odd, "" if nothing is."""
    found = drift(before, now, DAY)
    end = f". {ASK.format(len(now.frame))}"
    assert found.passed or found.note.endswith(end)
    return "" if found.passed else found.note.removesuffix(end)


def test_a_normal_night_says_how_many_accounts_were_compared() -> None:
    assert drift(book(1_200, 0.05), book(1_200, 0.05), DAY) == Verdict(
        "ratings_drift",
        passed=True,
        severity="WARN",
        note="the ratings of 1,200 accounts move as those of a normal night since 2026-01-15",
        measured={"compared_with": "2026-01-15", "accounts": 1_200, "findings": 0},
    )


def test_all_that_is_odd_is_told_at_once_and_counted() -> None:
    now = with_(with_(book(), "stale", range(11), value=True), "letter", range(6), "BBB")
    assert drift(book(), now, DAY) == Verdict(
        "ratings_drift",
        passed=False,
        severity="WARN",
        note="11% of the ratings are stale (older than ESG_MAX_RATING_AGE_DAYS), 0% before; 6% of "
        "the accounts were "
        f"downgraded, more than three times as many as were upgraded. {ASK.format(100)}",
        measured={"compared_with": "2026-01-15", "accounts": 100, "findings": 2},
    )


def test_twenty_nine_accounts_are_too_few_and_thirty_are_enough() -> None:
    few = with_(book(34), "status", range(5), "FAILED")
    assert drift(few, moved(book(34), range(34), 40), DAY) == Verdict(
        "ratings_drift",
        passed=True,
        severity="WARN",
        note="29 accounts are rated here and in the report of 2026-01-15: too few to judge",
        measured={"compared_with": "2026-01-15", "accounts": 29},
    )
    assert note(book(30), moved(book(30), range(30), 40)).count("overall") == 3


def test_without_a_report_to_compare_with_the_check_passes_and_says_why() -> None:
    archived = "nothing to compare with: the accounts of 2026-01-15 are archived"
    assert uncompared(DAY) == Verdict("ratings_drift", passed=True, severity="WARN", note=archived)
    assert drift(None, book(), DAY) == uncompared(DAY)
    assert drift(book(), book(), None) == uncompared(None)
    assert uncompared(None).note == "nothing to compare with: no earlier report"
    assert uncompared(None).passed


def test_more_than_one_score_in_twenty_that_moved_far_is_another_scale() -> None:
    far = range(0, 100, 17)  # six accounts
    assert note(book(), moved(book(), far[:5], 16)) == ""
    assert note(book(), moved(book(), far, -16)) == (
        "6% of the overall scores moved by more than 15 points: the scale or its direction may have changed"
    )
    assert note(book(), moved(book(), far, 15)) == "", "fifteen points are not far"


def test_a_score_that_nobody_has_hides_no_other() -> None:
    before = with_(book(), "overall_score", range(100), np.nan)
    now = moved(before, range(100), 20, "environmental_score")
    assert note(before, now) == (
        "100% of the environmental scores moved by more than 15 points: the scale or its direction may have "
        "changed; changed scores alone moved the mean environmental score by +20.0 points; "
        "the environmental scores are spread differently: the share of accounts below some score "
        "changed by 20% of all (limit 15%)"
    )


def test_scores_of_one_day_only_are_not_compared() -> None:
    before = with_(book(34), "overall_score", range(5), np.nan)
    now = with_(book(34), "overall_score", range(5, 10), np.nan)
    assert "scale" not in note(before, moved(now, range(34), 40))


def test_a_mean_that_moved_by_more_than_one_and_a_half_points_is_told() -> None:
    assert note(book(), moved(book(), range(100), 1.5)) == ""
    assert note(book(), moved(book(), range(100), -1.75)) == (
        "changed scores alone moved the mean overall score by -1.8 points"
    )


def test_a_mean_that_moved_within_four_standard_errors_is_none() -> None:
    # n scores of a hundred that moved alike moved the mean by √(100 n / (100 - n)) standard errors.
    rows = [each for each in range(100) if each % 20 in {0, 7, 14}]
    assert note(book(), moved(book(), rows, 12)) == (
        "changed scores alone moved the mean overall score by +1.8 points"
    )  # 4.2 of them
    assert note(book(), moved(book(), rows[:13], 13)) == ""  # 3.9


def test_a_book_in_which_no_account_counts_for_averages_has_no_mean_to_move() -> None:
    nobody = with_(book(), "counted", range(100), value=False)
    assert note(nobody, moved(nobody, range(100), 1.75)) == ""


def test_a_distribution_of_another_shape_is_told_where_the_mean_stays() -> None:
    up_and_down = moved(moved(book(), range(15), 15), range(25, 100), -3)
    assert note(book(), up_and_down) == "", "fifteen hundredths apart are not too far"
    before = book(100, 0.5)
    now = moved(moved(before, range(20), 10.5), range(30, 100), -3)
    assert note(before, now) == (
        "the overall scores are spread differently: the share of accounts below some score changed "
        "by 20% of all (limit 15%)"
    )


@pytest.mark.parametrize(
    ("column", "nothing", "words"),
    [
        ("overall_score", np.nan, "overall score"),
        ("governance_score", np.nan, "governance score"),
        ("letter", "", "rating letter"),
    ],
)
def test_a_value_that_more_than_one_in_ten_lack_all_of_a_sudden_is_told(
    column: str, nothing: object, words: str
) -> None:
    some = range(0, 100, 5)
    assert note(book(), with_(book(), column, some[:10], nothing)) == ""
    assert note(book(), with_(book(), column, some[:11], nothing)) == (
        f"11% of the rated accounts have no {words}, 0% before"
    )
    lacking = with_(book(), column, some, nothing)
    assert note(lacking, lacking) == "", "what they lacked before is no news"
    failed = with_(with_(book(), column, some, nothing), "status", some, "FAILED")
    assert note(book(), failed) == "", "an account that failed is not rated"


def test_more_than_one_in_ten_ratings_that_are_stale_all_of_a_sudden_are_told() -> None:
    assert note(book(), with_(book(), "stale", range(10), value=True)) == ""
    assert note(book(), with_(book(), "stale", range(11), value=True)) == (
        "11% of the ratings are stale (older than ESG_MAX_RATING_AGE_DAYS), 0% before"
    )
    old = with_(book(), "stale", range(40), value=True)
    assert note(old, old) == ""


def test_downgrades_are_told_above_one_in_twenty_and_three_times_the_upgrades() -> None:
    assert note(book(), with_(book(), "letter", range(5), "BBB")) == ""
    mixed = with_(with_(book(), "letter", range(9), "BBB"), "letter", range(20, 23), "AA")
    assert note(book(), mixed) == ""
    assert note(book(), with_(mixed, "letter", [9], "CCC")) == (
        "10% of the accounts were downgraded, more than three times as many as were upgraded"
    )


def test_letters_of_twenty_nine_accounts_are_too_few_to_speak_of_downgrades() -> None:
    for without, told in (
        ([0], ""),
        ([], "33% of the accounts were downgraded, more than three times as many as were upgraded"),
    ):
        before = with_(book(30), "letter", without, "")
        assert note(before, with_(before, "letter", range(10, 20), "BBB")) == told
