"""After the working window the host's copy goes to the recipients alone: nothing lost, nothing doubled."""

import contextlib
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.adapters.working_data.arrow_streams import read_stream
from esg_assets.core import record_ports
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import ReasonWanted, Refused, Tampered
from esg_assets.core.ports import Source
from esg_assets.core.retention import Outcome
from esg_assets_tests.adapters.lifecycle_material import (
    AFTER,
    DAYS,
    archive_of,
    kept,
    window,
    work_names,
)
from esg_assets_tests.adapters.records_material import (
    CSV,
    OTHER_CSV,
    BreakingStore,
    Killed,
    Records,
    opener,
    read_all,
    records_in,
    to_recipients,
)
from esg_assets_tests.adapters.work_material import DAY, NEXT, batch, snapshot, success, working_envelope

SECOND = dt.timedelta(seconds=1)


def as_port(house: Records) -> record_ports.KeptData:
    """The adapter as the port that it implements: mypy holds it."""
    return kept(house)


def as_window(house: Records) -> record_ports.Window:
    """Likewise."""
    return window(house)


def test_within_the_window_everything_stays(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    before = work_names(house)
    closed = window(house, AFTER - SECOND).close(DAY)
    assert (closed.outcome, closed.until) == (Outcome.KEPT, AFTER)
    assert work_names(house) == before


def test_after_the_window_recipients_alone_open_what_the_host_kept(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    published = house.publish(DAY)
    house.publications().publish_summary(published, b'{"a":1}')
    names = work_names(house)
    plain = {name: kept(house).opened(name) for name in names}
    closed = window(house).close(DAY)
    assert (closed.outcome, closed.version, closed.objects) == (Outcome.ARCHIVED, 1, len(names))
    assert work_names(house) == []
    for number in (1, 2):
        assert archive_of(house, published, opener(number)) == plain
    (part,) = [data for name, data in plain.items() if name.startswith("parts/")]
    assert read_stream(part).column("raw").to_pylist() == [b'{"a": 1}']
    for envelope in (to_recipients(), working_envelope()):
        with pytest.raises(Refused):
            archive_of(house, published, envelope)
    entry = house.chain().entries()[-1]
    assert (entry.kind, entry.body["recipients"]) == (Kind.ARCHIVE, list(to_recipients().recipients))
    assert house.publications().verify().ok
    assert read_all(house.publications(), published, opener()) == b"".join(CSV)


def test_one_date_does_not_touch_another(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    others = set(work_names(house))
    house.publish(NEXT)
    assert window(house).dates() == [DAY, NEXT]
    window(house).close(NEXT)
    assert set(work_names(house)) == others


def test_a_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    window(house).close(DAY)
    entries = house.chain().entries()
    assert window(house).close(DAY).outcome is Outcome.NOTHING
    assert house.chain().entries() == entries


def test_a_correction_begins_a_window_of_its_own(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    window(house).close(DAY)
    with pytest.raises(ReasonWanted):
        house.publish(DAY, OTHER_CSV)
    corrected = house.publish(DAY, OTHER_CSV, reason="the provider corrected a score")
    assert window(house, AFTER - SECOND).close(DAY).outcome is Outcome.KEPT
    assert window(house).close(DAY).version == 2
    assert set(archive_of(house, corrected, opener())) >= {"snapshots/2026-01-15/0001"}
    assert house.publications().verify().ok


def test_what_was_never_published_goes_after_a_window_in_which_nobody_touched_it(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.snapshot(DAY)
    first = window(house, AFTER).close(DAY)
    assert (first.outcome, first.until) == (Outcome.KEPT, AFTER + dt.timedelta(days=DAYS))
    # Somebody takes it up again: the window begins anew.
    house.parts().append(house.snapshot(DAY), batch(success("ACC-0000002")))
    again = AFTER + dt.timedelta(days=20)
    assert window(house, again).close(DAY).until == again + dt.timedelta(days=DAYS)
    assert window(house, again + dt.timedelta(days=DAYS) - SECOND).close(DAY).outcome is Outcome.KEPT
    removed = window(house, again + dt.timedelta(days=DAYS)).close(DAY)
    assert (removed.outcome, removed.version, removed.objects) == (Outcome.REMOVED, None, 3)
    assert work_names(house) == []
    assert house.record_names() == []


def test_a_correction_that_published_nothing_is_not_taken_for_archived(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    window(house).close(DAY)
    house.snapshot(DAY)
    assert window(house).close(DAY).outcome is Outcome.KEPT
    assert len([name for name in work_names(house) if "untouched" not in name]) == 2


def test_data_that_does_not_open_is_neither_archived_nor_removed(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    part = tmp_path / "work" / "parts" / "2026-01-15" / "0001" / "00000001"
    data = bytearray(part.read_bytes())
    data[-20] ^= 1
    part.write_bytes(data)
    before = work_names(house)
    with pytest.raises(Tampered):
        window(house).close(DAY)
    assert work_names(house) == before
    assert [entry.kind for entry in house.chain().entries()] == [Kind.PUBLISH]


class CuttingStore(BreakingStore):
    """Loses the last byte of every archive."""

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        with super().open(key) as source:
            data = source.read()
        yield io.BytesIO(data[:-1] if key.startswith("archive/") else data)


def test_a_store_that_holds_something_else_than_was_written_keeps_the_working_data(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    before = work_names(house)
    with pytest.raises(Tampered, match="is not what was written"):
        window(Records(CuttingStore(house.records), house.work)).close(DAY)
    assert work_names(house) == before
    # And when it is lost only later, before the removal.
    work = BreakingStore(house.work)
    closing = window(Records(house.records, work))
    work.delete = _killed  # type: ignore[method-assign]  # dies at the first removal
    with pytest.raises(Killed):
        closing.close(DAY)
    with pytest.raises(Tampered, match="not in the records store as it was written"):
        window(Records(CuttingStore(house.records), house.work)).close(DAY)
    assert set(work_names(house)) >= set(before)


def _killed(key: str) -> None:
    raise Killed


def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing() -> None:
    entered = set()
    for step in range(1, 1_000):
        inner = Records()
        published = inner.publish(DAY)
        plain = {name: kept(inner).opened(name) for name in work_names(inner)}
        records, work = BreakingStore(inner.records), BreakingStore(inner.work)
        work._step = records._step  # type: ignore[method-assign]  # one counter for both
        records.die_at = step  # before it takes effect: that is after the step before it did
        try:
            window(Records(records, work)).close(DAY)
        except Killed:
            pass
        else:
            break
        kinds = [entry.kind for entry in inner.chain().entries()]
        entered.add(tuple(kinds))
        left = [name for name in work_names(inner) if "archive" not in name]
        assert len(left) == len(plain) or Kind.ARCHIVE in kinds, step
        window(inner).close(DAY)
        assert work_names(inner) == [], step
        assert archive_of(inner, published, opener()) == plain, step
        assert [entry.kind for entry in inner.chain().entries()] == [Kind.PUBLISH, Kind.ARCHIVE], step
        assert inner.publications().verify().ok
    assert step > 30
    assert entered == {(Kind.PUBLISH,), (Kind.PUBLISH, Kind.ARCHIVE)}


def test_a_run_after_a_crash_in_the_removal_finds_data_in_order() -> None:
    met = set()
    for step in range(1, 1_000):
        inner = Records()
        of = inner.snapshot(DAY)
        for number in range(3):
            inner.parts().append(of, batch(success(f"ACC-000000{number}")))
        inner.publish(DAY)
        work = BreakingStore(inner.work)
        work.die_at = step  # before it takes effect: that is after the step before it did
        try:
            window(Records(inner.records, work)).close(DAY)
        except Killed:
            pass
        else:
            break
        latest = inner.snapshots().latest(DAY)
        parts = [] if latest is None else inner.parts().refs(latest)
        met.add((latest is not None, len(parts)))
        if latest is not None:
            list(inner.parts().read(latest))
        # The run makes data of its own, under names that the plan holds too; it is not taken for archived.
        inner.snapshot(DAY)
        inner.parts().append(inner.snapshot(DAY), batch(success("ACC-0000009", score="1.00")))
        mine = inner.parts().refs(inner.snapshot(DAY))[-1].key
        window(inner).close(DAY)
        archived = len(inner.chain().entries()) == 2
        assert mine in work_names(inner) or archived, step
    assert {(True, 0), (True, 2), (True, 4)} <= met


def test_a_snapshot_and_its_parts_of_several_generations_are_archived_together(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.snapshot(DAY)
    second = house.snapshots().save(snapshot(partition=DAY, salt=b"t" * 32))
    house.parts().append(second, batch(success("ACC-0000001")))
    published = house.publish(DAY)
    window(house).close(DAY)
    assert work_names(house) == []
    assert [name for name in archive_of(house, published, opener()) if not name.startswith("handles/")] == [
        "parts/2026-01-15/0001/00000001",
        "parts/2026-01-15/0002/00000001",
        "snapshots/2026-01-15/0001",
        "snapshots/2026-01-15/0002",
    ]


def test_the_data_keys_of_a_working_key_in_kms_go_last(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    for name in ("keys/2026-01-15/aaaa", "keys/2026-01-16/aaaa"):
        house.work.create(name, b"wrapped")
    window(house, AFTER - SECOND).close(DAY)
    assert "keys/2026-01-15/aaaa" in work_names(house)
    work = BreakingStore(house.work)
    deleted: list[str] = []
    work.delete = lambda key: (deleted.append(key), house.work.delete(key))[1]  # type: ignore[method-assign, func-returns-value]  # watched
    window(Records(house.records, work)).close(DAY)
    assert deleted[-1] == "keys/2026-01-15/aaaa"
    assert work_names(house) == ["keys/2026-01-16/aaaa"]
    assert window(house).close(NEXT).outcome is Outcome.NOTHING
    assert work_names(house) == []
