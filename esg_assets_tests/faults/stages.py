"""Servers of a scenario's own: raw answers by account, redirects, TLS, proxies, and nobody at all."""

import re
import socket
import socketserver
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import trustme

from esg_assets_tests.faults.engine import right_body
from esg_assets_tests.faults.scenario import MakeStage, Stage, account, numbers
from esg_assets_tests.faults.talks import Wrong
from esg_assets_tests.raw_server import RawServer, answer, raw_server, sends

SEGMENT = re.compile(rb"/v1/accounts/([^/]+)/esg-rating")


def asked_for(request: bytes) -> str:
    """The account that a request asks for."""
    found = SEGMENT.search(request)
    return unquote(found[1].decode()) if found else ""


def playing(wrongs: Mapping[str, Wrong], *, once: bool = False) -> MakeStage:
    """A server that is right but for the accounts of those numbers, each time or the first time."""
    by_id = {account(number): wrong for text, wrong in wrongs.items() for number in numbers(text)}

    @contextmanager
    def stage(_folder: Path) -> Iterator[Stage]:
        seen: Counter[str] = Counter()
        lock = threading.Lock()

        def talk(connection: socket.socket, request: bytes) -> None:
            account_id = asked_for(request)
            with lock:
                seen[account_id] += 1
                harmless = account_id not in by_id or (once and seen[account_id] > 1)
            right = right_body(account_id)
            (sends(answer(200, right)) if harmless else by_id[account_id](right))(connection, request)

        with raw_server(talk) as server:
            yield Stage(server.url)

    return stage


def redirecting(where: str) -> MakeStage:
    """Accounts 2 to 6 are redirected: to a second server, or within the first one."""

    @contextmanager
    def stage(_folder: Path) -> Iterator[Stage]:
        with raw_server(sends(answer(200, right_body(account(2))))) as other:

            def talk(connection: socket.socket, request: bytes) -> None:
                number = int(asked_for(request)[1:] or 0)
                right = right_body(account(number))
                status = {2: 301, 3: 302, 4: 303, 5: 307, 6: 308}.get(number)
                location = where.format(other=other.url)
                sent = answer(200, right) if status is None else answer(status, b"", location=location)
                connection.sendall(sent)

            with raw_server(talk) as server:

                def unharmed() -> None:
                    assert other.connections == 0, "a redirect was followed"
                    assert len(server.requests) == 8

                yield Stage(server.url, unharmed=unharmed)

    return stage


CA = trustme.CA()


def over_tls(certificate: Callable[[], trustme.LeafCert]) -> MakeStage:
    """A server whose certificate is not to be trusted; nothing must be sent to it."""

    @contextmanager
    def stage(folder: Path) -> Iterator[Stage]:
        bundle = folder / "ca.pem"
        CA.cert_pem.write_to_path(str(bundle))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate().configure_cert(context)
        with raw_server(sends(answer()), context) as server:
            yield Stage(server.url, {"ca_bundle": bundle}, lambda: _nothing_sent(server))

    return stage


@contextmanager
def plain_on_a_tls_port(_folder: Path) -> Iterator[Stage]:
    """A server that answers the client's hello in plain HTTP."""
    received: list[bytes] = []

    class Plain(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            received.append(self.request.recv(65536))
            self.request.sendall(answer(400))

    def unharmed() -> None:
        assert received
        assert b"demo-bearer-token" not in b"".join(received)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield Stage(f"https://127.0.0.1:{server.server_address[1]}", unharmed=unharmed)
        server.shutdown()
        serving.join(10)


def _nothing_sent(server: RawServer) -> None:
    assert server.connections > 0
    assert server.requests == []


def elsewhere(url: str, **options: str) -> MakeStage:
    """No server at all."""

    @contextmanager
    def stage(_folder: Path) -> Iterator[Stage]:
        yield Stage(url, dict(options))

    return stage


def through_proxy(reply: bytes) -> MakeStage:
    """A proxy that answers so to CONNECT; it must learn neither token nor account."""

    @contextmanager
    def stage(_folder: Path) -> Iterator[Stage]:
        with raw_server(sends(reply)) as proxy:

            def unharmed() -> None:
                told = b"".join(proxy.requests)
                assert told.startswith(b"CONNECT esg.invalid:443 ")
                assert b"demo-bearer-token" not in told
                assert b"A0000" not in told

            yield Stage("https://esg.invalid", {"proxy": f"http://127.0.0.1:{proxy.port}"}, unharmed)

    return stage
