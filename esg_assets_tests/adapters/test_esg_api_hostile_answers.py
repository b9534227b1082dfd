"""`HttpEsgApi` against servers that do their worst: each ends in the right fault, soon, in bounded memory."""

import gzip
import resource
import socket
import threading
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.adapters.authorization import NoAuthorization
from esg_assets.adapters.esg_api.client import MAX_BODY_BYTES, HttpEsgApi
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Fault, Reply
from esg_assets_tests.adapters.esg_api_calls import AS_OF, asked, client
from esg_assets_tests.raw_server import Talk, answer, raw_server, reset, sends, sends_without_end


@pytest.mark.parametrize(
    ("size", "fault"), [(MAX_BODY_BYTES, None), (MAX_BODY_BYTES + 1, Fault.BAD_RESPONSE)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_may_have_1_mib_after_decompression(size: int, fault: Fault | None, *, packed: bool) -> None:
    body = b" " * size
    sent = answer(200, gzip.compress(body), content_encoding="gzip") if packed else answer(200, body)
    reply = asked(sends(sent))
    assert reply.fault == fault
    assert reply.body == (b"" if fault else body)


def gzip_bomb(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n")
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(600 * 16):
        connection.sendall(packer.compress(bytes(65536)))


def gzip_bomb_with_a_short_length(connection: socket.socket, _request: bytes) -> None:
    bomb = gzip.compress(bytes(MAX_BODY_BYTES * 64), 9)
    assert len(bomb) < 100_000
    connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb) + bomb
    )
    if not connection.recv(1):  # the client left: politely, or with a reset where bytes were unread
        raise ConnectionAbortedError


ENDLESS: dict[str, Talk] = {
    "announced": sends_without_end(b"HTTP/1.1 200 OK\r\ncontent-length: 629145600\r\n\r\n", b"x" * 65536),
    "until_close": sends_without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "chunked": sends_without_end(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"
    ),
    "chunked_with_a_short_length": sends_without_end(
        b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\ntransfer-encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"x" * 65536 + b"\r\n",
    ),
    "gzip_bomb": gzip_bomb,
    "gzip_bomb_with_a_short_length": gzip_bomb_with_a_short_length,
    "of_an_error": sends_without_end(b"HTTP/1.1 503 X\r\ncontent-length: 629145600\r\n\r\n", b"x" * 65536),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_body_of_600_mb_is_dropped_with_its_connection(kind: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(ENDLESS[kind]) as server, client(server.url) as api:
        started = time.monotonic()
        reply = api.ask("A", AS_OF)
        seconds = time.monotonic() - started
        # The server sees it too: nothing goes on reading in the background.
        assert server.broken_off.wait(10)
        assert api.ask("A", AS_OF).fault is Fault.BAD_RESPONSE  # and the client still works
    assert (reply.status, reply.fault, reply.body) == (None, Fault.BAD_RESPONSE, b"")
    assert seconds < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def says_nothing(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)  # until the client leaves


def drips(first: bytes, rest: bytes) -> Talk:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        for byte in rest:
            time.sleep(0.05)
            connection.sendall(bytes([byte]))

    return talk


def then_reset(data: bytes) -> Talk:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(data)
        time.sleep(0.02)  # so that the data arrives before the reset
        reset(connection)

    return talk


def chunked(rest: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + rest


HOSTILE: dict[str, tuple[Talk, Fault]] = {
    "closed at once": (sends(b""), Fault.UNAVAILABLE),
    "reset at once": (then_reset(b""), Fault.UNAVAILABLE),
    "closed within the head": (sends(answer()[:20]), Fault.UNAVAILABLE),
    "reset within the head": (then_reset(answer()[:20]), Fault.UNAVAILABLE),
    "reset within the body": (then_reset(answer()[:-1]), Fault.UNAVAILABLE),
    "closed within the body": (sends(answer()[:-1]), Fault.BAD_RESPONSE),
    "closed within a chunk": (sends(chunked(b"5\r\n{}")), Fault.BAD_RESPONSE),
    "HTTP/0.9": (sends(b'{"account_id": "A"}'), Fault.BAD_RESPONSE),
    "not HTTP": (sends(b"220 mail.example.org ESMTP\r\n\r\n"), Fault.BAD_RESPONSE),
    "another protocol's frames": (sends(b"\x15\x03\x01\x00\x02\x02\x28"), Fault.BAD_RESPONSE),
    "HTTP/2 status line": (sends(answer().replace(b"HTTP/1.1", b"HTTP/2")), Fault.BAD_RESPONSE),
    "status 099": (sends(answer().replace(b"200", b"099")), Fault.BAD_RESPONSE),
    "status 2000": (sends(answer().replace(b"200", b"2000")), Fault.BAD_RESPONSE),
    "length is no number": (sends(b"HTTP/1.1 200 X\r\ncontent-length: x\r\n\r\n{}"), Fault.BAD_RESPONSE),
    "length is negative": (sends(b"HTTP/1.1 200 X\r\ncontent-length: -2\r\n\r\n{}"), Fault.BAD_RESPONSE),
    "two lengths": (
        sends(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
        Fault.BAD_RESPONSE,
    ),
    "NUL in a field": (sends(b"HTTP/1.1 200 X\r\na: b\0\r\ncontent-length: 0\r\n\r\n"), Fault.BAD_RESPONSE),
    "endless field": (sends_without_end(b"HTTP/1.1 200 X\r\na: ", b"a" * 65536), Fault.BAD_RESPONSE),
    "endless fields": (sends_without_end(b"HTTP/1.1 200 X\r\n", b"a: b\r\n" * 1000), Fault.BAD_RESPONSE),
    "200 fields": (sends(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 200 + b"\r\n"), Fault.BAD_RESPONSE),
    "chunk size is no number": (sends(chunked(b"zz\r\n{}\r\n0\r\n\r\n")), Fault.BAD_RESPONSE),
    "chunk size overflows": (sends(chunked(b"f" * 17 + b"\r\n{}")), Fault.BAD_RESPONSE),
    "endless chunk extension": (sends_without_end(chunked(b"5;"), b"x" * 65536), Fault.BAD_RESPONSE),
    "endless trailers": (sends_without_end(chunked(b"0\r\n"), b"x: y\r\n" * 1000), Fault.BAD_RESPONSE),
    "not gzip": (sends(answer(200, b"{}", content_encoding="gzip")), Fault.BAD_RESPONSE),
    "bytes after gzip": (
        sends_without_end(b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\n\r\n", gzip.compress(b"") * 1000),
        Fault.BAD_RESPONSE,
    ),
}

SLOW: dict[str, Talk] = {
    "silence": says_nothing,
    "a dripping head": drips(b"", answer()),
    "a dripping body": drips(b"HTTP/1.1 200 X\r\n\r\n", b" " * 200),
    "endless interim answers": sends_without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_http_answer_is_a_fault_at_once(what: str) -> None:
    talk, fault = HOSTILE[what]
    started = time.monotonic()
    reply = asked(talk)
    assert (reply.status, reply.fault, reply.body, reply.headers) == (None, fault, b"", {})
    assert time.monotonic() - started < 8  # well below the timeout


@pytest.mark.parametrize("what", SLOW)
def test_one_timeout_covers_the_whole_call(what: str) -> None:
    started = time.monotonic()
    reply = asked(SLOW[what], timeout=0.4)
    assert (reply.status, reply.fault) == (None, Fault.TIMEOUT)
    assert reply.seconds >= 0.35
    assert time.monotonic() - started < 8


WHOLE = answer(200, gzip.compress(b'{"account_id": "ACC-1"}', mtime=0), content_encoding="gzip", etag='"1"')


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.booleans())
def test_an_answer_cut_off_at_any_byte_is_a_fault(cut: int, hard: bool) -> None:
    reply = asked(then_reset(WHOLE[:cut]) if hard else sends(WHOLE[:cut]))
    assert reply.fault in {Fault.UNAVAILABLE, Fault.BAD_RESPONSE}


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:1", id="refused"),
        pytest.param("https://nobody.invalid", id="no such host"),
    ],
)
def test_a_host_that_cannot_be_reached_is_unavailable(url: str) -> None:
    with client(url) as api:
        reply = api.ask("A", AS_OF)
    assert (reply.status, reply.fault) == (None, Fault.UNAVAILABLE)


def test_closing_ends_a_call_under_way_and_later_ones() -> None:
    waiting = threading.Event()

    def talk(connection: socket.socket, _: bytes) -> None:
        waiting.set()
        connection.recv(1)

    replies: list[Reply] = []
    with raw_server(talk) as server:
        api = HttpEsgApi(server.url, NoAuthorization(), CallPolicy())
        thread = threading.Thread(target=lambda: replies.append(api.ask("A", AS_OF)))
        thread.start()
        assert waiting.wait(10)
        api.close()
        thread.join(10)
        assert not thread.is_alive()
        replies.append(api.ask("A", AS_OF))
    assert [reply.fault for reply in replies] == [Fault.UNAVAILABLE] * 2
