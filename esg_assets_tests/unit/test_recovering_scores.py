"""Somebody who sees two days' public figures tries to work out the score of an account that came between.

The attack is `public_book.recovered`. It is first let loose on figures that are only rounded, where it
must succeed: an attack that never does proves nothing.
"""

import random
import statistics
from dataclasses import replace

import pytest

from esg_assets.core.differencing import GROUPS, UNCHANGED
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.rating_bodies import RATINGS
from esg_assets_tests.unit.public_book import (
    MIN_CELL,
    Account,
    Days,
    group,
    recovered,
    rescored,
    width,
)

SIZES = (10, 20, 50, 400)


def book(size: int, seed: int) -> tuple[list[Account], random.Random]:
    draw = random.Random(seed)
    return [Account.drawn(f"A{n:05d}", draw) for n in range(size)], draw


def attacked(size: int, seed: int, *, holding: bool, leaves: bool) -> float:
    """Width of what is proved of a newcomer's overall score; the truth must lie in it."""
    old, draw = book(size, seed)
    newcomer = Account.drawn("newcomer", draw)
    gone = old[draw.randrange(size)] if leaves else None
    days = Days(holding=holding)
    before = days.report(old)
    after = days.report([*(a for a in old if a is not gone), newcomer])
    found = recovered(before, after, old, newcomer, gone=gone)
    truth = newcomer.scores["overall_score"]
    assert found[0] - 1e-6 <= truth <= found[1] + 1e-6, "the attack itself is wrong"
    return width(found)


@pytest.mark.parametrize("leaves", [False, True])
def test_figures_that_are_only_rounded_give_a_newcomer_away(leaves: bool) -> None:
    widths = {
        size: statistics.median(attacked(size, seed, holding=False, leaves=leaves) for seed in range(5))
        for size in SIZES
    }
    assert widths[10] < 2.5  # 0.1 * (2n + 1) points by the mean alone
    assert widths[20] < 4.5
    assert max(widths.values()) < 15  # the letter's band, in a book of any size


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_the_same_attack_on_what_is_shown_proves_nothing_in_a_book_of_any_size(
    size: int, leaves: bool
) -> None:
    for seed in range(3):
        assert attacked(size, seed, holding=True, leaves=leaves) == 100.0


@pytest.mark.parametrize("size", SIZES[:4])
def test_what_is_shown_is_the_same_whatever_a_newcomer_s_score_is(size: int) -> None:
    """No attack of any kind can learn from figures that do not depend on what is to be learned."""
    old, draw = book(size, 7)
    shown = []
    for score in (0.0, 12.5, 41.3, 73.918273, 100.0):
        newcomer = replace(
            Account.drawn("newcomer", draw), scores=dict.fromkeys(SCORE_COLUMNS, score), waci=score, value=1e9
        )
        days = Days()
        days.report(old)
        shown.append(days.report([*old[1:], newcomer]))
    assert all(each == shown[0] for each in shown)


@pytest.mark.parametrize("metric", ["overall_score", "metric.waci", "focus"])
def test_no_figure_of_a_group_moves_until_enough_accounts_have_changed(metric: str) -> None:
    old, draw = book(40, 1)
    days = Days()
    first = group(days.report(old))
    grown = list(old)
    for number in range(1, MIN_CELL):
        grown.append(Account.drawn(f"B{number}", draw))
        shown = days.report(grown)
        assert group(shown) == first
        assert shown[UNCHANGED + metric] == number
        assert shown["accounts.SUCCESS"] == 40 + number, "counts by status always show"
    grown.append(Account.drawn("B10", draw))
    shown = days.report(grown)
    assert group(shown) != first
    assert shown[UNCHANGED + metric] == 0


def test_after_enough_newcomers_only_their_mean_is_learned() -> None:
    old, draw = book(40, 2)
    new = [Account.drawn(f"B{n}", draw) for n in range(MIN_CELL)]
    days = Days()
    before, after = days.report(old), days.report([*old, *new])
    sums = [round((50 * (after["overall_score.mean"] or 0) - 40 * (before["overall_score.mean"] or 0)), 6)]
    # Ten scores of a known sum: any one of them may still be anything that the other nine allow.
    low, high = sums[0] - 4.5 - 100 * (MIN_CELL - 1), sums[0] + 4.5
    assert abs(sums[0] - sum(a.scores["overall_score"] for a in new)) <= 4.5
    assert low < 0
    assert high > 100


def test_an_account_that_comes_and_goes_leaves_no_trace() -> None:
    old, draw = book(40, 3)
    days = Days()
    shown = [days.report(each) for each in (old, [*old, Account.drawn("B", draw)], old)]
    assert group(shown[0]) == group(shown[1]) == group(shown[2])


def test_a_score_that_changes_alone_is_not_seen_to_change() -> None:
    old, _ = book(12, 4)
    days = Days()
    before = days.report(old)
    after = days.report([rescored(old[0], 20.0), *old[1:]])
    assert group(before) == group(after)


def test_a_group_in_which_few_changed_stands_while_others_are_made_anew() -> None:
    """Every score moves a little, and with them three letters: those would be seen."""
    old, _ = book(200, 5)
    new = [rescored(account, 0.3) for account in old]
    changed = sum(a.letter != b.letter for a, b in zip(old, new, strict=True))
    assert 0 < changed < MIN_CELL
    days = Days()
    before, after = days.report(old), days.report(new)
    assert after["overall_score.mean"] != before["overall_score.mean"]
    assert [after[f"letter.{letter}"] for letter in RATINGS] == [before[f"letter.{r}"] for r in RATINGS]
    stands = {name for name in GROUPS if after[UNCHANGED + name]}
    assert stands == {"letter"}


def test_no_cell_that_is_withheld_can_be_worked_out_from_its_table_and_total() -> None:
    """Whatever the sizes of the letters: each small one has many values that fit what is shown."""
    draw = random.Random(6)
    for _ in range(200):
        old = [Account.drawn(f"A{n}", draw) for n in range(draw.randrange(10, 60))]
        shown = Days().report(old)
        for table in ("letter", "focus"):
            cells = {name: n for name, n in shown.items() if name.startswith(f"{table}.")}
            hidden = [name for name, n in cells.items() if n is None]
            rest = len(old) - sum(n for n in cells.values() if n is not None)
            assert not hidden or (len(hidden) >= 2 and rest >= MIN_CELL), cells
