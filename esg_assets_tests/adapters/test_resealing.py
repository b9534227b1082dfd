"""A custodian re-encrypts for new recipients: everything of a version, proved, and nothing else signed."""

import datetime as dt
from pathlib import Path

import pytest

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.envelope import RecipientEnvelope
from esg_assets.adapters.keys.keyring import PublicKeyring, VerifyKey
from esg_assets.adapters.publications import Expiry, PublishedReports, Resealing
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused, SettingsWrong, Tampered
from esg_assets.core.key_rules import Standing
from esg_assets.core.publication import Publication
from esg_assets_tests.adapters.lifecycle_material import archive_of, window
from esg_assets_tests.adapters.records_material import (
    CSV,
    OTHER_CSV,
    TEXT,
    WHEN,
    BreakingStore,
    Killed,
    Records,
    opener,
    read_all,
    recipient,
    records_in,
    signer,
    signing_key,
)
from esg_assets_tests.adapters.work_material import DAY, NEXT

LATER = WHEN + dt.timedelta(days=60)
CUSTODIAN = 7
WHO = {"requested_by": "custodian", "reason": "a recipient left"}


def keyring() -> PublicKeyring:
    """The host's key for everything, the custodian's for reseals."""
    custodian = VerifyKey(signing_key(CUSTODIAN).public_key(), standing=Standing.CUSTODIAN)
    return PublicKeyring([VerifyKey(signing_key().public_key()), custodian])


def custodians_chain(house: Records) -> ChainLog:
    return ChainLog(house.records, signer(CUSTODIAN), keyring(), "test")


def new_recipients() -> RecipientEnvelope:
    return RecipientEnvelope([recipient(2)[0], recipient(3)[0]])


def resealing(house: Records) -> Resealing:
    return Resealing(house.records, custodians_chain(house), new_recipients(), now=lambda: LATER)


def reports(house: Records) -> PublishedReports:
    return PublishedReports(house.records, ChainLog(house.records, None, keyring(), "test"))


def archived_version(house: Records) -> Publication:
    """A published version with a summary and an archive."""
    published = house.publish(DAY)
    house.publications().publish_summary(published, b'{"a":1}')
    window(house).close(DAY)
    return house.publications().version(DAY)


def test_new_recipients_open_everything_and_the_one_who_left_opens_nothing_new(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    before = archived_version(house)
    after = resealing(house).reseal(before, opener(1), **WHO)
    found = reports(house).version(DAY)
    assert found == after
    assert after.recipients == new_recipients().recipients
    assert len({each.key for each in (*before.objects, *after.objects)}) == 8
    for number in (2, 3):
        assert read_all(reports(house), after, opener(number)) == TEXT
        assert reports(house).open_salt(after, opener(number)) == reports(house).open_salt(before, opener(1))
        with reports(house).open_summary(after, opener(number)) as source:
            assert source.read() == b'{"a":1}'
    with pytest.raises(Tampered):
        read_all(reports(house), after, opener(1))
    judged = reports(house).verify()
    assert judged.ok, judged.faults
    assert (after.version, after.commitment, after.counts) == (1, before.commitment, before.counts)
    (entry,) = [each for each in custodians_chain(house).entries() if each.kind is Kind.RESEAL]
    assert (entry.body["requested_by"], entry.key_name) == ("custodian", signer(CUSTODIAN).name)


def test_the_archive_is_resealed_with_the_report(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    before = archived_version(house)
    plain = archive_of(house, before, opener(1))
    resealing(house).reseal(before, opener(1), **WHO)
    house.chain = lambda: custodians_chain(house)  # type: ignore[method-assign]  # knows the custodian's key
    house.reader = house.chain  # type: ignore[method-assign]
    assert archive_of(house, before, opener(3)) == plain
    with pytest.raises(Tampered):
        archive_of(house, before, opener(1))


def test_resealing_again_changes_nothing(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    after = resealing(house).reseal(house.publish(DAY), opener(1), **WHO)
    names = house.record_names()
    assert resealing(house).reseal(after, opener(2), **WHO) == after
    assert house.record_names() == names


def test_who_holds_no_recipients_key_cannot_reseal_and_leaves_nothing(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    published = house.publish(DAY)
    names = house.record_names()
    with pytest.raises(Tampered):
        resealing(house).reseal(published, opener(3), **WHO)
    assert house.record_names() == names


def test_a_custodians_key_signs_nothing_but_reseals(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    expiry = Expiry(house.records, custodians_chain(house), retention_years=6, now=lambda: LATER)
    with pytest.raises(SettingsWrong, match="may sign reseal entries alone"):
        expiry.hold(DAY, requested_by="custodian", reason="no")


def test_every_version_of_a_date_can_be_resealed(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    house.publish(DAY)
    house.publish(DAY, OTHER_CSV, reason="corrected")
    house.publish(NEXT)
    custody = resealing(house)
    for each in custody.versions(DAY):
        custody.reseal(each, opener(1), **WHO)
    assert [read_all(reports(house), each, opener(3)) for each in custody.versions(DAY)] == [
        TEXT,
        b"".join(OTHER_CSV),
    ]
    assert [each.version for each in custody.versions(DAY, 1)] == [1]
    assert reports(house).version(NEXT).recipients != new_recipients().recipients
    with pytest.raises(KeyMissing):
        custody.versions(NEXT + dt.timedelta(days=1))


def test_superseded_objects_go_once_the_new_ones_are_proved(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    before = archived_version(house)
    after = resealing(house).reseal(before, opener(1), **WHO)
    chain = ChainLog(house.records, signer(), keyring(), "test")
    expiry = Expiry(house.records, chain, retention_years=6, now=lambda: LATER)
    who = {"requested_by": "records officer", "reason": "recipient 1 lost the key"}
    with pytest.raises(Tampered, match="not in the keyring"):  # the host must know that key too
        house.publish(NEXT)
    with pytest.raises(Tampered):  # the key that left proves nothing
        expiry.expire_superseded(DAY, opener(1), **who)
    assert house.records.read(before.report.key)
    removed = expiry.expire_superseded(DAY, opener(3), **who)
    assert (removed.versions, removed.objects) == ((1,), 4)
    assert not {each.key for each in before.objects} & set(house.record_names())
    assert {each.key for each in after.objects} <= set(house.record_names())
    judged = reports(house).verify()
    assert judged.ok, judged.faults
    assert read_all(reports(house), reports(house).version(DAY), opener(3)) == TEXT
    again = expiry.expire_superseded(DAY, opener(3), **who)
    assert (again.versions, again.objects) == ((), 0)


def test_a_crash_at_any_step_of_a_reseal_leaves_the_old_or_the_new() -> None:
    met = set()
    for step in range(1, 1_000):
        house = Records()
        published = house.publish(DAY, CSV)
        store = BreakingStore(house.records)
        store.die_at = step  # before it takes effect: that is after the step before it did
        try:
            resealing(Records(store, house.work)).reseal(published, opener(1), **WHO)
        except Killed:
            pass
        else:
            break
        found = reports(house).version(DAY)
        fresh = found.recipients == new_recipients().recipients
        met.add(fresh)
        assert read_all(reports(house), found, opener(3 if fresh else 1)) == TEXT, step
        assert reports(house).verify().ok, step
        again = resealing(house).reseal(found, opener(2), **WHO)
        assert read_all(reports(house), again, opener(3)) == TEXT
        assert len(custodians_chain(house).entries()) == 2
    assert step > 12
    assert met == {False, True}


def test_two_custodians_at_once_enter_one_reseal(tmp_path: Path) -> None:
    house = records_in(tmp_path)
    published = house.publish(DAY)
    resealing(house).reseal(published, opener(1), **WHO)
    # The second one had opened what stood before.
    with pytest.raises(Refused, match="meanwhile"):
        resealing(house).reseal(published, opener(1), **WHO)
