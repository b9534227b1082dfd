"""Ratings in sealed parts: numbered without a gap, in their place, whole or not at all."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import StoreUnavailable, Tampered
from esg_assets.core.outcomes import OUTCOME_SCHEMA, from_batch
from esg_assets.core.ports import ObjectStore
from esg_assets_tests.adapters.work_material import (
    DAY,
    NEXT,
    accounts_in,
    batch,
    failure,
    parts_in,
    snapshot,
    snapshots_in,
    success,
)
from esg_assets_tests.fakes import MemoryStore


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "work")


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


def test_a_part_from_before_a_column_existed_has_nulls_there(store: ObjectStore) -> None:
    saved = snapshots_in(store).save(snapshot())
    parts = parts_in(store)
    older = batch(success("ACC-0000000"))
    older = older.select([name for name in older.schema.names if name != "etag"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("esg_assets.adapters.working_data.parts.OUTCOME_SCHEMA", older.schema)
        parts.append(saved, older)

    [read] = parts_in(store).read(saved)

    assert read.schema.names == OUTCOME_SCHEMA.names
    assert read.column("etag").to_pylist() == [None]
    assert [outcome.etag for outcome in from_batch(read)] == [""]
