"""What the contracts of Outbox and History are held to: SQLite, a real PostgreSQL server and the fakes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.core.alerts.ports import Outbox
from esg_assets.core.ports import History
from esg_assets_tests.contract.histories import NOW, Opener
from esg_assets_tests.fake_history import MemoryHistory
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


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "memory":
        return MemoryHistory
    if request.param == "sqlite":
        return lambda clock: SqlHistory(f"sqlite:///{tmp_path}/history.sqlite", clock)
    url = request.getfixturevalue("postgres_database_url")
    assert isinstance(url, str)
    return lambda clock: SqlHistory(url, clock)


@pytest.fixture
def history(opener: Opener) -> History:
    return opener(lambda: NOW)
