"""How `HttpEsgApi` connects: TLS, client certificates and proxies."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from esg_assets.adapters.authorization import Bearer
from esg_assets.core.ratings import Fault, Reply
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client
from esg_assets_tests.raw_server import answer, raw_server, sends

CA = trustme.CA()
OTHER_CA = trustme.CA()
SERVER = CA.issue_cert("127.0.0.1")


def tls(cert: trustme.LeafCert = SERVER, wants: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    if wants is not None:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def tls_1_1() -> ssl.SSLContext:
    context = tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def pem_file(path: Path, *blobs: trustme.Blob) -> Path:
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Several authorities in one file: the right one is not the first."""
    return pem_file(tmp_path / "ca.pem", OTHER_CA.cert_pem, CA.cert_pem)


def asked_over_tls(context: ssl.SSLContext, **options: Any) -> Reply:
    with raw_server(sends(answer()), context) as server, client(server.url, **options) as api:
        return api.ask("A", AS_OF)


def test_a_firms_own_authority_is_trusted(bundle: Path) -> None:
    assert asked_over_tls(tls(), ca_bundle=bundle).status == 200


UNTRUSTED: dict[str, Callable[[], ssl.SSLContext]] = {
    "another authority": lambda: tls(trustme.CA().issue_cert("127.0.0.1")),
    "another name": lambda: tls(CA.issue_cert("example.org")),
    "expired": lambda: tls(CA.issue_cert("127.0.0.1", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))),
    "TLS 1.1": tls_1_1,
    "a client certificate is wanted": lambda: tls(wants=CA),
}


@pytest.mark.parametrize("what", UNTRUSTED)
def test_a_tls_connection_that_cannot_be_trusted_is_unavailable(what: str, bundle: Path) -> None:
    with (
        raw_server(sends(answer()), UNTRUSTED[what]()) as server,
        client(server.url, ca_bundle=bundle) as api,
    ):
        assert api.ask("A", AS_OF).fault is Fault.UNAVAILABLE
    assert server.requests == []


def test_an_authority_is_not_trusted_without_the_bundle() -> None:
    assert asked_over_tls(tls()).fault is Fault.UNAVAILABLE


def test_a_plain_server_on_a_tls_port_is_unavailable(bundle: Path) -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(400))

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            talk(connection, b"")

    thread = threading.Thread(target=serve)
    thread.start()
    with client(f"https://127.0.0.1:{port}", ca_bundle=bundle) as api:
        assert api.ask("A", AS_OF).fault is Fault.UNAVAILABLE
    thread.join(10)
    listener.close()


@pytest.mark.parametrize("in_one_file", [False, True])
def test_a_client_certificate_is_shown_to_a_server_that_wants_one(
    bundle: Path, tmp_path: Path, *, in_one_file: bool
) -> None:
    ours = CA.issue_cert("client@example.org")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem_file(key, ours.private_key_pem)
    pem_file(cert, *([ours.private_key_pem] if in_one_file else []), *ours.cert_chain_pems)
    reply = asked_over_tls(
        tls(wants=CA), ca_bundle=bundle, client_cert=cert, client_key=None if in_one_file else key
    )
    assert reply.status == 200


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(407, b""), id="wants a password"),
        pytest.param(answer(403, b"no"), id="refuses"),
        pytest.param(b"what?\r\n\r\n", id="is no proxy"),
        pytest.param(b"", id="closes"),
    ],
)
def test_a_proxy_that_refuses_is_unavailable(reply: bytes) -> None:
    with (
        raw_server(sends(reply)) as proxy,
        client(
            "https://esg.invalid", Bearer("tok-1"), proxy=f"http://us%40er:pw@127.0.0.1:{proxy.port}"
        ) as api,
    ):
        assert api.ask("SECRET-1", AS_OF).fault is Fault.UNAVAILABLE
    assert proxy.requests[0].startswith(b"CONNECT esg.invalid:443 HTTP/1.1\r\n")
    assert b"proxy-authorization: basic dXNAZXI6cHc=" in proxy.requests[0].replace(b"B", b"b", 1)
    assert b"SECRET-1" not in proxy.requests[0]
    assert b"tok-1" not in proxy.requests[0]


def test_a_proxy_that_is_down_is_unavailable() -> None:
    with client("https://esg.invalid", proxy="http://127.0.0.1:1") as api:
        assert api.ask("A", AS_OF).fault is Fault.UNAVAILABLE


def test_calls_go_through_the_proxy_to_a_server_that_only_it_knows(bundle: Path) -> None:
    def tunnel(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            pump = threading.Thread(target=_copy, args=(connection, onward))
            pump.start()
            _copy(onward, connection)
            connection.shutdown(socket.SHUT_RDWR)
            pump.join(10)

    context = tls(CA.issue_cert("esg.invalid"))
    with (
        raw_server(sends(answer()), context) as server,
        raw_server(tunnel) as proxy,
        client("https://esg.invalid", ca_bundle=bundle, proxy=f"http://127.0.0.1:{proxy.port}") as api,
    ):
        assert api.ask("A", AS_OF).status == 200
    assert len(proxy.requests) == 1


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
