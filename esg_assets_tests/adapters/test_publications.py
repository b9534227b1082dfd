"""Publishing: the entry is the publication, the same content publishes nothing, a crash leaves no half."""

import dataclasses
import datetime as dt
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope
from esg_assets.adapters.publications import Publications, PublishedReports
from esg_assets.adapters.stores import open_store
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core import publishing
from esg_assets.core.errors import (
    KeyMissing,
    ReasonWanted,
    Refused,
    ReportBlocked,
    StoreUnavailable,
    Tampered,
)
from esg_assets.core.examination import Head
from esg_assets.core.ratings import Status
from esg_assets_tests.adapters.records_material import (
    COUNTS,
    CSV,
    OTHER_CSV,
    WHEN,
    BreakingStore,
    Killed,
    Records,
    opener,
    read_all,
    recipient,
    to_recipients,
)
from esg_assets_tests.adapters.work_material import DAY
from esg_assets_tests.fakes import MemoryStore
from esg_assets_tests.servers import S3Server

NEXT = DAY + dt.timedelta(days=1)
TEXT = b"".join(CSV)


@pytest.fixture(params=["memory", "local"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    if request.param == "memory":
        return Records()
    return Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))


def as_port(house: Records) -> publishing.Publications:
    """The adapter as the port that it implements: mypy holds it."""
    return house.publications()


def names(house: Records) -> list[str]:
    return [key for key in house.records.keys("") if key != "store_id"]


def test_a_published_report_is_opened_by_each_recipient_and_by_nobody_else(house: Records) -> None:
    published = house.publish(DAY)
    reports = PublishedReports(house.records, house.reader())
    for number in (1, 2):
        assert read_all(reports, published, opener(number)) == TEXT
    with pytest.raises(Tampered):
        read_all(reports, published, PrivateKeyEnvelope(recipient(3)[1]))
    with pytest.raises(Refused):
        read_all(reports, published, to_recipients())


def test_the_entry_says_what_was_published(house: Records) -> None:
    published = house.publish(DAY, reason="first", run_id="a3f7")
    snapshot = house.snapshot(DAY)
    assert published == house.publications().latest(DAY)
    assert (published.date, published.version, published.sequence, published.rows) == (DAY, 1, 1, 3)
    assert published.counts == {Status.SUCCESS: 2, Status.NOT_RATED: 0, Status.FAILED: 1}
    assert published.recipients == to_recipients().recipients
    assert (published.run_id, published.requested_by, published.reason) == ("a3f7", "somebody", "first")
    assert (published.as_of, published.accounts_as_of) == (snapshot.as_of, snapshot.accounts_as_of)
    assert (published.snapshot_commitment, published.snapshot_generation) == (snapshot.commitment, 1)
    assert list(published.parts) == house.parts().refs(snapshot)
    assert published.recorded_at == WHEN
    body = house.chain().entries()[0].body
    assert body["snapshot"]["sha256"] == house.snapshots().ref(snapshot).sha256
    told = published.as_published()
    assert (told.head_sha256, told.accounts) == (house.chain().head().sha256, 3)
    stored = house.records.read(published.report.key)
    assert (len(stored), hashlib.sha256(stored).hexdigest()) == (
        published.report.bytes,
        published.report.sha256,
    )


def test_the_store_holds_the_report_its_salt_and_the_entry_and_nothing_in_the_clear() -> None:
    store = MemoryStore()
    house = Records(records=store)
    published = house.publish(DAY)
    assert sorted(store.objects) == sorted(
        [published.report.key, published.salt.key, "chain/0000000001", "store_id"]
    )
    assert published.report.key.startswith("reports/2026-01-15/")
    plain_digest = hashlib.sha256(TEXT).hexdigest().encode()
    for data in [*store.objects.values(), *house.work.objects.values()]:  # type: ignore[attr-defined]  # a MemoryStore
        for secret in (b"ACC-", b"61.20", plain_digest):
            assert secret not in data


def test_a_recipient_can_check_what_was_committed_to(house: Records) -> None:
    published = house.publish(DAY)
    salt = PublishedReports(house.records, house.reader()).open_salt(published, opener())
    assert hmac.new(salt, TEXT, hashlib.sha256).hexdigest() == published.commitment


def test_the_same_content_publishes_nothing_new(house: Records) -> None:
    first = house.publish(DAY)
    before = names(house)
    publications = house.publications()
    # However the content is cut into chunks.
    draft = publications.draft(house.snapshot(DAY), [TEXT[:7], TEXT[7:]])
    assert draft.unchanged == first
    assert house.finish(publications, draft, house.snapshot(DAY)) == first
    assert names(house) == before


def test_other_content_is_the_next_version_and_both_stay_readable(house: Records) -> None:
    first = house.publish(DAY)
    second = house.publish(DAY, OTHER_CSV, reason="the provider corrected a score")
    assert (second.version, second.sequence) == (2, 2)
    publications = house.publications()
    assert [each.version for each in publications.list()] == [1, 2]
    assert publications.latest(DAY) == second
    assert publications.version(DAY, 1) == first
    assert read_all(publications, first, opener()) == TEXT
    assert read_all(publications, second, opener()) == b"".join(OTHER_CSV)
    # What was published first is other content now, and a version of its own again.
    assert house.publish(DAY, CSV).version == 3
    assert publications.verify().ok


def test_every_date_has_versions_of_its_own(house: Records) -> None:
    assert [house.publish(day).version for day in (DAY, NEXT)] == [1, 1]
    assert house.publications().latest(NEXT + dt.timedelta(days=1)) is None
    with pytest.raises(KeyMissing, match="no version 2 of the report"):
        house.publications().version(DAY, 2)
    with pytest.raises(KeyMissing, match="no report"):
        house.publications().version(NEXT + dt.timedelta(days=1))


def test_after_the_working_window_a_published_date_wants_a_reason(house: Records) -> None:
    house.publish(DAY)
    for key in list(house.work.keys("handles/")):
        house.work.delete(key)
    before = names(house)
    for reason in ("", "  "):
        with pytest.raises(ReasonWanted, match=r"version 1 is published .* Give --reason"):
            house.publications().draft(house.snapshot(DAY), CSV, reason=reason)
    assert names(house) == before
    assert house.publish(DAY, CSV, reason="asked for by compliance").version == 2
    assert house.publish(DAY, CSV).version == 2


def test_a_draft_is_read_back_from_the_store_as_it_is_there() -> None:
    store = MemoryStore()
    house = Records(records=store)
    publications = house.publications()
    draft = publications.draft(house.snapshot(DAY), CSV)
    read = publications.reads_back(draft, [TEXT])
    assert (read.equal, read.plain_bytes, read.expected_bytes) == (True, len(TEXT), len(TEXT))
    assert (read.sealed_bytes, read.what) == (draft.report.bytes, "")
    other = publications.reads_back(draft, OTHER_CSV)
    assert not other.equal
    assert "are not the" in publications.reads_back(draft, [*CSV, b"x"]).what
    good = store.objects[draft.report.key]
    for damaged in (good[:-1], good + b"\0", bytes([good[0] ^ 1]) + good[1:], b""):
        store.objects[draft.report.key] = damaged
        assert not publications.reads_back(draft, CSV).equal
    del store.objects[draft.report.key]
    assert not publications.reads_back(draft, CSV).equal


def test_only_the_draft_that_sealed_it_reads_it_back() -> None:
    house = Records()
    publications = house.publications()
    one, other = (publications.draft(house.snapshot(DAY), CSV) for _ in range(2))
    mixed = dataclasses.replace(one, opener=other.opener)
    assert not publications.reads_back(mixed, CSV).equal
    for secret in (one.salt.hex(), one.plaintext_sha256):
        assert secret not in repr(one)


def test_counts_that_are_not_one_for_each_account_publish_nothing(house: Records) -> None:
    publications = house.publications()
    draft = publications.draft(house.snapshot(DAY), CSV)
    with pytest.raises(ReportBlocked, match="2 outcomes for 3 accounts"):
        publications.publish(draft, {Status.SUCCESS: 2}, [], run_id="run")
    assert publications.latest(DAY) is None


def test_a_draft_is_published_once_however_often_it_is_asked(house: Records) -> None:
    publications = house.publications()
    snapshot = house.snapshot(DAY)
    draft = publications.draft(snapshot, CSV)
    first = house.finish(publications, draft, snapshot)
    assert house.finish(house.publications(), draft, snapshot) == first
    assert len(house.chain().entries()) == 1


def test_a_draft_that_another_run_overtook_is_refused_and_the_next_try_sees_it(house: Records) -> None:
    snapshot, slow = house.snapshot(DAY), house.publications()
    draft = slow.draft(snapshot, CSV)
    house.publish(DAY, OTHER_CSV)
    with pytest.raises(Refused, match="another run published version 1 meanwhile"):
        house.finish(slow, draft, snapshot)
    assert [each.version for each in house.publications().list()] == [1]
    assert house.publish(DAY, CSV).version == 2


def test_two_runs_of_one_date_at_once_publish_one_version(tmp_path: Path) -> None:
    house = Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))
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


def test_a_report_whose_making_fails_leaves_nothing(house: Records) -> None:
    publications = house.publications()
    with pytest.raises(StoreUnavailable):
        publications.draft(house.snapshot(DAY), failing_chunks())
    assert names(house) == []


def test_a_large_report_passes_through_in_chunks(house: Records) -> None:
    lines = [f"ACC-{i:07d},{i % 100}.25\r\n".encode() * 500 for i in range(500)]
    published = house.publish(DAY, lines)
    assert published.report.bytes > 4 << 20
    assert read_all(house.publications(), published, opener()) == b"".join(lines)


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


def test_a_summary_is_opened_by_the_recipients(house: Records) -> None:
    publications = house.publications()
    published = house.publish(DAY)
    with pytest.raises(KeyMissing, match="none is published"), publications.open_summary(published, opener()):
        pass
    told = publications.publish_summary(published, [b'{"a"', b":1}"])
    assert told.summary is not None
    assert dataclasses.replace(told, summary=None) == published
    with publications.open_summary(told, opener(2)) as source:
        assert source.read() == b'{"a":1}'
    with pytest.raises(Tampered), publications.open_summary(told, PrivateKeyEnvelope(recipient(3)[1])):
        pass
    assert publications.latest(DAY) == told


def test_the_same_summary_again_changes_nothing_and_another_one_counts(house: Records) -> None:
    publications = house.publications()
    first = publications.publish_summary(house.publish(DAY), b'{"a":1}')
    before = names(house)
    assert house.publications().publish_summary(first, b'{"a":1}') == first
    assert names(house) == before
    second = publications.publish_summary(first, b'{"a":2}')
    assert second.summary != first.summary
    assert publications.latest(DAY) == second
    assert publications.verify().ok


def test_a_summary_belongs_to_its_version(house: Records) -> None:
    publications = house.publications()
    first = publications.publish_summary(house.publish(DAY), b'{"a":1}')
    second = publications.publish_summary(house.publish(DAY, OTHER_CSV), b'{"a":1}')
    swapped = dataclasses.replace(second, summary=first.summary)
    with pytest.raises(Tampered), publications.open_summary(swapped, opener()) as source:
        source.read()
    assert publications.version(DAY, 1) == first


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


def test_who_may_open_is_as_at_the_time_of_sealing(house: Records) -> None:
    only_third = RecipientEnvelope([recipient(3)[0]])
    publications = house.publications(envelope=only_third)
    snapshot = house.snapshot(DAY)
    published = house.finish(publications, publications.draft(snapshot, CSV), snapshot)
    assert published.recipients == (recipient(3)[0].fingerprint,)
    assert read_all(publications, published, PrivateKeyEnvelope(recipient(3)[1])) == TEXT
    with pytest.raises(Tampered):
        read_all(publications, published, opener())
    # Other recipients alone are no other content: a reseal gives them access.
    assert house.publish(DAY) == published


def test_constructing_touches_nothing(tmp_path: Path) -> None:
    house = Records(LocalStore(tmp_path / "store"), LocalStore(tmp_path / "work"))
    assert isinstance(as_port(house), Publications)
    assert list(tmp_path.iterdir()) == []


def test_counts_need_not_name_what_did_not_occur(house: Records) -> None:
    publications = house.publications()
    draft = publications.draft(house.snapshot(DAY), CSV)
    published = publications.publish(draft, {Status.NOT_RATED: 3}, [], run_id="run")
    assert published.counts == {Status.SUCCESS: 0, Status.NOT_RATED: 3, Status.FAILED: 0}
    assert sum(COUNTS.values()) == published.rows


def test_the_same_goes_over_a_real_s3_server(s3_server: S3Server) -> None:
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"
    house = Records(*(open_store(f"{url}/{name}", s3_server.environment) for name in ("store", "work")))
    first = house.publish(DAY)
    assert house.publish(DAY) == first
    second = house.publications().publish_summary(house.publish(DAY, OTHER_CSV), b"{}")
    assert [each.version for each in house.publications().list()] == [1, 2]
    assert read_all(house.publications(), second, opener(2)) == b"".join(OTHER_CSV)
    assert house.publications().verify(expect_head=house.chain().head()).ok
    # Two reports, two salts, a summary: the one that was the same left nothing.
    assert len([name for name in names(house) if not name.startswith("chain/")]) == 5
