"""An outside service that notices silence: a process of its own that knows nothing but pings.

`python silence_receiver.py PORT DEADLINE GRACE NOTICES`: a POST is a ping, one to `…/fail` a failure. If no
ping has come GRACE seconds after DEADLINE (seconds since 1970), it writes a notice. It is what
healthchecks.io and its kin do with one check, and it imports nothing of the project.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def main(port: int, deadline: float, grace: float, notices: Path) -> None:
    """Serve until it is killed."""
    pinged = threading.Event()

    def notice(what: str) -> None:
        with notices.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, "at": time.time()}) + "\n")

    class Check(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.endswith("/fail"):
                notice("failure")
            else:
                pinged.set()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

    def wait() -> None:
        if not pinged.wait(max(0.0, deadline + grace - time.time())):
            notice("silence")

    threading.Thread(target=wait, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", port), Check).serve_forever()


@dataclass(frozen=True)
class Receiver:
    """The process; `url` is what ESG_HEARTBEAT_URL has to be."""

    url: str
    deadline: float
    grace: float
    file: Path

    def notices(self) -> list[str]:
        """What it has noticed so far."""
        return [line["what"] for line in self._lines()]

    def noticed_at(self) -> list[float]:
        """When, in seconds since 1970."""
        return [line["at"] for line in self._lines()]

    def wait(self) -> None:
        """Until it must have noticed silence if there was any."""
        while not self._lines() and time.time() < self.deadline + self.grace + 1:
            time.sleep(0.05)

    def _lines(self) -> list[dict[str, Any]]:
        text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def receiver(folder: Path, port: int, deadline: float, grace: float) -> Iterator[Receiver]:
    """The process, for the length of the block."""
    file = folder / f"notices-{port}.jsonl"
    command = [sys.executable, __file__, str(port), str(deadline), str(grace), str(file)]
    process = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield Receiver(f"http://127.0.0.1:{port}/ping/one", deadline, grace, file)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < until, "the receiver does not start"
            time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
