"""Fixtures of the pipeline tests: a whole house, and a home for what reads the environment itself."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from esg_assets_tests.pipeline.house import House, environment, new_house


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine reaches a test."""
    for name in [*os.environ]:
        if name.startswith("ESG_") or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A pipeline with twelve accounts over an instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield new_house(tmp_path, instance)


@pytest.fixture
def esg_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME with demo keys, and the environment and working folder that go with it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "cwd"
    work.mkdir()
    monkeypatch.chdir(work)
    return home
