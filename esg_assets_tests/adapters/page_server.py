"""An account system of the tests' own: real HTTP on loopback, with answers to order.

Written by hand from the contract, sharing nothing with the client or the simulators.
"""

import gzip
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What to send back; `cut` bytes of the declared length never come; `gzipped` compresses."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    gzipped: bool = False


def page(rows: Sequence[Mapping[str, object]], next_cursor: object = None, **more: object) -> Answer:
    return Answer(body=json.dumps({"accounts": rows, "next_cursor": next_cursor, **more}).encode())


def problem(status: int, code: str = "", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps({"status": status, "code": code}).encode(), sent)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away in the middle are what some tests are about: nothing to print."""


class PageServer:
    """Serves `rows` in pages as the contract says, after the answers queued in `first`."""

    def __init__(self, rows: Sequence[Mapping[str, object]] = (), tls: ssl.SSLContext | None = None) -> None:
        self.rows = rows
        self.page_size = 2
        self.history = True
        self.first: deque[Answer | Callable[[Asked], Answer | None]] = deque()
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._scheme = "https" if tls else "http"
        if tls:
            # The handshake in the connection's own thread: the listening one must go on listening.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Answer:
        while self.first:
            queued = self.first.popleft()
            answer = queued(asked) if callable(queued) else queued
            if answer is not None:
                return answer
        return self.book_page(asked)

    def book_page(self, asked: Asked) -> Answer:
        if asked.path != "/v1/accounts":
            return problem(404)
        if "as_of" in asked.query and not self.history:
            return problem(400, "as_of_unsupported")
        start = int(asked.query.get("cursor", "0"))
        end = start + min(self.page_size, int(asked.query["page_size"]))
        cursor = str(end) if end < len(self.rows) else None
        return page(self.rows[start:end], cursor, total=len(self.rows))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                asked = Asked(parts.path, query, dict(self.headers))
                server.asked.append(asked)
                answer = server.answer(asked)
                body = gzip.compress(answer.body) if answer.gzipped else answer.body
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.gzipped:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - answer.cut])
                if answer.cut:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name upstream
                pass

        return Handler
