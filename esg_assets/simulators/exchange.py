"""What goes in and out of a handler: the request's parts, replies, problem documents, queries.

Handlers are plain functions from a `Request` to a `Reply`; only `app` and `misbehaviour` touch ASGI.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from esg_assets.simulators.rate_limit import Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Line(NamedTuple):
    """The three things that ASGI gives for one request."""

    scope: Scope
    receive: Receive
    send: Send


Delivery = Callable[["Reply", Line], Awaitable[None]]
"""A way to send a reply that is not the ordinary one."""


class Request(NamedTuple):
    """One request: `headers` have lower-case names; `query` and `body` are as they came."""

    headers: Iterable[tuple[bytes, bytes]]
    query: bytes = b""
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """The value of the first field of that (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Reply(NamedTuple):
    """One answer. `delivery` replaces the ordinary way of sending it."""

    status: int
    headers: Headers
    body: bytes = b""
    delivery: Delivery | None = None


class Malformed(Exception):
    """The request's query breaks the contract; `str(error)` is the problem's detail."""


def json_reply(body: bytes, status: int = 200) -> Reply:
    """A reply with a JSON body; its header list may be added to."""
    return Reply(
        status,
        [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
        body,
    )


def problem(status: int, code: str, title: str, detail: str = "") -> Reply:
    """An RFC 9457 problem document."""
    document = {"type": "about:blank", "title": title, "status": status, "code": code}
    if detail:
        document["detail"] = detail
    body = json.dumps(document).encode()
    return Reply(
        status,
        [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))],
        body,
    )


def with_header(reply: Reply, name: bytes, value: bytes) -> Reply:
    """`reply` with one more header field."""
    reply.headers.append((name, value))
    return reply


def json_text(text: str) -> str:
    """`text` as a JSON string, non-ASCII characters as they are."""
    return json.dumps(text, ensure_ascii=False)


def query_of(query: bytes) -> dict[str, list[str]]:
    """The query's parameters with all their values.

    Raises:
        Malformed: a name or value is not UTF-8.
    """
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed("the parameters are not percent-encoded UTF-8") from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def single(parameters: dict[str, list[str]], name: str) -> str | None:
    """The value of a parameter that may come once.

    Raises:
        Malformed: it came several times.
    """
    values = parameters.get(name)
    if values is None:
        return None
    if len(values) > 1:
        raise Malformed(f"{name} was given {len(values)} times")
    return values[0]


def date_in(parameters: dict[str, list[str]], name: str) -> str | None:
    """A full-date (RFC 3339) as its text, which orders as the dates do.

    Raises:
        Malformed: it is no date.
    """
    text = single(parameters, name)
    if text is not None and not is_full_date(text):
        raise Malformed(f"{name} is not a date such as 2026-01-14")
    return text


_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(maxsize=1024)
def is_full_date(text: str) -> bool:
    """Whether `text` is a full-date of RFC 3339, which has a year 0000 where Python has none."""
    if not _FULL_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat("2000" + text[4:] if text.startswith("0000") else text)
    except ValueError:
        return False
    return True
