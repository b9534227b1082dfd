"""What every kind of lease promises (port Leases): files, a real PostgreSQL and the fake."""

import signal
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from esg_assets.adapters.leases import FileLeases, PostgresLeases, open_leases
from esg_assets.core.errors import LeaseBusy, StoreUnavailable
from esg_assets.core.ports import HeldLease, Leases
from esg_assets_tests.fakes import MemoryLeases
from esg_assets_tests.processes import line_from, python_process
from esg_assets_tests.servers import free_ports

DATE = "partition/2026-01-15"


@pytest.fixture(params=["files", "postgres", "memory"])
def leases(request: pytest.FixtureRequest, tmp_path: Path) -> Leases:
    if request.param == "files":
        return FileLeases(tmp_path / "leases")
    if request.param == "postgres":
        return PostgresLeases(request.getfixturevalue("postgres_database_url"))
    return MemoryLeases()


def test_a_lease_is_held_by_one(leases: Leases) -> None:
    with leases.hold(DATE, "run-1") as lease:
        assert isinstance(lease, HeldLease)
        with pytest.raises(LeaseBusy, match="run-1"), leases.hold(DATE, "run-2"):
            pass
    with leases.hold(DATE, "run-3"):
        pass


def test_leases_of_other_names_are_free(leases: Leases) -> None:
    with (
        leases.hold(DATE, "run-1"),
        leases.hold("partition/2026-01-16", "run-2"),
        leases.hold("esg_api", "3"),
    ):
        pass


def test_who_held_it_last_is_known(leases: Leases) -> None:
    with leases.hold(DATE, "run-1-with-a-long-name") as lease:
        assert lease.previous_holder == ""
    with leases.hold(DATE, "run-2") as lease:
        assert lease.previous_holder == "run-1-with-a-long-name"
    with leases.hold(DATE, "run-3") as lease:
        assert lease.previous_holder == "run-2"
    with leases.hold("esg_api", "run-4") as lease:
        assert lease.previous_holder == ""


def test_who_asked_in_vain_was_no_holder(leases: Leases) -> None:
    with leases.hold(DATE, "run-1"), pytest.raises(LeaseBusy), leases.hold(DATE, "run-2"):
        pass
    with leases.hold(DATE, "run-3") as lease:
        assert lease.previous_holder == "run-1"


def test_an_exception_frees_a_lease(leases: Leases) -> None:
    def fail() -> None:
        with leases.hold(DATE, "run-1"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with leases.hold(DATE, "run-2"):
        pass


def test_who_waits_gets_it_when_it_is_freed(leases: Leases) -> None:
    held, order = threading.Event(), []

    def first() -> None:
        with leases.hold(DATE, "run-1"):
            held.set()
            time.sleep(0.2)
            order.append("freed")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with leases.hold(DATE, "run-2", wait_seconds=60) as lease:
        order.append("taken")
    thread.join()
    assert order == ["freed", "taken"]
    assert lease.previous_holder == "run-1"


def test_who_waits_in_vain_is_told_in_the_end(leases: Leases) -> None:
    with leases.hold(DATE, "run-1"):
        start = time.monotonic()
        with pytest.raises(LeaseBusy), leases.hold(DATE, "run-2", wait_seconds=0.2):
            pass
        assert time.monotonic() - start >= 0.2


def test_of_many_who_ask_at_once_one_gets_it(leases: Leases) -> None:
    ready, done = threading.Barrier(6), threading.Event()
    got: list[str] = []
    refused: list[str] = []

    def ask(holder: str) -> None:
        ready.wait()
        try:
            with leases.hold(DATE, holder):
                got.append(holder)
                done.wait(60)
        except LeaseBusy:
            refused.append(holder)
            if len(refused) == 5:
                done.set()

    threads = [threading.Thread(target=ask, args=(f"run-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


HOLD = """
import sys
from pathlib import Path
from esg_assets.adapters.leases import FileLeases, PostgresLeases
make = FileLeases if sys.argv[1] == "files" else PostgresLeases
place = Path(sys.argv[2]) if sys.argv[1] == "files" else sys.argv[2]
with make(place).hold(sys.argv[3], "run-killed"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["files", "postgres"])
def test_a_killed_holder_frees_it_at_once(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = str(tmp_path) if kind == "files" else request.getfixturevalue("postgres_database_url")
    leases: Leases = FileLeases(Path(place)) if kind == "files" else PostgresLeases(place)
    with python_process(HOLD, kind, place, DATE) as process:
        assert line_from(process) == "held"
        with pytest.raises(LeaseBusy, match="run-killed"), leases.hold(DATE, "run-2"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        # PostgreSQL sees the closed connection a moment later.
        with leases.hold(DATE, "run-2", wait_seconds=10) as lease:
            assert lease.previous_holder == "run-killed"


def test_a_program_that_the_holder_starts_does_not_hold_it(tmp_path: Path) -> None:
    leases = FileLeases(tmp_path)
    with leases.hold(DATE, "run-1"):
        child = python_process("import sys; print('up', flush=True); sys.stdin.read()")
        process = child.__enter__()
        assert line_from(process) == "up"
    try:
        with leases.hold(DATE, "run-2"):
            pass
    finally:
        child.__exit__(*sys.exc_info())


@pytest.mark.parametrize("name", ["../../outside", "a/../../b", "/etc/x", "esg api", "ä", "."])
def test_a_lease_of_any_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    leases = FileLeases(tmp_path / "leases")
    with leases.hold(name, "run-1"), pytest.raises(LeaseBusy), leases.hold(name, "run-2"):
        pass
    (file,) = (tmp_path / "leases").iterdir()
    assert file.is_file()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["leases"]


def test_a_folder_that_cannot_be_written_to_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(StoreUnavailable) as caught,
        FileLeases(tmp_path / "file" / "leases").hold(DATE, "run-1"),
    ):
        pass
    assert str(tmp_path) not in str(caught.value)


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    (port,) = free_ports(1)
    leases = PostgresLeases(f"postgresql+psycopg://user:secret@127.0.0.1:{port}/esg")
    with pytest.raises(StoreUnavailable) as caught, leases.hold(DATE, "run-1"):
        pass
    for hidden in ("secret", "user", str(port), "127.0.0.1"):
        assert hidden not in str(caught.value)


def test_a_lost_connection_is_told_and_frees_the_lease(
    postgres_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    leases = PostgresLeases(postgres_database_url)
    with leases.hold(DATE, "run-1"):
        with psycopg.connect(postgres_database_url.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'esg_assets lease' AND datname = current_database()"
            )
        with leases.hold(DATE, "run-2", wait_seconds=10) as lease:
            assert lease.previous_holder == "run-1"
    assert [record.getMessage() for record in caplog.records if "was lost" in record.getMessage()]


def test_the_database_decides_which_leases_there_are(tmp_path: Path) -> None:
    assert isinstance(open_leases("postgresql+psycopg://u:p@127.0.0.1/esg", tmp_path), PostgresLeases)
    assert isinstance(open_leases("sqlite:////tmp/esg.db", tmp_path), FileLeases)
    assert list(tmp_path.iterdir()) == []
