"""A sample of the trials of proof/test_channel_failures_in_full.py."""

from pathlib import Path

import pytest

from esg_assets_tests.channel_trials import FAULTS, trials


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_whatever_fails_every_incident_is_told_once_and_ended(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path}/history.sqlite"
    else:
        url = request.getfixturevalue("postgres_database_url")
    seen = trials(range(20) if database == "sqlite" else range(20, 40), url)
    assert {*FAULTS, "died", "at once"} <= set(seen)
