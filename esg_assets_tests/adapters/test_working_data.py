"""Snapshots, parts and handles in the work store: sealed, numbered without a gap, whole or not at all."""

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import SealedSnapshots
from esg_assets.core.errors import KeyMissing, Refused, StoreUnavailable, Tampered
from esg_assets.core.ports import ObjectStore, RatingsParts
from esg_assets.core.ratings import Metric
from esg_assets.core.record_ports import Handles, StoredSnapshots
from esg_assets_tests.adapters.work_material import (
    DAY,
    NEXT,
    batch,
    parts_in,
    records_in,
    snapshot,
    snapshots_in,
    success,
)
from esg_assets_tests.fakes import MemoryStore


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "work")


class ClosedStore:
    """Answers nothing: what is constructed over it must not have asked."""

    def __getattr__(self, name: str) -> object:
        raise StoreUnavailable(name)


def as_ports(store: ObjectStore) -> tuple[StoredSnapshots, RatingsParts, Handles]:
    """Each adapter as the port that it implements: mypy holds it."""
    return snapshots_in(store), parts_in(store), records_in(store)


def test_constructing_touches_nothing() -> None:
    as_ports(ClosedStore())  # type: ignore[arg-type]  # refuses every method


@pytest.mark.parametrize("count", [0, 1, 25_000])
def test_a_snapshot_comes_back_as_it_was_saved(store: ObjectStore, count: int) -> None:
    given = snapshot(count, mapping="request:\n  method: GET\n", accounts_as_of="2026-01-15T11:00:00Z")
    saved = snapshots_in(store).save(given)
    assert saved == dataclasses.replace(given, generation=1)
    read = snapshots_in(store).latest(DAY)
    assert read == saved
    assert read is not None
    assert (read.salt, read.metrics) == (b"s" * 32, (Metric("waci", "t:per:musd", "lower"),))
    assert read.commitment == given.commitment


def test_a_partition_without_a_snapshot_has_none_and_gets_no_store_id(store: ObjectStore) -> None:
    assert snapshots_in(store).latest(DAY) is None
    with pytest.raises(KeyMissing):
        snapshots_in(store).generation(DAY, 1)
    assert list(store.keys("")) == []


def test_the_next_snapshot_is_the_next_generation_and_earlier_ones_stay(store: ObjectStore) -> None:
    kept = snapshots_in(store)
    assert [kept.save(snapshot(n)).generation for n in (1, 2, 3)] == [1, 2, 3]
    assert kept.latest(DAY) == kept.generation(DAY, 3)
    assert kept.generation(DAY, 2).count == 2
    assert list(store.keys("snapshots/")) == [f"snapshots/2026-01-15/000{n}" for n in (1, 2, 3)]


def test_a_snapshots_ref_is_the_digest_of_what_the_store_holds(store: ObjectStore) -> None:
    saved = snapshots_in(store).save(snapshot())
    ref = snapshots_in(store).ref(saved)
    assert ref.key == "snapshots/2026-01-15/0001"
    assert len(ref.sha256) == 64


def test_nothing_of_a_snapshot_is_in_the_clear() -> None:
    store = MemoryStore()
    snapshots_in(store).save(snapshot(100))
    parts_in(store).append(dataclasses.replace(snapshot(), generation=1), batch(success("ACC-0000001")))
    for data in store.objects.values():
        for secret in (b"ACC-", b"ller", b"pension", b"s" * 32, b"73" * 32, b"61.20", b"climate"):
            assert secret not in data


def test_a_snapshot_of_another_date_generation_or_environment_does_not_open() -> None:
    store = MemoryStore()
    kept = snapshots_in(store)
    kept.save(snapshot())
    kept.save(snapshot(4))
    moved = store.objects
    moved["snapshots/2026-01-16/0001"] = moved["snapshots/2026-01-15/0001"]
    with pytest.raises(Tampered):
        kept.latest(NEXT)
    moved["snapshots/2026-01-15/0002"] = moved["snapshots/2026-01-15/0001"]
    with pytest.raises(Tampered):
        kept.latest(DAY)
    with pytest.raises(Refused, match="environment 'test', this is 'prod'"):
        snapshots_in(store, "prod").generation(DAY, 1)
    moved["store_id"] = moved["store_id"].replace(b"test", b"prod")
    with pytest.raises(Tampered):
        snapshots_in(store, "prod").generation(DAY, 1)


def test_working_data_of_another_store_does_not_open() -> None:
    one, other = MemoryStore(), MemoryStore()
    snapshots_in(one).save(snapshot())
    snapshots_in(other).save(snapshot())
    other.objects["snapshots/2026-01-15/0001"] = one.objects["snapshots/2026-01-15/0001"]
    with pytest.raises(Tampered):
        snapshots_in(other).latest(DAY)
    del one.objects["store_id"]
    with pytest.raises(Tampered, match="store_id"):
        snapshots_in(one).latest(DAY)


def test_a_strange_name_among_the_generations_is_told() -> None:
    store = MemoryStore()
    snapshots_in(store).save(snapshot())
    store.create("snapshots/2026-01-15/0002x", b"x")
    with pytest.raises(Tampered, match="another name"):
        snapshots_in(store).latest(DAY)


def test_a_handle_is_what_was_put_last(store: ObjectStore) -> None:
    records = records_in(store)
    assert records.get("esg_ratings", "handle", DAY) is None
    records.put("esg_ratings", "handle", DAY, {"parts": 3, "rate": 0.5, "name": "Ünal"})
    records.put("esg_ratings", "handle", DAY, {"parts": 4})
    records.put("esg_ratings", "other", DAY, {"parts": 5})
    records.put("esg_ratings", "handle", NEXT, {"parts": 6})
    assert records_in(store).get("esg_ratings", "handle", DAY) == {"parts": 4}
    assert records.get("esg_ratings", "handle", NEXT) == {"parts": 6}
    assert records.get("active_accounts", "handle", DAY) is None


def test_a_handle_does_not_open_under_another_name() -> None:
    store = MemoryStore()
    records_in(store).put("salt", "one", DAY, {"salt": "00"})
    records_in(store).put("salt", "two", DAY, {"salt": "11"})
    sealed = store.objects["handles/salt/2026-01-15/one/0001"]
    for key in (
        "handles/salt/2026-01-15/two/0001",
        "handles/salt/2026-01-15/one/0002",
        "handles/salt/2026-01-16/one/0001",
        "handles/pepper/2026-01-15/one/0001",
    ):
        store.objects[key] = sealed
        _, kind, day, name, _ = key.split("/")
        with pytest.raises(Tampered):
            records_in(store).get(kind, name, dt.date.fromisoformat(day))
        del store.objects[key]


def test_another_working_key_opens_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    snapshots_in(store).save(snapshot())
    with pytest.raises(Tampered):
        SealedSnapshots(store, WorkingEnvelope(b"x" * 32), "test").latest(DAY)


def test_a_copied_work_store_still_opens(tmp_path: Path) -> None:
    snapshots_in(LocalStore(tmp_path / "one")).save(snapshot())
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert snapshots_in(LocalStore(tmp_path / "two")).latest(DAY) is not None


def test_columns_of_another_type_are_not_stored() -> None:
    accounts = pa.table({"account_id": ["a"]})
    with pytest.raises(ValueError, match="schema"):
        snapshots_in(MemoryStore()).save(snapshot(accounts=accounts))


def test_of_the_parts_those_that_are_named_are_read(store: ObjectStore) -> None:
    kept, parts = snapshots_in(store).save(snapshot(3)), parts_in(store)
    for number in range(3):
        parts.append(kept, batch(success(f"ACC-000000{number}")))
    first, _, last = (part.key for part in parts.refs(kept))
    read = [ids for each in parts.read(kept, ["account_id"], only={first, last}) for ids in each.to_pylist()]
    assert read == [{"account_id": "ACC-0000000"}, {"account_id": "ACC-0000002"}]
    assert list(parts.read(kept, only=())) == []
