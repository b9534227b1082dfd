"""Reports against forgery: what is missing, altered, moved or an outsider's is named and not opened."""

import dataclasses

import pytest

from esg_assets.adapters.publications import PublishedReports
from esg_assets.core.errors import (
    Tampered,
)
from esg_assets.core.examination import Head
from esg_assets_tests.adapters.records_material import (
    OTHER_CSV,
    Records,
    opener,
    read_all,
    to_recipients,
)
from esg_assets_tests.adapters.work_material import DAY, NEXT
from esg_assets_tests.fakes import MemoryStore


def damaged(data: bytes) -> list[bytes]:
    middle = len(data) // 2
    return [
        data[:-1],
        data + b"\0",
        data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        b"x" * len(data),
    ]


def test_verify_names_every_object_that_is_missing_or_not_what_was_published() -> None:
    store = MemoryStore()
    house = Records(records=store)
    publications = house.publications()
    published = publications.publish_summary(house.publish(DAY), b"{}")
    house.publish(NEXT)
    reader = PublishedReports(store, house.reader())
    assert reader.verify() == publications.verify()
    result = reader.verify()
    assert (result.ok, result.entries, result.faults) == (True, 3, ())
    assert result.head == house.chain().head()
    assert published.summary is not None
    for key, what, sequence in [
        (published.report.key, "report", 1),
        (published.salt.key, "salt", 1),
        (published.summary.key, "summary", 2),
    ]:
        good = store.objects.pop(key)
        [fault] = reader.verify().faults
        assert (fault.date, fault.version, fault.sequence) == ("2026-01-15", 1, sequence)
        assert fault.what == f"the sealed {what} is missing from the store"
        for data in damaged(good):
            store.objects[key] = data
            result = reader.verify(DAY)
            assert not result.ok
            [fault] = result.faults
            assert f"the sealed {what}" in fault.what
            assert reader.verify(NEXT).ok
        store.objects[key] = good
    assert reader.verify().ok


def test_verify_names_a_damaged_entry_and_still_checks_the_others() -> None:
    store = MemoryStore()
    house = Records(records=store)
    for day in (DAY, NEXT):
        house.publish(day)
    del store.objects[house.publications().version(NEXT).report.key]
    entry = store.objects["chain/0000000001"]
    store.objects["chain/0000000001"] = entry.replace(b'"rows":3', b'"rows":4')
    result = PublishedReports(store, house.reader()).verify()
    assert [(f.sequence, f.date, f.version) for f in result.faults] == [
        (1, "2026-01-15", 1),
        (2, "2026-01-16", 1),
    ]
    assert result.entries == 2


def test_a_remembered_head_shows_what_was_cut_off_or_rewritten() -> None:
    store = MemoryStore()
    house = Records(records=store)
    for day in (DAY, NEXT):
        house.publish(day)
    reader = PublishedReports(store, house.reader())
    head = reader.verify().head
    assert reader.verify(expect_head=head).ok
    assert reader.verify(expect_head=Head(1, house.chain().entries()[0].sha256)).ok
    [fault] = reader.verify(expect_head=Head(2, "00" * 32)).faults
    assert "rewritten" in fault.what
    del store.objects["chain/0000000002"]
    cut = PublishedReports(store, house.reader())
    assert cut.verify().ok
    [fault] = cut.verify(expect_head=head).faults
    assert (fault.sequence, "cut off" in fault.what) == (2, True)


def test_a_report_that_an_outsider_sealed_to_the_same_keys_is_not_believed() -> None:
    store = MemoryStore()
    house = Records(records=store)
    published = house.publish(DAY)
    # The outsider knows the public keys and the context, which is not secret.
    forged = MemoryStore()
    context = published.context("report")
    with forged.writer("report") as sink, to_recipients().seal(sink, context) as plain:
        plain.write(b"forged")
    store.objects[published.report.key] = forged.objects["report"]
    with pytest.raises(Tampered, match="not the"):
        read_all(house.publications(), published, opener())
    assert not house.publications().verify().ok


def test_a_report_in_the_place_of_another_does_not_open() -> None:
    store = MemoryStore()
    house = Records(records=store)
    first, second = house.publish(DAY), house.publish(DAY, OTHER_CSV)
    other = house.publish(NEXT)
    for one in (first, second, other):
        for another in (first, second, other):
            if one is not another:
                moved = dataclasses.replace(one, report=another.report)
                with pytest.raises(Tampered):
                    read_all(house.publications(), moved, opener())


def test_a_sample_of_bit_flips_and_truncations_never_opens() -> None:
    store = MemoryStore()
    house = Records(records=store)
    published = house.publish(DAY)
    good = store.objects[published.report.key]
    altered = [
        *(good[:i] + bytes([good[i] ^ (1 << (i % 8))]) + good[i + 1 :] for i in range(0, len(good), 61)),
        *(good[:-i] for i in range(1, 200, 23)),
        good + good,
        good + b"\0",
    ]
    publications = house.publications()
    for data in altered:
        store.objects[published.report.key] = data
        with pytest.raises(Tampered):
            read_all(publications, published, opener())


def test_a_reader_who_stops_early_is_told_of_the_damage_that_follows() -> None:
    store = MemoryStore()
    house = Records(records=store)
    published = house.publish(DAY, [b"x" * (3 << 20)])
    store.objects[published.report.key] += b"\0"
    with pytest.raises(Tampered), house.publications().open_report(published, opener()) as source:
        source.read(10)
