"""Normal nights raise nothing; a broken feed is always caught, with its reason in plain words."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from esg_assets.core.change import Side
from esg_assets.core.drift import drift
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets_tests.unit.walking_book import Account, drawn, side_of, walked

DAY = date(2026, 1, 15)
NIGHTS = 90
SIZE = 500


def _book(seed: int, size: int = SIZE) -> list[Account]:
    dice = random.Random(seed)
    return [drawn(dice, f"A{n}") for n in range(size)]


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, 20))])
def test_ninety_normal_nights_give_at_most_one_false_warning(seed: int) -> None:
    dice, book = random.Random(seed), _book(seed)
    warnings = []
    for night in range(NIGHTS):
        later = walked(dice, book, night)
        found = drift(side_of(book), side_of(later), DAY)
        warnings += [] if found.passed else [found.note]
        book = later
    assert len(warnings) <= 1, warnings


def _scale(book: list[Account]) -> Side:
    """Scores from 0 to 10."""
    frame = side_of(book).frame.copy()
    frame[list(SCORE_COLUMNS)] /= 10
    return Side(frame, "USD")


def _direction(book: list[Account]) -> Side:
    """Lower is better all of a sudden: the mean of a book around 50 hardly moves."""
    frame = side_of(book).frame.copy()
    frame[list(SCORE_COLUMNS)] = 100 - frame[list(SCORE_COLUMNS)]
    return Side(frame, "USD")


def _nulls(book: list[Account]) -> Side:
    """30 % of the overall scores are gone."""
    frame = side_of(book).frame.copy()
    frame.loc[frame.index[::10].union(frame.index[1::10]).union(frame.index[2::10]), "overall_score"] = np.nan
    return Side(frame, "USD")


def _stale(book: list[Account]) -> Side:
    """The provider serves an old file."""
    return side_of([replace(account, stale=True) for account in book])


def _downgrades(book: list[Account]) -> Side:
    """A fifth of the book falls by one letter, the scores hardly."""
    frame = side_of(book).frame.copy()
    worse = {"AAA": "AA", "AA": "A", "A": "BBB", "BBB": "BB", "BB": "B", "B": "CCC", "CCC": "CCC", "": ""}
    frame.loc[frame.index[::5], "letter"] = frame.loc[frame.index[::5], "letter"].map(worse)
    return Side(frame, "USD")


def _shifted(book: list[Account]) -> Side:
    """A new methodology: every score two points lower."""
    lower = [replace(a, pillars=tuple(max(p - 2, 0) for p in a.pillars)) for a in book]  # type: ignore[arg-type]  # three of them
    return side_of(lower)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_scale, "the scale or its direction may have changed"),
        (_direction, "the scale or its direction may have changed"),
        (_nulls, "have no overall"),
        (_stale, "stale .older than ESG_MAX_RATING_AGE_DAYS"),
        (_downgrades, "were downgraded"),
        (_shifted, r"moved the mean overall score by -[12]\.\d points"),
    ],
)
@pytest.mark.parametrize("size", [60, pytest.param(SIZE, marks=pytest.mark.proof)])
@pytest.mark.parametrize("seed", range(3))
def test_a_broken_feed_is_always_caught(
    broken: Callable[[list[Account]], Side], words: str, size: int, seed: int
) -> None:
    dice, book = random.Random(seed), _book(seed, size)
    found = drift(side_of(book), broken(walked(dice, book, 0)), DAY)
    assert not found.passed
    assert re.search(words, found.note)
    assert found.severity == "WARN"
    assert not found.blocks


def test_too_few_accounts_are_not_judged() -> None:
    book = _book(1, 20)
    found = drift(side_of(book), _scale(book), DAY)
    assert found.passed
    assert "too few to judge" in found.note


def test_without_an_earlier_report_there_is_nothing_to_compare_with() -> None:
    now = side_of(_book(1, 50))
    assert drift(None, now, None).note == "nothing to compare with: no earlier report"
    assert "2026-01-15 are archived" in drift(None, now, DAY).note
