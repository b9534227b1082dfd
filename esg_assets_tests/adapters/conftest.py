"""Databases that what is SQL is tried on."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a SQLite file that is not made yet, and one of a real PostgreSQL server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/home/history.sqlite"
    found = request.getfixturevalue("postgres_database_url")
    assert isinstance(found, str)
    return found
