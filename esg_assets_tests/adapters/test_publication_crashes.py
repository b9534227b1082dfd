"""Publishing and crashes: whatever step a process dies in, there is no entry or a whole one."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.core.errors import (
    Refused,
    StoreUnavailable,
)
from esg_assets_tests.adapters.records_material import (
    CSV,
    OTHER_CSV,
    TEXT,
    BreakingStore,
    Killed,
    Records,
    opener,
    read_all,
    records_in,
)
from esg_assets_tests.adapters.work_material import DAY


def test_two_runs_of_one_date_at_once_publish_one_version(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.snapshot(DAY)
    barrier = threading.Barrier(2, timeout=30)
    results: list[object] = []

    def run(csv: list[bytes]) -> None:
        publications, snapshot = house.publications(), house.snapshot(DAY)
        draft = publications.draft(snapshot, csv)
        barrier.wait()
        try:
            results.append(house.finish(publications, draft, snapshot))
        except Refused as refused:
            results.append(refused)

    threads = [threading.Thread(target=run, args=[csv]) for csv in (CSV, OTHER_CSV)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in results) == ["Publication", "Refused"]
    [published] = house.publications().list()
    # Whoever won, the host can still tell the same content: the loser's salt is not in the way.
    winner = read_all(house.publications(), published, opener())
    assert house.publish(DAY, [winner]) == published
    assert house.publications().verify().ok


def failing_chunks() -> Iterator[bytes]:
    yield CSV[0]
    raise StoreUnavailable("the parts cannot be read")


def test_a_report_whose_making_fails_leaves_nothing(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    publications = house.publications()
    with pytest.raises(StoreUnavailable):
        publications.draft(house.snapshot(DAY), failing_chunks())
    assert house.record_names() == []


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_leaves_no_entry_or_a_whole_one(*, after: bool) -> None:
    outcomes = set()
    for step in range(1, 1_000):
        inner = Records()
        inner.snapshot(DAY)
        records, work = BreakingStore(inner.records), BreakingStore(inner.work)
        for store in (records, work):
            store.after = after
        # Steps of both stores are counted as one row, so that every one of them is died in.
        work._step = records._step  # type: ignore[method-assign]  # one counter for both
        records.die_at = step
        try:
            Records(records, work).publish(DAY)
        except Killed:
            pass
        else:
            break
        found = inner.publications().list()
        outcomes.add(len(found))
        verified = inner.publications().verify()
        assert (verified.ok, verified.entries) == (True, len(found)), step
        for publication in found:
            assert read_all(inner.publications(), publication, opener()) == TEXT
        again = inner.publish(DAY)
        assert (again.version, again.sequence) == (1, 1), step
        assert read_all(inner.publications(), again, opener()) == TEXT
        assert inner.publications().verify().ok
    assert step > 25
    assert outcomes == {0, 1}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_step_of_a_summary_leaves_none_or_a_whole_one(*, after: bool) -> None:
    for step in range(1, 1_000):
        inner = Records()
        published = inner.publish(DAY)
        records, work = BreakingStore(inner.records), BreakingStore(inner.work)
        records.after = work.after = after
        work._step = records._step  # type: ignore[method-assign]  # one counter for both
        records.die_at = step
        try:
            Records(records, work).publications().publish_summary(published, b'{"a":1}')
        except Killed:
            pass
        else:
            break
        assert inner.publications().verify().ok
        told = inner.publications().publish_summary(published, b'{"a":1}')
        assert told.summary is not None
        assert inner.chain().head().sequence == 2
    assert step > 8
