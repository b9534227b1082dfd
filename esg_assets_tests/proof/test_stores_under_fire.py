"""Races and kills of the stores, in full; contract/test_object_store.py has a few of each."""

import random
import secrets
import signal
import time
from pathlib import Path

import pytest

from esg_assets.adapters.stores import open_store
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.measures import peak_memory_of
from esg_assets_tests.processes import line_from, python_process
from esg_assets_tests.servers import S3Server

pytestmark = pytest.mark.proof

RACE = """
import sys
from esg_assets.adapters.stores import open_store
from esg_assets.core.errors import KeyExists
store, name, rounds = open_store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
won = 0
for number in range(rounds):
    try:
        store.create(f"chain/{number:08}", name.encode())
        won += 1
    except KeyExists:
        pass
print(won, flush=True)
"""


@pytest.mark.parametrize("kind", ["local", "s3", "gs"])
def test_of_two_processes_in_a_hundred_races_one_wins_each(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "store")
    if kind != "local":
        server = request.getfixturevalue("s3_server" if kind == "s3" else "google_server")
        assert isinstance(server, S3Server | GoogleServer)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = f"{kind}://{server.bucket}/{secrets.token_hex(6)}"
    rounds = 100
    with python_process(RACE, url, "a", str(rounds)) as a, python_process(RACE, url, "b", str(rounds)) as b:
        for process in (a, b):
            assert line_from(process) == "ready"
        for process in (a, b):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        won = [int(line_from(process)) for process in (a, b)]
    store = open_store(url)
    keys = list(store.keys("chain/"))
    assert sum(won) == len(keys) == rounds
    assert [sum(store.read(key) == name for key in keys) for name in (b"a", b"b")] == won


WRITE = """
import sys
from pathlib import Path
from esg_assets.adapters import nameless_files
from esg_assets.adapters.stores import local
if sys.argv[2] == "named":
    nameless_files.open_nameless = lambda folder: None
store, number = local.LocalStore(Path(sys.argv[1])), 0
print("started", flush=True)
while True:
    number += 1
    with store.writer(f"parts/{sys.argv[3]}-{number:05}") as sink:
        for _ in range(number % 7):
            sink.write(number.to_bytes(4, "big") * 100_000)
"""


@pytest.mark.parametrize("way", ["nameless", "named"])
def test_killed_at_fifty_random_moments_only_whole_objects_are_there(tmp_path: Path, way: str) -> None:
    chance = random.Random(2026)
    for run in range(50):
        with python_process(WRITE, str(tmp_path / "store"), way, str(run)) as process:
            assert line_from(process) == "started"
            time.sleep(chance.random() / 20)
            process.send_signal(signal.SIGKILL)
            process.wait()
    store = open_store(str(tmp_path / "store"))
    keys = list(store.keys(""))
    assert len(keys) > 50
    for key in keys:
        number = int(key.rpartition("-")[2])
        assert store.read(key) == number.to_bytes(4, "big") * 100_000 * (number % 7)


STREAM = """
import sys
from esg_assets.adapters.stores import open_store
store, count, piece = open_store(sys.argv[1]), int(sys.argv[2]), bytes(range(256)) * 4096
with store.writer("reports/2026-01-15/large") as sink:
    for _ in range(count):
        sink.write(piece)
size = 0
with store.open("reports/2026-01-15/large") as source:
    while data := source.read(1 << 20):
        size += len(data)
assert size == count << 20, size
"""


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_gigabyte_passes_through_two_hundred_megabytes(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = request.getfixturevalue("s3_server" if kind == "s3" else "google_server")
    assert isinstance(server, S3Server | GoogleServer)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    url = f"{kind}://{server.bucket}/{secrets.token_hex(6)}"
    peak = peak_memory_of(STREAM, url, "1024")
    assert peak < 200_000_000
    open_store(url).delete("reports/2026-01-15/large")
