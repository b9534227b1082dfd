"""A sample of the trials of proof/test_channel_failures_in_full.py, on an outside of lists and on servers."""

from pathlib import Path

from esg_assets_tests.channel_trials import trials
from esg_assets_tests.trial_outside import FAULTS, Recorded, real_servers


def test_whatever_fails_every_incident_is_told_once_and_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    seen = trials(range(32), url, Recorded())
    assert {*FAULTS, "died", "at once"} <= set(seen)


def test_so_it_is_on_postgresql(postgres_database_url: str) -> None:
    assert trials(range(32, 36), postgres_database_url, Recorded())["died"]


def test_so_it_is_over_real_conversations(tmp_path: Path) -> None:
    with real_servers() as outside:
        assert trials(range(36, 40), f"sqlite:///{tmp_path}/history.sqlite", outside)["died"]
