"""TLS in front of a PostgreSQL server that was built without it, as a firm's TLS proxy does it.

The client's side is libpq's own: it asks for TLS by PostgreSQL's SSLRequest, and checks what it is shown.
"""

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


class PostgresFront:
    """What the front saw.

    Attributes:
        port: on 127.0.0.1.
        secured: connections that came to TLS.
        in_the_clear: messages that came without it.
    """

    def __init__(self, behind: int, tls: ssl.SSLContext | None) -> None:
        self._behind, self._tls = behind, tls
        self.secured = 0
        self.in_the_clear = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        self._listener.close()
        for thread in self._threads[1:]:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            plain = connection
            opened.callback(plain.close)
            connection.settimeout(20)
            first = connection.recv(65536)
            while len(first) == 8 and struct.unpack("!II", first)[1] in {SSL_REQUEST, GSS_REQUEST}:
                wants_tls = struct.unpack("!II", first)[1] == SSL_REQUEST
                if wants_tls and self._tls is not None:
                    connection.sendall(b"S")
                    connection = opened.enter_context(self._tls.wrap_socket(plain, server_side=True))
                    self.secured += 1
                    first = b""
                    break
                connection.sendall(b"N")
                first = connection.recv(65536)
            if first:
                self.in_the_clear += 1
            server = opened.enter_context(socket.create_connection(("127.0.0.1", self._behind)))
            server.sendall(first)
            _pass_on(connection, server)


@contextlib.contextmanager
def postgres_front(behind: int, tls: ssl.SSLContext | None) -> Iterator[PostgresFront]:
    """A front for the length of the block.

    Args:
        behind: port of the server on 127.0.0.1.
        tls: what it shows; None refuses TLS.
    """
    front = PostgresFront(behind, tls)
    try:
        yield front
    finally:
        front.stop()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Until one of them ends; in one thread, since a TLS connection is not for two at once."""
    other = {client: server, server: client}
    while True:
        pending = isinstance(client, ssl.SSLSocket) and client.pending()
        ready = [client] if pending else select.select([client, server], [], [], 20)[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            other[source].sendall(data)
        if not ready:
            return
