"""Connections that break on order, in front of a server of buckets.

`CuttingProxy` passes bytes on and knows nothing of them. `ResumingFront` keeps the sessions of resumable
uploads as Google documents them: fake-gcs-server ends an upload when it is asked how far it got.
"""

import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class CuttingProxy:
    """A TCP proxy to `target`, a port of this machine.

    Attributes:
        target: where the connections lead.
        cut_at: numbers of bytes sent in all, ascending: each breaks the connection that gets there.
        lose_answer_to: each, once it was seen in what is sent, breaks the connection instead of the answer.
        port: where to connect.
        cuts: how many connections were broken.
    """

    target: int
    cut_at: list[int] = field(default_factory=list)
    lose_answer_to: list[bytes] = field(default_factory=list)
    port: int = 0
    cuts: int = 0
    _sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
            threading.Thread(target=self._accept, args=[listener], daemon=True).start()
            yield self

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                lost = threading.Event()
                for act, one, other in ((self._forth, client, server), (self._back, server, client)):
                    threading.Thread(target=act, args=[one, other, lost], daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                with self._lock:
                    self._sent += len(data)
                    cut = bool(self.cut_at) and self._sent >= self.cut_at[0]
                    if cut:
                        self.cut_at.pop(0)
                    for marker in [each for each in self.lose_answer_to if each in data]:
                        self.lose_answer_to.remove(marker)
                        lost.set()
                if cut:
                    self._break(client, server)
                server.sendall(data)
        _shut(client, server)

    def _back(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if lost.is_set() and not data.startswith(b"HTTP/1.1 100"):
                    self._break(client, server)
                client.sendall(data)
        _shut(client, server)

    def _break(self, *sockets: socket.socket) -> None:
        self.cuts += 1
        _shut(*sockets)
        raise ConnectionAbortedError


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@dataclass
class _Session:
    persisted: int = 0
    done: bytes = b""


KEPT_OF_A_BROKEN_REQUEST = 1 << 20


@dataclass
class ResumingFront:
    """An HTTP server in front of fake-gcs-server.

    Attributes:
        target: the port of fake-gcs-server.
        orders: what happens to the next requests that bring bytes of an upload: "cut" breaks in the middle,
            with one MiB kept; "lose" does everything and breaks instead of answering; "" is no harm.
        cuts: how many connections were broken.
    """

    target: int
    orders: list[str] = field(default_factory=list)
    cuts: int = 0
    sessions: dict[str, _Session] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Its endpoint."""
        handler = type("Handler", (_Resuming,), {"front": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()


class _Resuming(BaseHTTPRequestHandler):
    front: ResumingFront
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        upload = parse_qs(urlsplit(self.path).query).get("upload_id", [""])[0]
        data = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if not upload:
            self._answer(*self._passed_on("PUT", data))
            return
        session = self.front.sessions.setdefault(upload, _Session())
        span, _, total = self.headers["Content-Range"].removeprefix("bytes ").partition("/")
        if span != "*":
            order = self.front.orders.pop(0) if self.front.orders else ""
            start = int(span.partition("-")[0])
            kept = data[:KEPT_OF_A_BROKEN_REQUEST] if order == "cut" else data
            self._keep(session, kept[session.persisted - start :], "*" if order == "cut" else total)
            if order:
                self.front.cuts += 1
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        if session.done:
            self._answer(200, {"Content-Type": "application/json"}, session.done)
        else:
            span_kept = {"Range": f"bytes=0-{session.persisted - 1}"} if session.persisted else {}
            self._answer(308, span_kept, b"")

    def _keep(self, session: _Session, data: bytes, total: str) -> None:
        end = session.persisted + len(data)
        status, _, body = self._passed_on(
            "PUT", data, {"Content-Range": f"bytes {session.persisted}-{end - 1}/{total}"}
        )
        session.persisted = end
        if status == 200:
            session.done = body

    def do_GET(self) -> None:
        self._answer(*self._passed_on("GET", b""))

    def do_POST(self) -> None:
        self._answer(*self._passed_on("POST", self.rfile.read(int(self.headers["Content-Length"] or 0))))

    def do_DELETE(self) -> None:
        self._answer(*self._passed_on("DELETE", b""))

    def _passed_on(
        self, method: str, data: bytes, instead: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if not _OWN.fullmatch(name)}
        connection = http.client.HTTPConnection("127.0.0.1", self.front.target)
        with contextlib.closing(connection):
            connection.request(method, self.path, data, headers | (instead or {}))
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, {n: v for n, v in answer.getheaders() if not _OWN.fullmatch(n)}, body

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: a test's output is its own."""


_OWN = re.compile(
    "host|content-length|transfer-encoding|connection|content-encoding|accept-encoding", re.IGNORECASE
)
