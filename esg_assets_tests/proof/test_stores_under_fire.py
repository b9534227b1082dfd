"""Races and kills of the stores, in full; contract/test_object_store.py has a few of each."""

import random
import secrets
import signal
import time
from pathlib import Path

import pytest

from esg_assets.adapters.stores import open_store
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


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_of_two_processes_in_a_hundred_races_one_wins_each(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "store")
    if kind == "s3":
        server = request.getfixturevalue("s3_server")
        assert isinstance(server, S3Server)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{server.bucket}/{secrets.token_hex(6)}"
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
from esg_assets.adapters.stores import local, new_files
if sys.argv[2] == "named":
    new_files._nameless = lambda folder: None
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
