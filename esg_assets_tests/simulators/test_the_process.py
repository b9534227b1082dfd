"""The child process: it starts, says what is wrong, and never outlives its parent; the command line."""

import argparse
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from esg_assets.simulators.__main__ import main
from esg_assets.simulators.options import Options, add_arguments, options_from
from esg_assets.simulators.server import SimulatorFailed, SimulatorServer
from esg_assets_tests.simulators.wire import call, rating_path


def is_served(url: str) -> bool:
    at = urlsplit(url)
    with contextlib.suppress(OSError), socket.create_connection((at.hostname or "", at.port or 0), timeout=1):
        return True
    return False


def comes_to_an_end(url: str) -> bool:
    deadline = time.monotonic() + 20
    while is_served(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_served(url)


@contextlib.contextmanager
def running(*command: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_server_is_there_within_its_block_and_gone_after_it() -> None:
    with SimulatorServer(Options(auth="none")) as server:
        assert call(server.url, rating_path("A0000001")).status == 200
    assert not is_served(server.url)
    server.close()


def test_a_server_with_a_call_in_flight_ends_too() -> None:
    with SimulatorServer(Options(auth="none", faults="timeout")) as server:
        with pytest.raises(TimeoutError):
            call(server.url, rating_path("A0000001"), timeout=0.1)
        at = urlsplit(server.url)
        hanging = socket.create_connection((at.hostname or "", at.port or 0))
        hanging.sendall(f"GET {rating_path('A0000001')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    with hanging, contextlib.suppress(ConnectionResetError):
        hanging.settimeout(5)
        assert hanging.recv(1) == b""


def test_a_port_can_be_taken_again_at_once() -> None:
    with SimulatorServer(Options(auth="none")) as first:
        call(first.url, rating_path("A0000001"))
        port = urlsplit(first.url).port or 0
    with SimulatorServer(Options(auth="none", port=port)) as second:
        assert second.url == first.url


def test_a_child_dies_with_a_parent_that_was_killed() -> None:
    program = (
        "import time\n"
        "from esg_assets.simulators.server import SimulatorServer\n"
        "server = SimulatorServer()\n"
        "print(server.url, flush=True)\n"
        "time.sleep(60)\n"
    )
    with running("-c", program) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert is_served(url)
        os.kill(parent.pid, signal.SIGKILL)
        assert comes_to_an_end(url)


def test_a_child_dies_with_its_parent_although_a_fork_holds_the_pipe() -> None:
    program = (
        "import os, time\n"
        "from esg_assets.simulators.server import SimulatorServer\n"
        "server = SimulatorServer()\n"
        "if (fork := os.fork()) == 0:\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "print(server.url, fork, flush=True)\n"
        "time.sleep(60)\n"
    )
    with running("-c", program) as parent:
        assert parent.stdout is not None
        url, fork = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGKILL)
        try:
            assert comes_to_an_end(url)
        finally:
            os.kill(int(fork), signal.SIGKILL)


def test_input_that_cannot_be_served_is_said(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account_id,status\nA,open\n")
    with pytest.raises(SimulatorFailed, match=r"accounts\.csv line 2: status is none of"):
        SimulatorServer(Options(accounts_file=str(path)))


def test_a_port_that_is_taken_is_said() -> None:
    with SimulatorServer() as server, pytest.raises(SimulatorFailed, match="in use"):
        SimulatorServer(Options(port=urlsplit(server.url).port or 0))


def test_the_command_line_serves_and_stops_on_sigterm() -> None:
    command = ("-m", "esg_assets.simulators", "--accounts", "5", "--rate", "20", "--auth", "api_key")
    with running(*command) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
        assert found is not None
        assert "20/s, burst 2" in line
        answer = call(found[0], "/v1/accounts", {"X-API-Key": "demo-api-key"})
        assert answer.status == 200
        assert call(found[0], "/_simulator/stats").status == 404
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert not is_served(found[0])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--faults", "nonsense"], "faults: no kind"),
        (["--auth", "magic"], "--auth"),
        (["--rate", "-1"], "--rate"),
        (["--limit-headers", "loud"], "--limit-headers"),
        (["--outage", "soon"], "outage: "),
        (["--accounts-faults", "all"], "account faults: "),
        (["--accounts-file", "/nowhere.csv"], "cannot be read"),
    ],
)
def test_wrong_usage_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_every_option_has_a_flag() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert options_from(parser.parse_args([])) == Options()
    given = parser.parse_args(
        ["--no-history", "--token-seconds", "60", "--ratings-file", "r.csv", "--seed", "4"]
    )
    assert options_from(given) == Options(no_history=True, token_seconds=60, ratings_file="r.csv", seed=4)
    assert "--cursor-seconds" in parser.format_help()
