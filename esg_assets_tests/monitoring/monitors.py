"""The servers of monitoring, started on free ports of loopback, and a receiver for what they send."""

import json
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import yaml

from esg_assets_tests.servers import free_ports, started

DEPLOYED = Path(__file__).parents[2] / "deploy" / "monitoring"

WAIT_SECONDS = 45.0  # for what takes a second or two: the machine may be busy


def until(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """What `condition` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {what}")


@contextmanager
def server(command: Callable[[int, Path], Sequence[str]], ready: str) -> Iterator[str]:
    """A server in a folder of its own that answers 200 to `ready`; yields its URL.

    Args:
        command: the command line for a port and the folder.
        ready: a path.
    """
    with tempfile.TemporaryDirectory(prefix="esg-monitor-", ignore_cleanup_errors=True) as name:
        folder = Path(name)

        def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
            (port,) = free_ports(1)
            with log.open("wb") as output:
                process = subprocess.Popen(command(port, folder), stdout=output, stderr=output, cwd=folder)
            return process, lambda: _answers(f"http://127.0.0.1:{port}{ready}"), port

        with started(start, folder, stop_with=signal.SIGKILL) as port:
            yield f"http://127.0.0.1:{port}"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


@contextmanager
def prometheus(
    program: Path, config: Mapping[str, Any], *options: str, data: Path | None = None
) -> Iterator[str]:
    """Prometheus with that configuration; `rules` beside it are those that are deployed."""

    def command(port: int, folder: Path) -> list[str]:
        (folder / "prometheus.yml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
        (folder / "rules.yml").write_bytes((DEPLOYED / "rules.yml").read_bytes())
        return [
            str(program),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={data or folder / 'data'}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ]

    with server(command, "/-/ready") as url:
        yield url


@contextmanager
def alertmanager(program: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Alertmanager with that configuration, alone."""

    def command(port: int, folder: Path) -> list[str]:
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
        return [
            str(program),
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

    with server(command, "/-/ready") as url:
        yield url


@contextmanager
def pushgateway(program: Path) -> Iterator[str]:
    """A Pushgateway that keeps what it has in memory."""
    with server(lambda port, _: [str(program), f"--web.listen-address=127.0.0.1:{port}"], "/-/ready") as url:
        yield url


class Receiver:
    """What Alertmanager has sent, by the path it was sent to."""

    def __init__(self) -> None:
        self.url = ""
        self._sent: list[tuple[str, dict[str, Any]]] = []

    def take(self, receiver: str, document: dict[str, Any]) -> None:
        """One notification."""
        self._sent.append((receiver, document))

    def told(self, receiver: str, alertname: str, status: str) -> list[dict[str, Any]]:
        """The alerts of that name that a receiver was told of with that status."""
        return [
            alert
            for to, document in list(self._sent)
            for alert in document["alerts"]
            if (to, alert["labels"]["alertname"], alert["status"]) == (receiver, alertname, status)
        ]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A webhook receiver; each receiver of Alertmanager has a path of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.path.strip("/"), json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{listening.server_address[1]}"
        try:
            yield receiver
        finally:
            listening.shutdown()
            thread.join()
