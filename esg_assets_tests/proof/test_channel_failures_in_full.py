"""1,000 trials of alerting while channels, connections and processes fail: nothing missed, nothing doubled.

Seeds below 1,000 on an outside of lists, SQLite and PostgreSQL in turns; 100 of them over real conversations.
"""

from pathlib import Path

import pytest

from esg_assets_tests.channel_trials import trials
from esg_assets_tests.trial_outside import FAULTS, Recorded, real_servers

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("first", range(0, 900, 50))
def test_whatever_fails_every_incident_is_told_once_and_ended(
    first: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    if first % 100:
        url = request.getfixturevalue("postgres_database_url")
    seen = trials(range(first, first + 50), url, Recorded())
    print(dict(seen))  # noqa: T201  # how much went wrong on purpose
    assert {*FAULTS, "died", "at once"} <= set(seen)


@pytest.mark.parametrize("first", range(900, 1000, 25))
def test_so_it_is_over_real_conversations(first: int, tmp_path: Path) -> None:
    with real_servers() as outside:
        seen = trials(range(first, first + 25), f"sqlite:///{tmp_path}/history.sqlite", outside)
    print(dict(seen))  # noqa: T201  # as above
    assert {*FAULTS, "died", "at once"} <= set(seen)
