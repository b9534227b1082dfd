"""What every store promises (port ObjectStore): in a folder, in servers of S3 and Google, and the fake."""

import secrets
import threading
from functools import partial
from pathlib import Path

import pytest

from esg_assets.adapters.stores import open_store
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core import record_ports
from esg_assets.core.errors import EsgError, KeyExists, KeyMissing, Refused
from esg_assets.core.ports import ObjectStore
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.fakes import MemoryStore
from esg_assets_tests.servers import S3Server

MIB = 1 << 20


@pytest.fixture(params=["local", "s3", "gs", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    if request.param == "memory":
        return MemoryStore()
    server = request.getfixturevalue("s3_server" if request.param == "s3" else "google_server")
    assert isinstance(server, S3Server | GoogleServer)
    url = f"{request.param}://{server.bucket}/{secrets.token_hex(6)}/records"
    return open_store(url, server.environment)


def test_what_was_created_is_read_back(store: ObjectStore) -> None:
    store.create("chain/00000001", b"entry \0\xff")
    assert store.read("chain/00000001") == b"entry \0\xff"
    with store.open("chain/00000001") as source:
        assert source.read(5) + source.read() + source.read(1) == b"entry \0\xff"


def test_what_is_replaced_is_whole_and_has_no_trace_beside_it(store: record_ports.ReplacingStore) -> None:
    store.create("parts/1", b"sealed with the old key")
    store.create("parts/2", b"another")
    store.replace("parts/1", b"sealed with the new key")
    assert (store.read("parts/1"), store.read("parts/2")) == (b"sealed with the new key", b"another")
    assert list(store.keys("")) == ["parts/1", "parts/2"]
    for missing in ("parts/3", "none/1"):
        with pytest.raises(KeyMissing):
            store.replace(missing, b"data")
    assert list(store.keys("")) == ["parts/1", "parts/2"]


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.create("empty", b"")
    assert store.read("empty") == b""
    assert list(store.keys("")) == ["empty"]


def test_a_key_is_created_once(store: ObjectStore) -> None:
    store.create("chain/1", b"first")
    with pytest.raises(KeyExists):
        store.create("chain/1", b"second")
    assert store.read("chain/1") == b"first"


def test_of_many_who_create_the_same_key_one_wins(store: ObjectStore) -> None:
    ready = threading.Barrier(8)
    won: list[int] = []

    def create(number: int) -> None:
        ready.wait()
        try:
            store.create("chain/1", str(number).encode())
        except KeyExists:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("chain/1") == str(won[0]).encode()


def test_a_stream_is_written_and_read_in_pieces(store: ObjectStore) -> None:
    pieces = [secrets.token_bytes(MIB + 7) for _ in range(13)]  # more than one part of an upload
    with store.writer("parts/one") as sink:
        for piece in pieces:
            assert sink.write(piece) == len(piece)
        assert list(store.keys("")) == []
    with store.open("parts/one") as source:
        read = list(iter(lambda: source.read(100_000), b""))
    assert b"".join(read) == b"".join(pieces)
    assert all(len(piece) <= 100_000 for piece in read)
    assert store.read("parts/one") == b"".join(pieces)


def test_after_an_exception_nothing_of_that_name_appears(store: ObjectStore) -> None:
    def fail_in_the_middle(size: int) -> None:
        with store.writer("parts/one") as sink:
            sink.write(bytes(size))
            raise ZeroDivisionError

    for size in (0, 10, 12 * MIB):
        with pytest.raises(ZeroDivisionError):
            fail_in_the_middle(size)
    assert list(store.keys("")) == []
    with pytest.raises(KeyMissing):
        store.read("parts/one")
    with store.writer("parts/one") as sink:
        sink.write(b"second try")
    assert store.read("parts/one") == b"second try"


def test_a_stream_never_replaces_an_object(store: ObjectStore) -> None:
    store.create("reports/1", b"first")
    with pytest.raises(KeyExists), store.writer("reports/1") as sink:
        sink.write(b"second")
    assert store.read("reports/1") == b"first"


def test_a_missing_object_is_said_to_be_missing(store: ObjectStore) -> None:
    store.create("a/b", b"1")
    for key in ("nothing", "nothing/at/all", "a", "a/b/c", "a/c"):
        with pytest.raises(KeyMissing):
            store.read(key)
        with pytest.raises(KeyMissing), store.open(key):
            pass


def test_keys_ascend_by_code_point_through_all_folders(store: ObjectStore) -> None:
    keys = ["a", "a-b/1", "a.b", "a.b2/x", "a0", "b/10", "b/2", "b/2.x", "b/Z", "b/c/d/e", "b/c=1", "bb/1"]
    keys = sorted({*keys} - {"a", "b/2"})  # one name is not both an object and a folder
    for key in reversed(keys):
        store.create(key, b"1")
    assert list(store.keys("")) == keys
    assert list(store.keys("b/")) == [key for key in keys if key.startswith("b/")]
    assert list(store.keys("b/c/")) == ["b/c/d/e"]
    assert list(store.keys("c/")) == []


def test_many_keys_are_all_listed(store: ObjectStore) -> None:
    keys = [f"parts/{number:04}" for number in range(120)]
    for key in keys:
        store.create(key, b"1")
    assert list(store.keys("parts/")) == keys


def test_a_deleted_object_is_gone_and_its_name_free(store: ObjectStore) -> None:
    store.create("work/1", b"1")
    store.delete("work/1")
    store.delete("work/1")
    store.delete("never/there")
    assert list(store.keys("")) == []
    store.create("work/1", b"2")
    assert store.read("work/1") == b"2"


BAD_KEYS = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a b", "a\\b", "a\0b", "ä"]
BAD_KEYS += ["a\n", "~a", "a%2fb", "a:b", "a#b", "a" * 256, "/".join(["a" * 200] * 5), "~/.ssh", "C:a", "*"]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_could_mean_something_else_is_refused(store: ObjectStore, key: str) -> None:
    actions = (
        partial(store.create, key, b"1"),
        partial(store.read, key),
        partial(store.delete, key),
        store.writer(key).__enter__,
        store.open(key).__enter__,
        partial(next, store.keys(f"{key}/"), ""),
    )
    for action in actions:
        with pytest.raises(Refused):
            action()


def test_keys_are_listed_below_folders_only(store: ObjectStore) -> None:
    with pytest.raises(Refused, match="end with '/'"):
        list(store.keys("chain"))


def test_messages_hold_no_location(store: ObjectStore, tmp_path: Path) -> None:
    store.create("a/b", b"1")
    messages = []
    for action in (partial(store.create, "a/b", b"2"), partial(store.read, "a/c")):
        with pytest.raises(EsgError) as caught:
            action()
        messages.append(str(caught.value))
    assert "a/b" in messages[0]
    assert "a/c" in messages[1]
    for message in messages:
        assert str(tmp_path) not in message
        assert "://" not in message
        assert "esg-test" not in message
