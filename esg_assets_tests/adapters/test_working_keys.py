"""Several working keys: the current one seals, former ones still open, and each message names its own."""

import io
import stat
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import RecipientEnvelope, WorkingEnvelope, working_key_name
from esg_assets.adapters.keys.generation import generate
from esg_assets.adapters.keys.loading import load_working_key
from esg_assets.adapters.keys.working_keys import former_key_files, replace_working_key
from esg_assets.core.errors import SettingsWrong, StoreUnavailable, Tampered
from esg_assets_tests.adapters.sealed_messages import CONTEXT, opened, recipient, sealed

OLD, MIDDLE, NEW = b"o" * 32, b"m" * 32, b"n" * 32


def test_what_an_older_key_sealed_opens_beside_the_new_one() -> None:
    envelope = WorkingEnvelope(NEW, [MIDDLE, OLD])
    for key in (OLD, MIDDLE, NEW):
        assert opened(envelope, sealed(WorkingEnvelope(key), b"secret")) == b"secret"


def test_the_current_key_alone_seals() -> None:
    message = sealed(WorkingEnvelope(NEW, [OLD]), b"secret")
    assert opened(WorkingEnvelope(NEW), message) == b"secret"
    with pytest.raises(Tampered, match="ESG_FORMER_WORKING_KEYS"):
        opened(WorkingEnvelope(OLD), message)


def test_a_message_says_which_key_sealed_it() -> None:
    envelope = WorkingEnvelope(NEW, [OLD])
    assert envelope.name == working_key_name(NEW)
    assert envelope.names == {working_key_name(OLD), working_key_name(NEW)}
    assert envelope.sealed_with(io.BytesIO(sealed(WorkingEnvelope(OLD), b"secret"))) == working_key_name(OLD)
    assert envelope.sealed_with(io.BytesIO(sealed(envelope, b"secret"))) == envelope.name


def test_a_former_key_that_is_the_current_one_again_is_no_fault() -> None:
    envelope = WorkingEnvelope(NEW, [OLD, NEW])
    assert envelope.sealed_with(io.BytesIO(sealed(envelope, b"secret"))) == envelope.name


@pytest.mark.parametrize("message", [b"", b"\2", b"garbage of some length", bytes(300)])
def test_what_is_no_message_was_sealed_with_no_key(message: bytes) -> None:
    with pytest.raises(Tampered):
        WorkingEnvelope(NEW).sealed_with(io.BytesIO(message))


def test_a_message_to_recipients_is_no_working_data() -> None:
    with pytest.raises(Tampered):
        opened(WorkingEnvelope(NEW), sealed(RecipientEnvelope([recipient()[0]]), b"secret"))


def test_the_name_of_a_key_does_not_replace_the_key() -> None:
    message = bytearray(sealed(WorkingEnvelope(OLD), b"secret"))
    place = message.index(working_key_name(OLD).encode())
    message[place : place + 32] = working_key_name(NEW).encode()
    with pytest.raises(Tampered):
        opened(WorkingEnvelope(NEW, [OLD]), bytes(message))


class Failing:
    """A stream that fails after `fails_after` bytes."""

    def __init__(self, data: bytes, fails_after: int) -> None:
        self._data = io.BytesIO(data)
        self._fails_after = fails_after

    def read(self, size: int = -1, /) -> bytes:
        if self._data.tell() >= self._fails_after:
            raise StoreUnavailable("the store went away")
        return self._data.read(size)


def test_a_store_that_fails_within_the_header_is_no_tampering() -> None:
    message = sealed(WorkingEnvelope(NEW), b"secret")
    with (
        pytest.raises(StoreUnavailable, match="went away"),
        WorkingEnvelope(NEW).open(Failing(message, fails_after=40), CONTEXT),
    ):
        pass


def test_large_data_opens_in_pieces_of_any_size() -> None:
    plaintext = bytes(range(256)) * 9000
    envelope = WorkingEnvelope(NEW, [OLD])
    with envelope.open(io.BytesIO(sealed(envelope, plaintext)), CONTEXT) as source:
        pieces = list(iter(lambda: source.read(100_003), b""))
    assert b"".join(pieces) == plaintext


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return generate(tmp_path / "keys", "host")[0]


def test_a_replaced_key_stays_beside_the_new_one(key_file: Path) -> None:
    keys = [key_file.read_bytes()]
    for number in (1, 2, 3):
        assert replace_working_key(key_file) == key_file.with_name(f"working.key.{number}")
        keys.append(load_working_key(key_file))
    assert [load_working_key(path) for path in former_key_files(key_file)] == keys[:-1]
    assert len(set(keys)) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in key_file.parent.glob("working.key*")} == {0o600}
    assert not list(key_file.parent.glob(".*"))


def test_former_keys_are_in_the_order_in_which_they_were_in_use(key_file: Path) -> None:
    for number in (10, 9, 1):
        (key_file.parent / f"working.key.{number}").write_bytes(b"x" * 32)
    for stranger in ("working.key.0", "working.key.old", "working.key.1.tmp", "demo-working.key.4"):
        (key_file.parent / stranger).write_bytes(b"x" * 32)
    assert [path.name for path in former_key_files(key_file)] == [f"working.key.{n}" for n in (1, 9, 10)]


def test_a_rotation_that_was_killed_half_way_is_taken_up(key_file: Path) -> None:
    (key_file.parent / "working.key.1").write_bytes(key_file.read_bytes())
    (key_file.parent / "working.key.1").chmod(0o600)
    assert replace_working_key(key_file).name == "working.key.1"
    assert [path.name for path in former_key_files(key_file)] == ["working.key.1"]
    assert key_file.read_bytes() != (key_file.parent / "working.key.1").read_bytes()


def test_a_key_that_others_may_read_is_not_replaced(key_file: Path) -> None:
    key_file.chmod(0o644)
    with pytest.raises(SettingsWrong, match="chmod 600"):
        replace_working_key(key_file)
    assert former_key_files(key_file) == []
