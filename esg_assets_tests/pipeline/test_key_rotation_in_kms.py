"""`keys rotate` between keys in AWS KMS and key files, over HTTP: what opens after it, and what does not."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from esg_assets.adapters.keys import generate
from esg_assets.core.errors import AccessDenied, EsgError, KeysUnavailable, Tampered
from esg_assets.key_rotation import rotate
from esg_assets.lifecycle import LifecycleStores
from esg_assets.settings import KeyRef
from esg_assets_tests.fakes import FakeRatingsApi
from esg_assets_tests.kms_server import KmsServer
from esg_assets_tests.pipeline.house import DAY, NEXT, House, accounts

pytestmark = pytest.mark.usefixtures("instance_of_commands")

NewKey = Callable[[str], KeyRef]


@pytest.fixture
def new_key(kms_server: KmsServer, tmp_path: Path) -> NewKey:
    """Makes a working key: of a file, or in KMS."""

    def made(kind: str) -> KeyRef:
        if kind == "KMS":
            return KeyRef(arn=kms_server.create_key())
        return KeyRef(path=generate(tmp_path / "new", "host")[0])

    return made


def settle(house: House, **settings: object) -> None:
    """The house's settings from now on."""
    house.settings = house.settings.model_copy(update=settings)
    house.overrides["settings"] = house.settings


def two_days(house: House, key: KeyRef) -> None:
    """Two reports, worked on with that key."""
    settle(house, working_key=key)
    house.source.past = {DAY.replace(day=14): accounts(12), DAY: accounts(12)}
    assert house.run(DAY).success
    assert house.run(NEXT).success


def kept(house: House) -> dict[str, bytes]:
    """Everything in the work store."""
    work = house.home / "work"
    return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*") if path.is_file()}


def data_keys(house: House) -> dict[str, bytes]:
    return {name: data for name, data in kept(house).items() if name.startswith("keys/")}


def still_known(house: House) -> None:
    """A run of each date opens what is kept, asks nobody, and publishes nothing new."""
    house.api = FakeRatingsApi(policy=house.api.policy)
    for day in (DAY, NEXT):
        ran = house.run(day)
        assert ran.success
        assert ran.metadata("encrypted_report_csv")["published"] == "before, with the same content"
    assert house.asked == []
    assert house.entries() == 4


@pytest.mark.parametrize(("before", "after"), [("KMS", "KMS"), ("file", "KMS"), ("KMS", "file")])
def test_everything_is_sealed_with_the_new_key_and_the_old_one_opens_nothing_more(
    house: House, new_key: NewKey, kms_server: KmsServer, before: str, after: str
) -> None:
    old = new_key("KMS") if before == "KMS" else house.settings.working_key
    assert old is not None
    two_days(house, old)
    wrapped = data_keys(house)
    assert len(wrapped) == (2 if before == "KMS" else 0)
    new = new_key(after)
    settle(house, working_key=new, former_working_keys=(old,))
    kms_server.calls.clear()

    done = rotate(house.settings, house.leases)

    assert (sorted(done.resealed), sum(done.resealed.values())) == ([DAY, NEXT], done.objects)
    assert done.objects > 7
    assert done.made is (after == "file")
    # One call for each date and key, not one for each object.
    assert kms_server.calls["GenerateDataKey"] == (2 if after == "KMS" else 0)
    assert kms_server.calls["Decrypt"] == (2 if before == "KMS" else 0)
    # The old wrapped data keys are gone; each date has one of the new key, if that one is in KMS.
    assert not wrapped.keys() & data_keys(house).keys()
    assert len(data_keys(house)) == (2 if after == "KMS" else 0)
    # The old key is needed for nothing: out of the settings, and disabled.
    settle(house, former_working_keys=())
    if old.arn is not None:
        kms_server.admin("disable_key", KeyId=old.arn)
    still_known(house)
    again = rotate(house.settings, house.leases)
    assert sum(again.resealed.values()) == (again.objects if after == "file" else 0)


def test_a_copy_of_an_old_wrapped_data_key_opens_nothing_that_is_kept_now(
    house: House, new_key: NewKey
) -> None:
    old, new = new_key("KMS"), new_key("KMS")
    two_days(house, old)
    wrapped = data_keys(house)
    settle(house, working_key=new, former_working_keys=(old,))
    rotate(house.settings, house.leases)
    for name, data in wrapped.items():
        (house.home / "work" / name).write_bytes(data)
    # Somebody with that copy, the work store as it is now, and every right on the old KMS key.
    thief = LifecycleStores(house.settings.model_copy(update={"working_key": old, "former_working_keys": ()}))
    names = [name for day in (DAY, NEXT) for name in thief.kept.names(day)]
    assert len(names) > 7
    for name in names:
        with pytest.raises(Tampered, match="sealed with another key"):
            thief.kept.opened(name)
    # The next rotation removes what came back.
    assert rotate(house.settings, house.leases).resealed == {}
    assert not wrapped.keys() & data_keys(house).keys()


REFUSALS: list[tuple[str, str, type[EsgError], str]] = [
    ("Decrypt", "AccessDeniedException", AccessDenied, "ESG_FORMER_WORKING_KEYS"),
    ("GenerateDataKey", "AccessDeniedException", AccessDenied, "ESG_WORKING_KEY"),
    ("GenerateDataKey", "ThrottlingException", KeysUnavailable, "ESG_WORKING_KEY"),
]


def test_refused_by_kms_it_changes_nothing_and_the_next_one_does_it(
    house: House, new_key: NewKey, kms_server: KmsServer
) -> None:
    old, new = new_key("KMS"), new_key("KMS")
    two_days(house, old)
    before = kept(house)
    settle(house, working_key=new, former_working_keys=(old,))
    for operation, code, error, setting in REFUSALS:
        with kms_server.refusing(code, operation), pytest.raises(error, match=f"kms:{operation}") as told:
            rotate(house.settings, house.leases)
        assert f" {setting} " in str(told.value)
        assert "000000000000" not in str(told.value)
        assert kept(house) == before
    still_known(house)
    assert list(rotate(house.settings, house.leases).resealed) == [DAY, NEXT]


def test_refused_in_the_middle_both_keys_open_and_the_next_one_does_the_rest(
    house: House, new_key: NewKey, kms_server: KmsServer
) -> None:
    old, new = new_key("KMS"), new_key("KMS")
    two_days(house, old)
    settle(house, working_key=new, former_working_keys=(old,))

    def told(date: object, count: int) -> None:
        kms_server.admin("disable_key", KeyId=old.arn)

    with pytest.raises(EsgError, match="the key is disabled"):
        rotate(house.settings, house.leases, told)
    assert sorted(name.split("/")[1] for name in data_keys(house)) == [str(DAY), str(NEXT)]
    kms_server.admin("enable_key", KeyId=old.arn)
    still_known(house)
    done = rotate(house.settings, house.leases)
    assert list(done.resealed) == [NEXT]
    assert 0 < done.resealed[NEXT] < done.objects
    assert not any(name.endswith(hashlib.sha256(str(old.arn).encode()).hexdigest()) for name in kept(house))
