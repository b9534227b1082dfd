"""Fixtures of the pipeline tests: a whole house, and a home for what reads the environment itself."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from esg_assets import key_rotation
from esg_assets_tests.pipeline.house import House, home_in_force, new_house
from esg_assets_tests.pipeline.watched import Clock


@pytest.fixture(autouse=True, scope="module")
def no_settings_of_the_developer() -> Iterator[None]:
    """Nothing of the machine reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith("ESG_") or name == "DAGSTER_HOME":
                patch.delenv(name)
        yield


@pytest.fixture
def clock() -> Clock:
    """Of a history whose time a test tells."""
    return Clock()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A pipeline with twelve accounts over an instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield new_house(tmp_path, instance)


@pytest.fixture
def esg_home(tmp_path: Path) -> Iterator[Path]:
    """A DAGSTER_HOME with demo keys, and the environment and working folder that go with it."""
    with home_in_force(tmp_path) as home:
        yield home


@pytest.fixture
def instance_of_commands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation opens the instance of DAGSTER_HOME; with this, that is the house's."""

    @contextlib.contextmanager
    def opened(leases: object) -> Iterator[dg.DagsterInstance]:
        del leases
        yield house.instance

    monkeypatch.setattr(key_rotation, "opened_instance", opened)
