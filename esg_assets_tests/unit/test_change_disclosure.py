"""What of a change stands in the clear: nothing over fewer than ESG_MIN_CELL accounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.change import Attribution, Migration, Part
from esg_assets.core.change_disclosure import CAUSES, clear_migration, clear_parts
from esg_assets.core.rating_bodies import RATINGS

MIN_CELL = 10
parts = st.builds(Part, st.floats(-50, 50), st.integers(0, 40))
attributions = st.builds(Attribution, st.just(50.0), st.just(51.0), *([parts] * 5))
letters = st.sampled_from(RATINGS)
matrices = st.builds(Migration, st.dictionaries(st.tuples(letters, letters), st.integers(1, 60)))


def made(**accounts: int) -> Attribution:
    return Attribution(
        50.0, 51.0, **{name: Part(0.5 * accounts.get(name, 0), accounts.get(name, 0)) for name in CAUSES}
    )


def test_parts_over_enough_accounts_are_told_apart() -> None:
    shown = clear_parts(made(scores=100, joined=12), MIN_CELL)
    assert shown is not None
    assert [(part.causes, part.points) for part in shown] == [(("joined",), 6.0), (("scores",), 50.0)]


def test_a_newcomer_is_told_together_with_others() -> None:
    shown = clear_parts(made(scores=100, joined=1, left=3), MIN_CELL)
    assert shown is not None
    assert [part.causes for part in shown] == [("joined", "left", "scores")]
    assert shown[0].points == pytest.approx(52.0)


def test_nothing_is_told_where_all_that_changed_is_too_few() -> None:
    assert clear_parts(made(joined=1, left=3), MIN_CELL) is None
    assert clear_parts(made(), MIN_CELL) is None


@given(attributions)
def test_whatever_is_told_is_over_enough_accounts_and_leaves_nothing_out(found: Attribution) -> None:
    shown = clear_parts(found, MIN_CELL)
    filled = {name for name, part in found.parts.items() if part.accounts}
    if shown is None:
        assert sum(found.parts[name].accounts for name in filled) < MIN_CELL
        return
    told = [name for part in shown for name in part.causes]
    assert sorted(told) == sorted(filled)
    for part in shown:
        assert sum(found.parts[name].accounts for name in part.causes) >= MIN_CELL
        assert part.points == pytest.approx(sum(found.parts[name].points for name in part.causes), abs=0.051)


@given(matrices)
def test_small_cells_of_the_matrix_cannot_be_worked_out(found: Migration) -> None:
    shown = clear_migration(found, MIN_CELL)
    hidden = [found.cells[cell] for cell, n in shown.cells.items() if n is None]
    assert all(n is None or n >= MIN_CELL for n in shown.cells.values())
    if hidden and len(hidden) < len(found.cells):
        assert len(hidden) > 1
        assert sum(hidden) >= MIN_CELL
    for count in (shown.upgrades, shown.downgrades):
        assert count is None or count == 0 or count >= MIN_CELL
