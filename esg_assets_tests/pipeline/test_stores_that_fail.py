"""A work or records store that is full or away for a while: the run says so, and the next one goes on."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters import stores
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.ports import CallPolicy, ObjectStore, Sink
from esg_assets_tests.fakes import FakeRatingsApi
from esg_assets_tests.pipeline.house import House

FULL = "Writing an object failed: the disk is full. Free some space and run it again."
POLICY = CallPolicy(rate=400.0, burst=1, concurrency=8, max_attempts=2)


class Failing:
    """A store that takes `room` more objects and then is full, until it gets more room."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.room: float = float("inf")
        self.folder = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> None:
        self._take(key)
        self._store.create(key, data)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        with self._store.writer(key) as sink:
            yield sink
            self._take(key)  # the end of a long object is where space runs out

    def _take(self, key: str) -> None:
        if key.startswith(self.folder):
            self.room -= 1
            if self.room < 0:
                raise StoreUnavailable(FULL)


@pytest.fixture
def failing(house: House, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Failing]:
    """The house's stores, by the last segment of their URL."""
    made: dict[str, Failing] = {}
    real = stores.open_store

    def open_store(url: str, **options: Any) -> Failing:
        name = Path(url).name
        return made.setdefault(name, Failing(real(url, **options)))

    monkeypatch.setattr(stores, "open_store", open_store)
    for url in (house.settings.work_url, house.settings.store_url):
        open_store(url.get_secret_value())
    house.api = FakeRatingsApi(policy=POLICY)
    return made


def test_a_work_store_that_fills_up_while_asking_stops_the_calls_and_loses_only_the_last_second(
    house: House, failing: Mapping[str, Failing]
) -> None:
    work = failing["work"]
    work.folder, work.room = "parts/", 0

    ran = house.run()

    assert not ran.success
    assert ran.failure == FULL
    assert house.published() is None
    lost = len(house.api.calls)
    assert lost <= 12

    work.room = float("inf")
    assert house.run().success
    assert len(house.report()) == 12
    assert len(house.api.calls) - lost <= 12, "what was not sealed is asked again, once"


@pytest.mark.parametrize("folder", ["reports/", "chain/", "summaries/"])
def test_a_records_store_that_fails_at_any_step_of_publication_is_made_good_without_a_call(
    house: House, failing: Mapping[str, Failing], folder: str
) -> None:
    records = failing["store"]
    records.folder, records.room = folder, 0

    ran = house.run()

    assert not ran.success
    assert ran.failure == FULL
    calls = len(house.api.calls)
    assert calls == 12

    records.room = float("inf")
    assert house.run().success
    assert len(house.api.calls) == calls
    assert len(house.report()) == 12
    assert house.entries() == 2, "one report and its summary, whatever was begun before"
