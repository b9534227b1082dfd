"""Several writers of one chain: one unbroken chain, one winner of each version."""

import functools
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from esg_assets.adapters.stores import open_store
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import Refused
from esg_assets.core.ports import ObjectStore
from esg_assets_tests.adapters.chain_writers import chain_in, publish
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.processes import line_from, python_process
from esg_assets_tests.servers import S3Server

MakeStore = Callable[[], ObjectStore]


def _race(*acts: Callable[[], object]) -> list[object]:
    """Do all at once; what each gave or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = acts[number]()
        except Refused as refused:
            results[number] = refused

    threads = [threading.Thread(target=run, args=[n]) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _race_two_dates(store: MakeStore, rounds: int) -> None:
    for _ in range(rounds):
        _race(
            lambda: publish(chain_in(store()), "2026-01-15"),
            lambda: publish(chain_in(store()), "2026-01-16"),
        )
    chain = chain_in(store())
    assert [each.sequence for each in chain.entries()] == list(range(1, 2 * rounds + 1))
    versions = {date: [] for date in ("2026-01-15", "2026-01-16")}  # type: dict[str, list[int]]
    for each in chain.publications():
        versions[str(each.date)].append(each.version)
    assert list(versions.values()) == [list(range(1, rounds + 1))] * 2
    assert chain.examine().faults == []


def _race_two_writers(store: MakeStore, rounds: int) -> None:
    for version in range(1, rounds + 1):
        act = functools.partial(publish, only=version)
        results = _race(*[functools.partial(act, chain_in(store())) for _ in range(2)])
        assert sorted(type(each).__name__ for each in results) == ["Entry", "Refused"]
    chain = chain_in(store())
    assert [each.version for each in chain.publications()] == list(range(1, rounds + 1))
    assert chain.examine().faults == []


@pytest.fixture(params=["local", "s3", "gcs"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Gives every writer a client of its own to one store that is really shared."""
    if request.param == "local":
        return lambda: LocalStore(tmp_path / "records")
    server = request.getfixturevalue("s3_server" if request.param == "s3" else "google_server")
    assert isinstance(server, S3Server | GoogleServer)
    scheme = "s3" if request.param == "s3" else "gs"
    url = f"{scheme}://{server.bucket}/{secrets.token_hex(6)}/records"
    return lambda: open_store(url, server.environment)


def test_two_dates_published_at_once_give_one_chain(make_store: MakeStore) -> None:
    _race_two_dates(make_store, 10)


def test_of_two_writers_of_one_version_exactly_one_wins(make_store: MakeStore) -> None:
    _race_two_writers(make_store, 10)


@pytest.mark.proof
def test_100_races_of_two_dates_give_one_chain(make_store: MakeStore) -> None:
    _race_two_dates(make_store, 100)


@pytest.mark.proof
def test_100_races_of_two_writers_of_one_version_have_one_winner_each(make_store: MakeStore) -> None:
    _race_two_writers(make_store, 100)


PUBLISHER = """
import sys
from pathlib import Path
from esg_assets.adapters.stores import open_store
from esg_assets.adapters.stores.local import LocalStore
from esg_assets_tests.adapters.chain_writers import chain_in, publish
root, date, rounds = sys.argv[1:]
store = LocalStore(Path(root))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(rounds)):
    publish(chain_in(store), date)
print("done", flush=True)
"""


def _race_processes(root: Path, rounds: int) -> None:
    dates = ["2026-01-15", "2026-01-16"]
    with (
        python_process(PUBLISHER, str(root), dates[0], str(rounds)) as one,
        python_process(PUBLISHER, str(root), dates[1], str(rounds)) as other,
    ):
        for process in (one, other):
            assert line_from(process) == "ready"
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in (one, other):
            assert line_from(process) == "done"
    chain = chain_in(LocalStore(root))
    assert chain.examine().faults == []
    assert len(chain.entries()) == 2 * rounds
    for date in dates:
        found = [each.version for each in chain.publications() if str(each.date) == date]
        assert found == list(range(1, rounds + 1))


def test_two_processes_give_one_chain(tmp_path: Path) -> None:
    _race_processes(tmp_path / "records", 20)


@pytest.mark.proof
def test_two_processes_give_one_chain_of_200(tmp_path: Path) -> None:
    _race_processes(tmp_path / "records", 100)
