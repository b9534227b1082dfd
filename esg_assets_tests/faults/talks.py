"""What hostile servers say for one account, byte by byte; `hostile` puts them into scenarios."""

import gzip
import random
import socket
import time
import zlib
from collections.abc import Callable

from esg_assets_tests.raw_server import Talk, answer, read_request, reset, sends, sends_without_end

MEBIBYTE = 1 << 20
GOOD_HEAD = b"HTTP/1.1 200 OK\r\n"

Wrong = Callable[[bytes], Talk]
"""Makes a talk of the right rating's JSON."""


def instead(talk: Talk) -> Wrong:
    """The same whatever would be right."""
    return lambda _right: talk


def raw(data: bytes) -> Wrong:
    """Exactly these bytes, then the end of the connection."""
    return instead(sends(data))


def silence(connection: socket.socket, _request: bytes) -> None:
    """Nothing until the client leaves."""
    connection.recv(1)


def drips(first: bytes, rest: bytes) -> Talk:
    """`first` at once, then a byte every 50 ms."""

    def talk(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(first)
        for byte in rest:
            time.sleep(0.05)
            connection.sendall(bytes([byte]))

    return talk


def loris(right: bytes) -> Talk:
    """The right answer, much too slowly."""
    whole = answer(200, right)
    return drips(whole[: -len(right)], right)


def bomb(connection: socket.socket, _request: bytes) -> None:
    """600 MB of zeros, packed."""
    connection.sendall(GOOD_HEAD + b"content-encoding: gzip\r\n\r\n")
    packer = zlib.compressobj(1, wbits=31)
    for _ in range(600):
        connection.sendall(packer.compress(bytes(MEBIBYTE)))


def broken_off(seed: int, *, hard: bool) -> Wrong:
    """The right answer up to a random byte, then a reset or an end."""

    def wrong(right: bytes) -> Talk:
        whole = answer(200, right)
        cut = random.Random(seed).randrange(len(whole))

        def talk(connection: socket.socket, _request: bytes) -> None:
            connection.sendall(whole[:cut])
            if hard:
                time.sleep(0.02)  # so that the data arrives before the reset
                reset(connection)

        return talk

    return wrong


def http_1_0(right: bytes) -> Talk:
    """HTTP/1.0 without a length: the end of the connection is the end of the body."""
    return sends(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + right)


def http_1_0_cut(right: bytes) -> Talk:
    """The same, but half of it: nothing tells that it is not whole, but the JSON."""
    return sends(b"HTTP/1.0 200 OK\r\n\r\n" + right[: len(right) // 2])


def keeps_open(before: bytes, after: bytes) -> Wrong:
    """Answers as if the connection were kept; around the right answer are other bytes; then it closes."""

    def wrong(right: bytes) -> Talk:
        whole = answer(200, right, connection="keep-alive")
        return sends(before + whole + after)

    return wrong


def field(name: str, value: str) -> Wrong:
    """The right answer with one more header field."""
    return lambda right: sends(answer(200, right, **{name: value}))


def refusal(status: int, retry_after: str) -> Wrong:
    """A refusal with that Retry-After."""
    return raw(answer(status, b"{}", retry_after=retry_after))


def endless(first: bytes, piece: bytes) -> Wrong:
    """`first`, then `piece` for 600 MB or until the client leaves."""
    return instead(sends_without_end(first, piece))


def many_answers(right: bytes) -> Talk:
    """Answers one request after the other on one connection, each followed by an answer nobody asked for."""
    unasked = answer(200, right, connection="keep-alive")

    def talk(connection: socket.socket, request: bytes) -> None:
        while request:
            connection.sendall(answer(200, right, connection="keep-alive") + unasked)
            request = read_request(connection)

    return talk


CHUNKED = GOOD_HEAD + b"transfer-encoding: chunked\r\n\r\n"
PIECE = b"x" * 65536

TOO_SLOW: tuple[Wrong, ...] = (
    instead(silence),
    instead(drips(b"", answer())),
    loris,
    endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
)
TOO_LONG: tuple[Wrong, ...] = (
    endless(GOOD_HEAD + b"content-length: 52428800\r\n\r\n", PIECE),
    endless(GOOD_HEAD + b"\r\n", PIECE),
    endless(CHUNKED, b"10000\r\n" + PIECE + b"\r\n"),
    endless(b"HTTP/1.1 503 X\r\ncontent-length: 629145600\r\n\r\n", PIECE),
    instead(bomb),
    endless(GOOD_HEAD + b"content-encoding: gzip\r\n\r\n", gzip.compress(b"") * 1000),
)
TOO_MANY_FIELDS: tuple[Wrong, ...] = (
    endless(GOOD_HEAD + b"a: ", b"a" * 65536),
    endless(GOOD_HEAD, b"a: b\r\n" * 1000),
    raw(GOOD_HEAD + b"a: b\r\n" * 200 + b"\r\n"),
    endless(CHUNKED + b"5;", PIECE),
    endless(CHUNKED + b"0\r\n", b"x: y\r\n" * 1000),
)
NOT_HTTP: tuple[Wrong, ...] = (
    sends,  # HTTP/0.9: the rating alone
    raw(b"220 mail.example.org ESMTP\r\n\r\n"),
    raw(b"\x15\x03\x01\x00\x02\x02\x28"),
    lambda right: sends(answer(200, right).replace(b"HTTP/1.1", b"HTTP/2")),
    lambda right: sends(answer(200, right).replace(b" 200 ", b" 099 ")),
    lambda right: sends(answer(200, right).replace(b" 200 ", b" 2000 ")),
)
CONTRADICTIONS: tuple[Wrong, ...] = (
    raw(GOOD_HEAD + b"content-length: x\r\n\r\n{}"),
    raw(GOOD_HEAD + b"content-length: -2\r\n\r\n{}"),
    raw(GOOD_HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    raw(GOOD_HEAD + b"a: b\0\r\ncontent-length: 0\r\n\r\n"),
    raw(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
    raw(CHUNKED + b"f" * 17 + b"\r\n{}"),
    lambda right: sends(answer(200, right, content_encoding="gzip")),
)
NO_RETRY_AFTER = ("-5", "99999999999", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9", "9" * 300, "0")
LYING_LIMITS: tuple[Wrong, ...] = (
    field("x_ratelimit_limit", "0"),
    lambda right: sends(answer(200, right, x_ratelimit_limit="-1", x_ratelimit_window="60")),
    field("ratelimit_policy", '"default";q=0;w=0'),
    field("ratelimit_policy", '"default";q=1;w=32400'),
    field("ratelimit_policy", "nonsense; q=w, w=q"),
    field("ratelimit", '"default";r=0;t=32400'),
    field("ratelimit_limit", "1" * 300),
)
