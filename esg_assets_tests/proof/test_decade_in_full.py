"""Ten years of schedule ticks and looks."""

import sys
from datetime import date

import pytest

from esg_assets_tests.decade import World, check

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_ten_years_every_date_is_published_once_or_has_its_one_incident(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    told = check(World(date(2027, 1, 4), date(2036, 12, 31), seed))
    with capsys.disabled():
        sys.stdout.write(f"\n{told}\n")
    assert told.startswith("3,650 dates")
