"""Working keys in AWS KMS: one wrapped data key for a date, asked for once, and what happens without it."""

import hashlib
import io
import threading
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import (
    KmsWorkingKey,
    WorkingEnvelope,
)
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import Refused, Tampered
from esg_assets_tests.adapters.sealed_messages import opened, sealed
from esg_assets_tests.adapters.test_kms_keys import key, part
from esg_assets_tests.kms_server import KmsServer


def working(arn: str, folder: Path) -> KmsWorkingKey:
    return KmsWorkingKey(key(arn, "ESG_WORKING_KEY"), LocalStore(folder))


def test_kms_is_asked_once_for_a_date_and_not_for_each_part(kms_server: KmsServer, tmp_path: Path) -> None:
    arn = kms_server.create_key()
    envelope = WorkingEnvelope(working(arn, tmp_path))
    messages = [sealed(envelope, b"secret %d" % number, part(number)) for number in range(50)]
    assert kms_server.calls == {"GenerateDataKey": 1}
    another_run = WorkingEnvelope(working(arn, tmp_path))
    for number, message in enumerate(messages):
        assert opened(another_run, message, part(number)) == b"secret %d" % number
    sealed(another_run, b"more", part(50))
    assert kms_server.calls == {"GenerateDataKey": 1, "Decrypt": 1}
    assert list(LocalStore(tmp_path).keys("keys/")) == [
        f"keys/2026-01-15/{hashlib.sha256(arn.encode()).hexdigest()}"
    ]
    sealed(another_run, b"next day", part(1, "2026-01-16"))
    assert kms_server.calls == {"GenerateDataKey": 2, "Decrypt": 1}


def test_threads_that_seal_at_once_ask_once(kms_server: KmsServer, tmp_path: Path) -> None:
    envelope = WorkingEnvelope(working(kms_server.create_key(), tmp_path))
    messages: dict[int, bytes] = {}

    def seal(number: int) -> None:
        messages[number] = sealed(envelope, b"%d" % number, part(number))

    threads = [threading.Thread(target=seal, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(opened(envelope, messages[number], part(number)) == b"%d" % number for number in range(8))
    assert kms_server.calls == {"GenerateDataKey": 1}


def test_two_processes_that_begin_a_date_together_share_one_data_key(
    kms_server: KmsServer, tmp_path: Path
) -> None:
    class Late(LocalStore):
        """Shows nothing of `keys/` at first: as if both had looked before either wrote."""

        looked = False

        def read(self, name: str) -> bytes:
            if name.startswith("keys/") and not self.looked:
                self.looked = True
                return LocalStore(tmp_path / "nothing").read(name)
            return super().read(name)

    arn = kms_server.create_key()
    first = WorkingEnvelope(working(arn, tmp_path / "work"))
    message = sealed(first, b"first", part(1))
    second = WorkingEnvelope(KmsWorkingKey(key(arn), Late(tmp_path / "work")))
    assert opened(first, sealed(second, b"second", part(2)), part(2)) == b"second"
    assert opened(second, message, part(1)) == b"first"


def test_a_date_without_its_data_key_opens_no_more(kms_server: KmsServer, tmp_path: Path) -> None:
    arn = kms_server.create_key()
    message = sealed(WorkingEnvelope(working(arn, tmp_path)), b"secret", part(1))
    for name in [*LocalStore(tmp_path).keys("keys/")]:
        LocalStore(tmp_path).delete(name)
    with pytest.raises(Tampered, match="data key is gone"):
        opened(WorkingEnvelope(working(arn, tmp_path)), message, part(1))
    assert kms_server.calls["Decrypt"] == 0


@pytest.mark.parametrize("changed", ["environment", "store", "partition"])
def test_a_data_key_of_another_place_opens_nothing(
    kms_server: KmsServer, tmp_path: Path, changed: str
) -> None:
    arn = kms_server.create_key()
    sealed(WorkingEnvelope(working(arn, tmp_path)), b"secret", part(1))
    (name,) = LocalStore(tmp_path).keys("keys/")
    other = {**part(1), changed: "2026-02-02" if changed == "partition" else "other"}
    LocalStore(tmp_path / "moved").create(
        name.replace("2026-01-15", other["partition"]), LocalStore(tmp_path).read(name)
    )
    with pytest.raises(Tampered):
        sealed(WorkingEnvelope(working(arn, tmp_path / "moved")), b"secret", other)


def test_a_new_kms_key_is_current_and_the_former_one_opens(kms_server: KmsServer, tmp_path: Path) -> None:
    old, new = kms_server.create_key(), kms_server.create_key()
    of_the_file, of_the_old = b"f" * 32, WorkingEnvelope(working(old, tmp_path))
    by_file, by_old = sealed(WorkingEnvelope(of_the_file), b"1", part(1)), sealed(of_the_old, b"2", part(2))
    envelope = WorkingEnvelope(working(new, tmp_path), [working(old, tmp_path), of_the_file])
    assert [opened(envelope, by_file, part(1)), opened(envelope, by_old, part(2))] == [b"1", b"2"]
    assert envelope.sealed_with(io.BytesIO(by_old)) == of_the_old.name
    assert envelope.sealed_with(io.BytesIO(sealed(envelope, b"3", part(3)))) == envelope.name
    with pytest.raises(Tampered, match="ESG_FORMER_WORKING_KEYS"):
        opened(WorkingEnvelope(working(new, tmp_path)), by_old, part(2))


def test_a_working_key_that_is_disabled_is_told_and_nothing_is_written(
    kms_server: KmsServer, tmp_path: Path
) -> None:
    arn = kms_server.create_key()
    kms_server.admin("disable_key", KeyId=arn)
    with pytest.raises(Refused, match=r"ESG_WORKING_KEY.*disabled"):
        sealed(WorkingEnvelope(working(arn, tmp_path)), b"secret", part(1))
    assert [*LocalStore(tmp_path).keys("")] == []
