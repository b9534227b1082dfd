"""A server on loopback that sends exactly the bytes a test wants, for hostile answers.

It speaks no HTTP of its own: it reads one request and hands the socket to the test.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket, bytes], None]


class RawServer:
    """What the server did.

    Attributes:
        port: on 127.0.0.1.
        requests: head and body of every request, in order of arrival.
        connections: how many were accepted.
        broken_off: set when a peer dropped a connection while something was being sent.
    """

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.broken_off = threading.Event()
        self._talk = talk
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        """Accept until the listener is closed; one thread for each connection."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._converse, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        # Closing alone would not wake the thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(10)  # from here on there are no new threads
        self._listener.close()
        with self._lock:
            self._stopping = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _converse(self, connection: socket.socket) -> None:
        try:
            self._keep(connection)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._keep(connection)
            request = read_request(connection)
            if request:
                with self._lock:
                    self.requests.append(request)
                self._talk(connection, request)
            connection.shutdown(socket.SHUT_WR)
            # Until the peer has gone: closing with unread bytes would reset what was sent.
            while connection.recv(65536):
                pass
        except OSError:
            self.broken_off.set()
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _keep(self, connection: socket.socket) -> None:
        """Let `stop` end the connection, or refuse it if that has happened."""
        with self._lock:
            if self._stopping:
                raise ConnectionAbortedError
            self._open.add(connection)


@contextlib.contextmanager
def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """A RawServer that runs for the length of the block."""
    server = RawServer(talk, tls)
    try:
        yield server
    finally:
        server.stop()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; b"" if the peer closed before it was whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Drop the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(status: int = 200, body: bytes = b"{}", **fields: str) -> bytes:
    """A well-formed answer; `fields` with _ for -. It says that the connection ends, as it does here."""
    fields = {"connection": "close"} | fields
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sends(data: bytes) -> Talk:
    """Sends `data`, then closes."""
    return lambda connection, _: connection.sendall(data)


def sends_without_end(first: bytes, piece: bytes, megabytes: int = 600) -> Talk:
    """Sends `first`, then `piece` again and again until so much has been sent."""

    def talk(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(first)
        for _ in range((megabytes << 20) // len(piece)):
            connection.sendall(piece)

    return talk
