"""A year of the decade: schedule and detection over both changes of the clock, downtimes and failures."""

from datetime import date

import pytest

from esg_assets_tests.decade import World, check


@pytest.mark.parametrize("seed", [1])
def test_in_a_year_every_date_is_published_once_or_has_its_one_incident(seed: int) -> None:
    told = check(World(date(2027, 1, 4), date(2027, 12, 31), seed))
    assert told.startswith("362 dates")
