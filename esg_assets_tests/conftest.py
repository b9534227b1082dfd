"""Fixtures that several kinds of tests share; the servers behind them are in servers.py."""

from collections.abc import Iterator

import pytest

from esg_assets_tests.servers import S3Server, postgres_database, postgresql, seaweedfs


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One S3 server for the session; use a prefix of your own."""
    yield from seaweedfs()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL server for the session (its superuser's URL); prefer `postgres_database_url`."""
    yield from postgresql()


@pytest.fixture
def postgres_database_url(postgres_url: str) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres_database(postgres_url) as url:
        yield url
