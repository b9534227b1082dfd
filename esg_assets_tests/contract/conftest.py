"""Outboxes that the contract of the port Outbox is held to: SQLite, a real PostgreSQL server and the fake."""

from collections.abc import Iterator, Mapping

import pytest

from esg_assets.core.alerts.ports import Outbox
from esg_assets_tests.fake_outbox import MemoryOutbox
from esg_assets_tests.outbox_material import emptied_outbox
from esg_assets_tests.servers import postgres_database


@pytest.fixture(scope="module")
def urls(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """One database of each kind for the module; each test empties it."""
    with postgres_database(postgres_url) as url:
        made = {
            "sqlite": f"sqlite:///{tmp_path_factory.mktemp('outbox')}/history.sqlite",
            "postgresql": url,
        }
        yield made


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def outbox(request: pytest.FixtureRequest, urls: Mapping[str, str]) -> Outbox:
    if request.param == "memory":
        return MemoryOutbox("test")
    return emptied_outbox(urls[request.param])
