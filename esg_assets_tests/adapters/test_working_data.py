"""Snapshots, parts and handles in the work store: sealed, numbered without a gap, whole or not at all."""

import dataclasses
import datetime as dt
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.adapters.working_data import SealedParts, SealedRecords, SealedSnapshots
from esg_assets.core.errors import KeyMissing, Refused, StoreUnavailable, Tampered
from esg_assets.core.outcomes import from_batch
from esg_assets.core.ports import ObjectStore, RatingsParts
from esg_assets.core.ratings import Metric
from esg_assets.core.record_ports import Handles, StoredSnapshots
from esg_assets_tests.adapters.work_material import (
    DAY,
    accounts_in,
    batch,
    failure,
    snapshot,
    success,
    working_envelope,
)
from esg_assets_tests.fakes import MemoryStore

NEXT = DAY + dt.timedelta(days=1)


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "work")


def snapshots_in(store: ObjectStore, environment: str = "test") -> SealedSnapshots:
    return SealedSnapshots(store, working_envelope(), environment)


def parts_in(store: ObjectStore) -> SealedParts:
    return SealedParts(store, working_envelope(), "test", snapshots_in(store))


def records_in(store: ObjectStore) -> SealedRecords:
    return SealedRecords(store, working_envelope(), "test")


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


def test_every_byte_of_a_part_counts() -> None:
    store = MemoryStore()
    saved = snapshots_in(store).save(snapshot())
    ref = parts_in(store).append(saved, batch(success("ACC-0000001")))
    good = store.objects[ref.key]
    for index in range(0, len(good), 7):
        store.objects[ref.key] = good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :]
        with pytest.raises(Tampered):
            list(parts_in(store).read(saved))
    for altered in (b"", good[:-1], good + b"\0", good + good):
        store.objects[ref.key] = altered
        with pytest.raises(Tampered):
            list(parts_in(store).read(saved))


def test_parts_are_read_as_they_were_appended(store: ObjectStore) -> None:
    saved = snapshots_in(store).save(snapshot())
    given = [success("ACC-0000000"), failure("ACC-0000001")], [success("ACC-0000001", "7")]
    parts = parts_in(store)
    refs = [parts.append(saved, batch(*outcomes)) for outcomes in given]
    assert [ref.key for ref in refs] == [f"parts/2026-01-15/0001/0000000{n}" for n in (1, 2)]
    for reader in (parts, parts_in(store)):
        assert [o for each in reader.read(saved) for o in from_batch(each)] == [*given[0], *given[1]]
        assert reader.refs(saved) == refs
    assert parts_in(store).refs(saved) == refs


def test_parts_can_be_read_by_columns(store: ObjectStore) -> None:
    saved = snapshots_in(store).save(snapshot())
    parts = parts_in(store)
    parts.append(saved, batch(success("ACC-0000000")))
    [only] = parts.read(saved, ["status", "account_id"])
    assert only.to_pylist() == [{"status": "SUCCESS", "account_id": "ACC-0000000"}]


def test_no_parts_is_no_fault(store: ObjectStore) -> None:
    saved = snapshots_in(store).save(snapshot())
    assert list(parts_in(store).read(saved)) == []
    assert parts_in(store).refs(saved) == []


def test_a_part_for_a_snapshot_that_was_not_saved_is_a_mistake_of_the_caller(store: ObjectStore) -> None:
    with pytest.raises(ValueError, match="saved"):
        parts_in(store).append(snapshot(), batch(success("ACC-0000000")))


def test_a_new_generation_keeps_the_outcomes_made_under_the_same_rules(store: ObjectStore) -> None:
    kept, parts = snapshots_in(store), parts_in(store)
    first = kept.save(snapshot())
    parts.append(first, batch(success("one")))
    second = kept.save(snapshot(4))
    parts.append(second, batch(success("two")))
    third = kept.save(snapshot(4, mapping="other"))
    parts.append(third, batch(success("three")))
    fourth = kept.save(snapshot(5))
    parts.append(fourth, batch(success("four")))
    for reader in (parts, parts_in(store)):
        assert accounts_in(list(reader.read(first))) == ["one"]
        assert accounts_in(list(reader.read(second))) == ["one", "two"]
        assert accounts_in(list(reader.read(third))) == ["three"]
        assert accounts_in(list(reader.read(fourth))) == ["one", "two", "four"]
        assert [ref.key[-13:] for ref in reader.refs(fourth)] == [f"000{n}/00000001" for n in (1, 2, 4)]


@pytest.mark.parametrize("gone", [1, 2])
def test_a_part_that_is_missing_among_others_is_told(gone: int) -> None:
    store = MemoryStore()
    saved = snapshots_in(store).save(snapshot())
    for account in ("one", "two", "three"):
        parts_in(store).append(saved, batch(success(account)))
    del store.objects[f"parts/2026-01-15/0001/0000000{gone}"]
    for attempt in (
        lambda: list(parts_in(store).read(saved)),
        lambda: parts_in(store).refs(saved),
        lambda: parts_in(store).append(saved, batch(success("four"))),
    ):
        with pytest.raises(Tampered, match="1 of 3 parts are missing"):
            attempt()


def test_parts_do_not_open_in_each_others_place() -> None:
    store = MemoryStore()
    kept = snapshots_in(store)
    first, other_day = kept.save(snapshot()), kept.save(snapshot(partition=NEXT))
    second = kept.save(snapshot(4))
    for saved in (first, first, second, other_day):
        parts_in(store).append(saved, batch(success("x")))
    names = [key for key in store.objects if key.startswith("parts/")]
    assert len(names) == 4
    good = dict(store.objects)
    for one in names:
        for another in set(names) - {one}:
            store.objects[one] = good[another]
            wanted = other_day if "2026-01-16" in one else second
            with pytest.raises(Tampered):
                list(parts_in(store).read(wanted))
            store.objects[one] = good[one]


def test_parts_whose_snapshot_is_gone_are_told() -> None:
    store = MemoryStore()
    kept = snapshots_in(store)
    parts_in(store).append(kept.save(snapshot()), batch(success("x")))
    second = kept.save(snapshot(4))
    del store.objects["snapshots/2026-01-15/0001"]
    with pytest.raises(Tampered, match="generation 1, but that snapshot is gone"):
        list(parts_in(store).read(second))


def _race(count: int, act: Callable[[int], None]) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait()
            act(number)
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_writers_at_the_same_time_lose_nothing_and_leave_no_gap(store: ObjectStore) -> None:
    def save_and_append(number: int) -> None:
        kept, parts = snapshots_in(store), parts_in(store)
        saved = kept.save(snapshot(number + 1))
        for turn in range(3):
            parts.append(saved, batch(success(f"{number}-{turn}")))
            parts.append(first, batch(success(f"first-{number}-{turn}")))

    first = snapshots_in(store).save(snapshot())
    _race(4, save_and_append)
    latest = snapshots_in(store).latest(DAY)
    assert latest is not None
    assert latest.generation == 5
    found = accounts_in(list(parts_in(store).read(latest)))
    assert sorted(found) == sorted(f"{p}{n}-{t}" for p in ("", "first-") for n in range(4) for t in range(3))


class FailingStore(MemoryStore):
    """Fails the n-th create, before or after it took effect."""

    def __init__(self, *, after: bool) -> None:
        super().__init__()
        self.fail_at = -1
        self._after = after

    def create(self, key: str, data: bytes) -> None:
        self.fail_at -= 1
        if self.fail_at == 0 and not self._after:
            raise StoreUnavailable("The store does not answer.")
        super().create(key, data)
        if self.fail_at == 0:
            raise StoreUnavailable("The store does not answer.")


@pytest.mark.parametrize("after", [False, True])
def test_a_write_that_failed_leaves_no_gap(*, after: bool) -> None:
    store = FailingStore(after=after)
    saved = snapshots_in(store).save(snapshot())
    parts = parts_in(store)
    parts.append(saved, batch(success("one")))
    store.fail_at = 1
    with pytest.raises(StoreUnavailable):
        parts.append(saved, batch(success("two")))
    for writer in (parts, parts_in(store)):
        writer.append(saved, batch(success("two")))
    found = accounts_in(list(parts_in(store).read(saved)))
    assert found == ["one", *["two"] * (3 if after else 2)]


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
