"""Whole nights with every key in AWS KMS, asked over HTTP, and nights after which a key is another one."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import AssetCheckSeverity

from esg_assets import key_choice
from esg_assets.adapters.envelope import KmsEnvelope
from esg_assets.adapters.keys import generate
from esg_assets.core.errors import SettingsWrong
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings import KeyRef, VerifyKey
from esg_assets_tests.kms_server import KmsServer
from esg_assets_tests.pipeline.house import DAY, NEXT, House


@dataclass(frozen=True)
class Keys:
    """ARNs of the keys of a firm."""

    working: str
    signing: str
    auditor: str
    compliance: str


@pytest.fixture
def keys(kms_server: KmsServer) -> Keys:
    return Keys(
        working=kms_server.create_key(),
        signing=kms_server.create_key("ECC_NIST_EDWARDS25519"),
        auditor=kms_server.create_key(),
        compliance=kms_server.create_key(),
    )


@pytest.fixture
def kms_house(house: House, keys: Keys, tmp_path: Path) -> House:
    """A house whose keys are all in KMS; the key files that it had are gone."""
    house.settings = house.settings.model_copy(
        update={
            "working_key": KeyRef(arn=keys.working),
            "signing_key": KeyRef(arn=keys.signing),
            "report_recipients": (KeyRef(arn=keys.auditor), KeyRef(arn=keys.compliance)),
        }
    )
    for file in (tmp_path / "keys").iterdir():
        file.unlink()
    public = tmp_path / "keys" / "signing.pub.pem"
    public.write_bytes(key_choice.signer(house.settings).public_pem)
    house.settings = house.settings.model_copy(update={"verify_keys": (VerifyKey(public),)})
    return house


def opened_with(house: House, arn: str) -> bytes:
    publication = house.published()
    assert publication is not None
    opener = KmsEnvelope(key_choice.kms_key(KeyRef(arn=arn), "--key", "test"))
    with house.stores.published.open_report(publication, opener) as source:
        return source.read()


def test_a_night_with_every_key_in_kms_is_published_and_opens_with_each_recipient(
    kms_house: House, keys: Keys, kms_server: KmsServer
) -> None:
    kms_server.calls.clear()
    assert kms_house.run().success
    calls = dict(kms_server.calls)
    assert all(check.passed for check in kms_house.checks().values())
    assert kms_house.entries() == 2
    report = opened_with(kms_house, keys.auditor)
    assert report.count(b"\r\n") == 13
    assert opened_with(kms_house, keys.compliance) == report
    # Report, salt and summary to two recipients; one data key for the working data; two entries signed.
    assert calls == {"GenerateDataKey": 4, "Encrypt": 3, "GetPublicKey": 1, "Sign": 2}


def test_the_same_again_asks_for_the_data_key_once(kms_house: House, kms_server: KmsServer) -> None:
    assert kms_house.run().success
    kms_server.calls.clear()
    assert kms_house.run().success
    assert kms_house.entries() == 2
    assert kms_server.calls["Decrypt"] == 1
    assert kms_server.calls["Sign"] == 0


def test_no_decrypt_is_asked_of_a_recipients_key(kms_house: House, keys: Keys, kms_server: KmsServer) -> None:
    assert kms_house.run().success
    kms_server.admin("disable_key", KeyId=keys.auditor)
    kms_server.admin("disable_key", KeyId=keys.compliance)
    assert kms_house.run(only=["active_accounts", "esg_ratings"]).success


@pytest.mark.parametrize(
    ("which", "setting"),
    [("working", "ESG_WORKING_KEY"), ("signing", "ESG_SIGNING_KEY"), ("auditor", "ESG_REPORT_RECIPIENTS")],
)
def test_a_disabled_key_stops_the_night_and_the_next_one_makes_good(
    kms_house: House, keys: Keys, kms_server: KmsServer, which: str, setting: str
) -> None:
    kms_server.admin("disable_key", KeyId=getattr(keys, which))
    ran = kms_house.run()
    assert not ran.success
    assert setting in ran.failure
    assert "is disabled. Enable it" in ran.failure
    assert "000000000000" not in ran.failure
    assert kms_house.published() is None
    kms_server.admin("enable_key", KeyId=getattr(keys, which))
    assert kms_house.run().success
    assert kms_house.entries() == 2


def test_a_kms_that_is_throttled_is_tried_again_by_the_next_run(
    kms_house: House, kms_server: KmsServer
) -> None:
    with kms_server.refusing("ThrottlingException", "Sign"):
        ran = kms_house.run()
    assert not ran.success
    assert "too many calls at once" in ran.failure
    assert "esg/permanent" not in ran.run.tags
    assert kms_house.run().success


def test_keys_move_from_files_to_kms_and_what_the_files_sealed_still_opens(
    house: House, keys: Keys, tmp_path: Path, kms_server: KmsServer
) -> None:
    assert house.run().success
    file = house.settings.working_key
    house.settings = house.settings.model_copy(
        update={"working_key": KeyRef(arn=keys.working), "former_working_keys": (file,)}
    )
    house.overrides["settings"] = house.settings
    assert house.run().success
    assert house.entries() == 2  # the same content: what the file's key sealed was read
    assert house.run(NEXT).success
    assert len([*(tmp_path / "work" / "keys").iterdir()]) >= 1
    assert kms_server.calls["GenerateDataKey"] == 2


def test_what_a_file_sealed_is_resealed_to_kms_and_needs_the_file_no_more(
    house: House, keys: Keys, kms_server: KmsServer
) -> None:
    assert house.run().success
    file = house.settings.working_key
    moved = {"working_key": KeyRef(arn=keys.working), "former_working_keys": (file,)}
    rekeying = LifecycleStores(house.settings.model_copy(update=moved)).rekeying
    kms_server.calls.clear()
    names = rekeying.outdated(DAY)
    for name in names:
        rekeying.reseal(name)
    assert len(names) >= 4
    assert rekeying.outdated(DAY) == []
    assert kms_server.calls == {"GenerateDataKey": 1}
    house.settings = house.settings.model_copy(update={**moved, "former_working_keys": ()})
    house.overrides["settings"] = house.settings
    assert house.run().success
    assert house.entries() == 2
    assert kms_server.calls["Decrypt"] == 1


def test_a_changed_recipient_is_a_warning_once(house: House, tmp_path: Path) -> None:
    house.run()
    other = generate(tmp_path / "other", "recipient")[1]
    more = (*house.settings.report_recipients, KeyRef(path=other))
    ran = house.run(NEXT, report_recipients=more)
    assert ran.success
    check = house.checks(NEXT)["keys_unchanged"]
    assert not check.passed
    assert check.severity is AssetCheckSeverity.WARN
    recipients = house.published(NEXT)
    assert recipients is not None
    assert check.metadata["recipients_added"].value == recipients.recipients[1]
    assert check.metadata["recipients_removed"].value == ""
    assert house.checks(DAY)["keys_unchanged"].passed


def test_a_changed_signer_is_a_warning(house: House, tmp_path: Path) -> None:
    house.run()
    old = house.settings.signing_key
    assert old is not None
    assert old.path is not None
    _, signing, public = generate(tmp_path / "new", "host")
    verify = (VerifyKey(old.path.with_name("demo-signing.pub.pem")), VerifyKey(public))
    house.settings = house.settings.model_copy(update={"verify_keys": verify})
    ran = house.run(NEXT, signing_key=KeyRef(path=signing))
    assert ran.success
    check = house.checks(NEXT)["keys_unchanged"]
    assert not check.passed
    assert check.metadata["signer"].value != check.metadata["signer_before"].value


def test_a_kms_signer_without_a_public_file_is_refused_before_any_call(
    house: House, keys: Keys, kms_server: KmsServer
) -> None:
    settings = house.settings.model_copy(update={"signing_key": KeyRef(arn=keys.signing)})
    with pytest.raises(SettingsWrong, match=r"ESG_VERIFY_KEYS is not set \(ESG_SIGNING_KEY is in KMS"):
        settings.require("run")
    with pytest.raises(SettingsWrong, match="esg-assets keys public"):
        key_choice.verify_items(settings)
    assert not kms_server.calls
