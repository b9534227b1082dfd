"""Holds and expiry: the entry first, then the objects; a removal that broke off is finished."""

import datetime as dt
from pathlib import Path

import pytest

from esg_assets.adapters.publications import Expiry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused
from esg_assets_tests.adapters.lifecycle_material import window
from esg_assets_tests.adapters.records_material import (
    OTHER_CSV,
    TEXT,
    BreakingStore,
    Killed,
    Records,
    opener,
    read_all,
    records_in,
)
from esg_assets_tests.adapters.work_material import DAY, NEXT

OLD_ENOUGH = dt.datetime(2032, 1, 15, 1, tzinfo=dt.UTC)
WHO = {"requested_by": "records officer", "reason": "the retention has passed"}


def expiry(house: Records, now: dt.datetime = OLD_ENOUGH) -> Expiry:
    return Expiry(house.records, house.chain(), retention_years=6, now=lambda: now)


def two_versions(house: Records) -> None:
    """With a summary and an archive."""
    house.publish(DAY)
    published = house.publish(DAY, OTHER_CSV, reason="corrected")
    house.publications().publish_summary(published, b"{}")
    window(house).close(DAY)


def test_expiry_removes_the_objects_and_no_entry(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    two_versions(house)
    other = house.publish(NEXT)
    entries = house.chain().entries()
    removed = expiry(house).expire(DAY, **WHO)
    assert (removed.versions, removed.objects) == ((1, 2), 6)
    assert [name for name in house.record_names() if "2026-01-15" in name] == []
    assert house.chain().entries()[: len(entries)] == entries
    assert [entry.kind for entry in house.chain().entries()[len(entries) :]] == [Kind.EXPIRE] * 2
    judged = house.publications().verify()
    assert judged.ok, judged.faults
    with pytest.raises(KeyMissing, match=r"it expired; entry \d+ says who and why"):
        read_all(house.publications(), house.publications().version(DAY), opener())
    assert read_all(house.publications(), other, opener()) == TEXT


def test_objects_that_vanished_without_an_entry_are_named(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    two_versions(house)
    for publication in house.publications().list():
        house.records.delete(publication.report.key)
    assert [(fault.version, fault.what) for fault in house.publications().verify().faults] == [
        (1, "the sealed report is missing from the store"),
        (2, "the sealed report is missing from the store"),
    ]


def test_too_early_is_refused_and_nothing_is_removed(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    names = house.record_names()
    with pytest.raises(Refused, match="2032-01-15 at the earliest"):
        expiry(house, OLD_ENOUGH - dt.timedelta(days=1)).expire(DAY, **WHO)
    assert house.record_names() == names


def test_a_hold_keeps_a_date_until_its_release(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    held = expiry(house).hold(DAY, requested_by="counsel", reason="matter 7")
    with pytest.raises(Refused, match="under hold already, since 2032-01-15"):
        expiry(house).hold(DAY, **WHO)
    with pytest.raises(Refused, match=r"by counsel: matter 7\). Nothing was removed"):
        expiry(house).expire(DAY, **WHO)
    assert held.sequence == 2
    expiry(house).release(DAY, **WHO)
    with pytest.raises(Refused, match="under no hold"):
        expiry(house).release(DAY, **WHO)
    assert expiry(house).expire(DAY, **WHO).objects == 2
    assert house.publications().verify().ok


def test_what_was_never_published_is_neither_held_nor_expired(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    for refused in (expiry(house).hold, expiry(house).release, expiry(house).expire):
        with pytest.raises(KeyMissing, match=str(NEXT)):
            refused(NEXT, **WHO)


def test_a_crash_at_any_step_is_finished_by_running_again() -> None:
    met = set()
    for step in range(1, 1_000):
        house = Records()
        two_versions(house)
        store = BreakingStore(house.records)
        store.die_at = step  # before it takes effect: that is after the step before it did
        try:
            expiry(Records(store, house.work)).expire(DAY, **WHO)
        except Killed:
            pass
        else:
            break
        kinds = [entry.kind for entry in house.chain().entries()]
        met.add(kinds.count(Kind.EXPIRE))
        assert house.publications().verify().ok, step
        expiry(house).expire(DAY, **WHO)
        assert [name for name in house.record_names() if "2026-01-15" in name] == []
        assert [e.kind for e in house.chain().entries()].count(Kind.EXPIRE) == 2, step
        assert expiry(house).expire(DAY, **WHO).objects == 0
    assert step > 12
    assert met == {0, 1, 2}


def test_a_hold_that_comes_in_the_middle_stops_the_removal(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    two_versions(house)
    store = BreakingStore(house.records)
    store.delete = _killed  # type: ignore[method-assign]  # dies at the first removal
    with pytest.raises(Killed):
        expiry(Records(store, house.work)).expire(DAY, **WHO)
    expiry(house).hold(DAY, requested_by="counsel", reason="matter 7")
    names = house.record_names()
    with pytest.raises(Refused, match="under hold"):
        expiry(house).expire(DAY, **WHO)
    assert house.record_names() == names


def _killed(key: str) -> None:
    raise Killed
