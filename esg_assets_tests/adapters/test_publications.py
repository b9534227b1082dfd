"""Publishing: the entry is the publication, the same content publishes nothing, a crash leaves no half."""

import dataclasses
import datetime as dt
import hashlib
import hmac
import secrets
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import PrivateKeyEnvelope, RecipientEnvelope
from esg_assets.adapters.publications import Publications, PublishedReports
from esg_assets.adapters.stores import open_store
from esg_assets.core import publishing
from esg_assets.core.errors import (
    KeyMissing,
    ReasonWanted,
    Refused,
    ReportBlocked,
    Tampered,
)
from esg_assets.core.ratings import Status
from esg_assets_tests.adapters.records_material import (
    COUNTS,
    CSV,
    OTHER_CSV,
    TEXT,
    WHEN,
    Records,
    opener,
    read_all,
    recipient,
    records_in,
    to_recipients,
)
from esg_assets_tests.adapters.work_material import DAY, NEXT
from esg_assets_tests.fakes import MemoryStore
from esg_assets_tests.servers import S3Server


@pytest.fixture(params=["memory", "local"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    return Records() if request.param == "memory" else records_in(tmp_path)


def as_port(house: Records) -> publishing.Publications:
    """The adapter as the port that it implements: mypy holds it."""
    return house.publications()


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
    before = house.record_names()
    publications = house.publications()
    # However the content is cut into chunks.
    draft = publications.draft(house.snapshot(DAY), [TEXT[:7], TEXT[7:]])
    assert draft.unchanged == first
    assert house.finish(publications, draft, house.snapshot(DAY)) == first
    assert house.record_names() == before


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
    before = house.record_names()
    for reason in ("", "  "):
        with pytest.raises(ReasonWanted, match=r"version 1 is published .* Give --reason"):
            house.publications().draft(house.snapshot(DAY), CSV, reason=reason)
    assert house.record_names() == before
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


def test_a_correction_that_nothing_explains_is_not_published(house: Records) -> None:
    house.publish(DAY)
    publications = house.publications()
    of = house.snapshot(DAY)
    draft = publications.draft(of, OTHER_CSV)
    for reason in ("", "  "):
        with pytest.raises(ReasonWanted, match="version 2 is a correction and has no reason"):
            publications.publish(draft, COUNTS, [], run_id="run", reason=reason)
    assert [each.version for each in publications.list()] == [1]


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


def test_a_large_report_passes_through_in_chunks(house: Records) -> None:
    lines = [f"ACC-{i:07d},{i % 100}.25\r\n".encode() * 500 for i in range(500)]
    published = house.publish(DAY, lines)
    assert published.report.bytes > 4 << 20
    assert read_all(house.publications(), published, opener()) == b"".join(lines)


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
    house = records_in(tmp_path)
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
    assert len([name for name in house.record_names() if not name.startswith("chain/")]) == 5
