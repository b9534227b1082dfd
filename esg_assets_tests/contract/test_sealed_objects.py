"""Store and envelope together, as the nightly job uses them."""

import secrets
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.stores import open_store
from esg_assets.core.errors import Tampered
from esg_assets.core.ports import ObjectStore

CONTEXT = {"kind": "ratings", "partition": "2026-01-15"}
MIB = 1 << 20


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return open_store(str(tmp_path / "store"))
    server = request.getfixturevalue("s3_server")
    return open_store(f"s3://{server.bucket}/{secrets.token_hex(6)}", server.environment)


def test_what_is_sealed_into_a_store_opens_out_of_it(store: ObjectStore) -> None:
    envelope, plaintext = WorkingEnvelope(secrets.token_bytes(32)), secrets.token_bytes(11 * MIB)
    with store.writer("parts/one") as sealed, envelope.seal(sealed, CONTEXT) as sink:
        for start in range(0, len(plaintext), 300_000):
            sink.write(plaintext[start : start + 300_000])
    with store.open("parts/one") as sealed_again, envelope.open(sealed_again, CONTEXT) as source:
        assert b"".join(iter(lambda: source.read(65_536), b"")) == plaintext


def test_an_exception_while_sealing_publishes_nothing(store: ObjectStore) -> None:
    envelope = WorkingEnvelope(secrets.token_bytes(32))

    def fail() -> None:
        with store.writer("parts/one") as sealed, envelope.seal(sealed, CONTEXT) as sink:
            sink.write(bytes(2 * MIB))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(store.keys("")) == []


def test_an_object_under_another_name_than_its_own_does_not_open(store: ObjectStore) -> None:
    envelope = WorkingEnvelope(secrets.token_bytes(32))
    for part in ("1", "2"):
        with (
            store.writer(f"parts/{part}") as sealed,
            envelope.seal(sealed, {**CONTEXT, "part": part}) as sink,
        ):
            sink.write(b"outcomes")
    with (
        pytest.raises(Tampered),
        store.open("parts/2") as swapped,
        envelope.open(swapped, {**CONTEXT, "part": "1"}),
    ):
        pass
