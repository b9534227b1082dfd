"""Uploads through connections that break: they succeed by repeating, and nothing is doubled or cut off."""

import hashlib
import random
import secrets

import pytest

from esg_assets.adapters.stores import google_uploads, open_store
from esg_assets.adapters.stores.tended_s3 import TendedS3
from esg_assets.core.errors import KeyExists, StoreUnavailable
from esg_assets.core.ports import ObjectStore
from esg_assets_tests.broken_connections import CuttingProxy, ResumingFront
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.servers import S3Server

MIB = 1 << 20
DATA = random.Random(2026).randbytes(20 * MIB)


def _port(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


def _streamed(store: ObjectStore, key: str, data: bytes = DATA) -> None:
    with store.writer(key) as sink:
        for start in range(0, len(data), MIB + 3):
            sink.write(data[start : start + MIB + 3])


def _whole(store: ObjectStore, key: str, data: bytes = DATA) -> bool:
    return hashlib.sha256(store.read(key)).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    ("cut_at", "lost"),
    [
        ([3 * MIB], []),
        ([3 * MIB, 9 * MIB, 20 * MIB], []),
        ([], [b"uploads"]),
        ([], [b"partNumber=2"]),
        ([], [b"<CompleteMultipartUpload"]),
        ([5 * MIB], [b"partNumber=3", b"<CompleteMultipartUpload"]),
    ],
)
def test_an_upload_to_s3_outlives_its_connections(
    s3_server: S3Server, cut_at: list[int], lost: list[bytes]
) -> None:
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"
    direct = open_store(url, s3_server.environment)
    proxy = CuttingProxy(_port(s3_server.endpoint), [*cut_at], [*lost])
    with proxy.running():
        environ = {**s3_server.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        _streamed(open_store(url, environ), "reports/one")
    assert proxy.cuts == len(cut_at) + len(lost)
    assert list(direct.keys("")) == ["reports/one"]
    assert _whole(direct, "reports/one")
    if b"uploads" not in lost:  # an upload that was opened twice is one that the doctor finds
        assert direct.leftovers() == []


def test_a_small_object_whose_answer_was_lost_is_ours(s3_server: S3Server) -> None:
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"
    direct = open_store(url, s3_server.environment)
    proxy = CuttingProxy(_port(s3_server.endpoint), [], [b"PUT /"])
    with proxy.running():
        environ = {**s3_server.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        open_store(url, environ).create("chain/1", b"mine")
        proxy.lose_answer_to.append(b"PUT /")
        with pytest.raises(KeyExists):
            open_store(url, environ).create("chain/1", b"another")
    assert proxy.cuts == 2
    assert direct.read("chain/1") == b"mine"


@pytest.mark.parametrize(
    "orders", [["cut"], ["lose"], ["", "cut", "cut"], ["", "", "lose"], ["", "", "cut", "lose"]]
)
def test_an_upload_to_google_goes_on_where_the_server_is(
    google_server: GoogleServer, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_uploads, "_LONGEST_PAUSE_SECONDS", 0.01)
    url = f"gs://{google_server.bucket}/{secrets.token_hex(6)}"
    front = ResumingFront(_port(google_server.endpoint), [*orders])
    with front.running() as endpoint:
        _streamed(open_store(url, {"STORAGE_EMULATOR_HOST": endpoint}), "reports/one")
    direct = open_store(url, google_server.environment)
    assert front.cuts == len([each for each in orders if each])
    assert list(direct.keys("")) == ["reports/one"]
    assert _whole(direct, "reports/one")


def test_a_small_object_at_google_whose_answer_was_lost_is_ours(
    google_server: GoogleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_uploads, "_LONGEST_PAUSE_SECONDS", 0.01)
    url = f"gs://{google_server.bucket}/{secrets.token_hex(6)}"
    proxy = CuttingProxy(_port(google_server.endpoint), [], [b"POST /upload"])
    with proxy.running():
        environ = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"}
        open_store(url, environ).create("chain/1", b"mine")
        proxy.lose_answer_to.append(b"POST /upload")
        with pytest.raises(KeyExists):
            open_store(url, environ).create("chain/1", b"another")
    assert proxy.cuts == 2
    assert open_store(url, google_server.environment).read("chain/1") == b"mine"


def test_an_upload_that_arrives_wrong_is_refused_and_taken_away(google_server: GoogleServer) -> None:
    """fake-gcs-server adds a part again that it has already: so an upload without sessions is doubled."""
    url = f"gs://{google_server.bucket}/{secrets.token_hex(6)}"
    proxy = CuttingProxy(_port(google_server.endpoint), [9 * MIB], [])
    store = open_store(url, {**google_server.environment})
    with proxy.running():
        through = open_store(url, {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"})
        with pytest.raises(StoreUnavailable):
            _streamed(through, "reports/one")
    assert proxy.cuts == 1
    assert list(store.keys("")) == []


def test_a_wrong_checksum_is_refused_by_the_server(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from esg_assets.adapters.stores import s3_uploads  # noqa: PLC0415 - looked into

    monkeypatch.setattr(s3_uploads, "_sha256", lambda data: "A" * 43 + "=")
    store = open_store(f"s3://{s3_server.bucket}/{secrets.token_hex(6)}", s3_server.environment)
    assert isinstance(store, TendedS3)
    with pytest.raises(StoreUnavailable):
        store.create("small", b"1")
    with pytest.raises(StoreUnavailable):
        _streamed(store, "large")
    assert list(store.keys("")) == []
    assert store.leftovers() == []
