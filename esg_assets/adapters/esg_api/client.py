"""One call to the ESG Portfolio Analysis API, over pyreqwest's synchronous client.

Whatever the other side does ends in a `Reply`; what it means is judged in `esg_assets.core.replies`.
What is sent lives in `request_shape`, how the connection is made in `transport`, credentials in
`esg_assets.adapters.authorization`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from pyreqwest.exceptions import DecodeError, PyreqwestError
from pyreqwest.request import SyncStreamRequest
from pyreqwest.response import SyncResponse

from esg_assets.adapters.esg_api.request_shape import (
    CONTRACT_ONE,
    Outgoing,
    RequestShape,
    merged,
    next_link,
)
from esg_assets.adapters.esg_api.transport import build_client
from esg_assets.core.endpoints import checked_endpoint
from esg_assets.core.errors import Unavailable
from esg_assets.core.ports import Authorization, CallPolicy
from esg_assets.core.ratings import Fault, Reply

MAX_BODY_BYTES = 1 << 20
"""Of a body after decompression, and of all the pages of one call."""

MAX_FIELD_CHARS = 256
"""A longer header field is dropped; those we keep hold a few numbers."""

PIECE_BYTES = 64 * 1024
SHORT_DIGITS = 5
"""A body that announces fewer than 100,000 bytes is read at once: each piece costs two changes of thread."""

OK, UNAUTHORIZED = 200, 401
RETRY_AFTER = "retry-after"
KEPT_FIELDS = ("ratelimit", "x-ratelimit-", "etag", RETRY_AFTER)


class HttpEsgApi:
    """The provider over HTTP(S); implements the port `RatingsApi`, for many threads.

    Args:
        base_url: ESG_API_URL; plain http only on loopback.
        authorization: credentials of each request.
        policy: rate limit and retry policy; here only its timeout and concurrency matter.
        shape: how the provider wants to be asked; by default as the contract says, one account a call.
        ca_bundle: PEM file of authorities that are trusted besides the system's.
        client_cert: PEM file of a client certificate for mutual TLS.
        client_key: PEM file of its private key; it may also stand in `client_cert`.
        proxy: URL, "" for a direct connection; the environment's proxies are never used.
        user_agent: how we introduce ourselves.
        took: told the seconds of each call that was sent, its further pages included.
        clock: wall clock in seconds since 1970.

    Raises:
        SettingsWrong: the URL, the proxy or a PEM file cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        authorization: Authorization,
        policy: CallPolicy,
        *,
        shape: RequestShape = CONTRACT_ONE,
        ca_bundle: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxy: str = "",
        user_agent: str = "esg-assets",
        took: Callable[[float], None] = lambda _seconds: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._base_url = checked_endpoint(base_url, "ESG_API_URL")
        self._shape = shape
        self._authorization = authorization
        self._policy = policy
        self._took = took
        self._clock = clock
        self._client = build_client(
            policy,
            user_agent=user_agent,
            ca_bundle=ca_bundle,
            client_cert=client_cert,
            client_key=client_key,
            proxy=proxy,
        )

    @property
    def policy(self) -> CallPolicy:
        """Rate limit and retry policy in force."""
        return self._policy

    @property
    def accounts_per_call(self) -> int:
        """The most accounts that one call may ask for."""
        return self._shape.ids_per_call

    def ask(self, account_id: str, as_of: date) -> Reply:
        """`ask_many` of one account."""
        return self.ask_many((account_id,), as_of)

    def ask_many(
        self,
        account_ids: Sequence[str],
        as_of: date,
        wait_for_slot: Callable[[], None] | None = None,
        etag: str = "",
    ) -> Reply:
        """One call for up to `accounts_per_call` accounts; never raises for what the provider does.

        After a 401 it gets a new token, but does not repeat the call: that would be a second call in
        one slot (`Reply.token_renewed` tells). Each further page waits for a slot of its own.

        Args:
            account_ids: unique.
            as_of: the date asked for.
            wait_for_slot: see the port.
            etag: see the port; sent as If-None-Match.

        Raises:
            AccessDenied: no token could be had with these credentials.
        """
        request = self._shape.request(self._base_url, account_ids, as_of)
        if request is None:
            return Reply(None, fault=Fault.LOCAL_REFUSAL, received_at=self._clock())
        try:
            sent = self._authorization.headers()
            reply = self._call(request, {**sent, "If-None-Match": etag} if etag else sent)
            if reply.status == OK and self._shape.paging is not None:
                reply = self._pages(request, reply, account_ids, as_of, sent, wait_for_slot)
            self._took(reply.seconds)
            if reply.status != UNAUTHORIZED or not self._authorization.renew(sent):
                return reply
        except Unavailable:  # no token for the time being
            return Reply(None, fault=Fault.UNAVAILABLE, received_at=self._clock())
        return replace(reply, token_renewed=True)

    def close(self) -> None:
        """Close the connections; calls under way end with Fault.UNAVAILABLE."""
        self._client.close()

    def __repr__(self) -> str:
        return "HttpEsgApi(***)"

    def _pages(
        self,
        request: Outgoing,
        first: Reply,
        account_ids: Sequence[str],
        as_of: date,
        headers: Mapping[str, str],
        wait_for_slot: Callable[[], None] | None,
    ) -> Reply:
        """The first page and those that follow it as one reply; a page that fails is the reply."""
        paging = self._shape.paging
        assert paging is not None
        reply, pages, seconds = first, [first.body], first.seconds
        while (found := next_link(paging, reply.body)) is not None:
            following = self._shape.page(request, found, account_ids, as_of, len(pages))
            if following is None or wait_for_slot is None or len(pages) == paging.most:
                return replace(reply, status=None, body=b"", fault=Fault.BAD_RESPONSE, seconds=seconds)
            wait_for_slot()
            request, reply = following, self._call(following, headers)
            seconds += reply.seconds
            pages.append(reply.body)
            if reply.status != OK:
                return reply
            if sum(map(len, pages)) > MAX_BODY_BYTES:
                return replace(reply, status=None, body=b"", fault=Fault.BAD_RESPONSE, seconds=seconds)
        return replace(reply, body=merged(pages), seconds=seconds)

    def _call(self, request: Outgoing, headers: Mapping[str, str]) -> Reply:
        started = time.monotonic()
        try:
            with self._request(request, headers) as response:
                body, fields = _read(response), _kept_fields(response)
                return Reply(
                    response.status,
                    body,
                    retry_after=fields.pop(RETRY_AFTER, None),
                    received_at=self._clock(),
                    seconds=time.monotonic() - started,
                    headers=fields,
                )
        except TimeoutError:
            fault = Fault.TIMEOUT
        except (DecodeError, _TooLong):
            fault = Fault.BAD_RESPONSE
        except (PyreqwestError, OSError):
            fault = Fault.UNAVAILABLE
        seconds = time.monotonic() - started
        return Reply(None, fault=fault, received_at=self._clock(), seconds=seconds)

    def _request(self, request: Outgoing, headers: Mapping[str, str]) -> SyncStreamRequest:
        builder = self._client.request(request.method, request.url).header("Accept", "application/json")
        if request.body is not None:
            builder = builder.header("Content-Type", "application/json").body_bytes(request.body)
        for name, value in headers.items():
            builder = builder.header(name, value, is_sensitive=True)
        return builder.build_streamed()


class _TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


def _read(response: SyncResponse) -> bytes:
    """The whole body, or _TooLong: leaving the response's context then drops the connection."""
    if _is_short(response):
        return bytes(response.bytes())
    body = bytearray()
    reader = response.body_reader
    while (piece := reader.read(PIECE_BYTES)) is not None:
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise _TooLong
    return bytes(body)


def _is_short(response: SyncResponse) -> bool:
    """Whether the body's length is announced, and small.

    A length says nothing of a body in chunks, which may carry the field too; the client takes it away
    from a body that it decompresses.
    """
    length = _field(response, "content-length")
    return (
        length is not None
        and len(length) <= SHORT_DIGITS
        and length.isdecimal()
        and "transfer-encoding" not in response.headers
    )


def _kept_fields(response: SyncResponse) -> dict[str, str]:
    """The rate-limit and validator fields, by their names in lower case."""
    kept: dict[str, str] = {}
    for name in response.headers:  # names come in lower case
        if name.startswith(KEPT_FIELDS) and (value := _field(response, name)) is not None:
            kept[name] = value
    return kept


def _field(response: SyncResponse, name: str) -> str | None:
    """The field's text (the first, if it was sent twice); None for one that is absent or absurd."""
    try:
        value = response.get_header(name)
    except ValueError:  # not ASCII
        return None
    return value if value is not None and len(value) <= MAX_FIELD_CHARS else None
