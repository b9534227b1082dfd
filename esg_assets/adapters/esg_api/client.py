"""One call to the ESG Portfolio Analysis API for one account, over pyreqwest's synchronous client.

Whatever the other side does ends in a `Reply`; what it means is judged in `esg_assets.core.replies`.
How the connection is made lives in `transport`, credentials in `esg_assets.adapters.authorization`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import quote

from pyreqwest.exceptions import DecodeError, PyreqwestError
from pyreqwest.request import SyncStreamRequest
from pyreqwest.response import SyncResponse

from esg_assets.adapters.esg_api.transport import build_client
from esg_assets.core.endpoints import checked_endpoint
from esg_assets.core.errors import Unavailable
from esg_assets.core.ports import Authorization, CallPolicy
from esg_assets.core.ratings import Fault, Reply

MAX_BODY_BYTES = 1 << 20
"""Of a body after decompression."""

MAX_FIELD_CHARS = 256
"""A longer header field is dropped; those we keep hold a few numbers."""

PIECE_BYTES = 64 * 1024
UNAUTHORIZED = 401
KEPT_FIELDS = ("ratelimit", "x-ratelimit-", "etag")


class HttpEsgApi:
    """The provider over HTTP(S); implements the port `RatingsApi`, for many threads.

    Args:
        base_url: ESG_API_URL; plain http only on loopback.
        authorization: credentials of each request.
        policy: rate limit and retry policy; here only its timeout and concurrency matter.
        ca_bundle: PEM file of authorities that are trusted besides the system's.
        client_cert: PEM file of a client certificate for mutual TLS.
        client_key: PEM file of its private key; it may also stand in `client_cert`.
        proxy: URL, "" for a direct connection; the environment's proxies are never used.
        user_agent: how we introduce ourselves.
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
        ca_bundle: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxy: str = "",
        user_agent: str = "esg-assets",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ratings_url = checked_endpoint(base_url, "ESG_API_URL") + "/v1/accounts/"
        self._authorization = authorization
        self._policy = policy
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

    def ask(self, account_id: str, as_of: date) -> Reply:
        """One call for one account; never raises for what the provider does.

        After a 401 it gets a new token, but does not repeat the call: that would be a second call in
        one slot (`Reply.token_renewed` tells).

        Raises:
            AccessDenied: no token could be had with these credentials.
        """
        url = self._url(account_id, as_of)
        if url is None:
            return Reply(None, fault=Fault.LOCAL_REFUSAL, received_at=self._clock())
        try:
            sent = self._authorization.headers()
            reply = self._call(url, sent)
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

    def _url(self, account_id: str, as_of: date) -> str | None:
        # URL parsers fold "." and ".." away even when they are percent-encoded, and an empty segment
        # would name the list: each would ask for something else than this account.
        if account_id in {"", ".", ".."}:
            return None
        try:
            segment = quote(account_id, safe="")
        except UnicodeEncodeError:  # a lone surrogate
            return None
        return f"{self._ratings_url}{segment}/esg-rating?as_of={as_of.isoformat()}"

    def _call(self, url: str, headers: Mapping[str, str]) -> Reply:
        started = time.monotonic()
        try:
            with self._request(url, headers) as response:
                reply = Reply(
                    response.status,
                    _read(response),
                    retry_after=_field(response, "retry-after"),
                    headers=_kept_fields(response),
                )
        except TimeoutError:
            reply = Reply(None, fault=Fault.TIMEOUT)
        except (DecodeError, _TooLong):
            reply = Reply(None, fault=Fault.BAD_RESPONSE)
        except (PyreqwestError, OSError):
            reply = Reply(None, fault=Fault.UNAVAILABLE)
        return replace(reply, received_at=self._clock(), seconds=time.monotonic() - started)

    def _request(self, url: str, headers: Mapping[str, str]) -> SyncStreamRequest:
        builder = self._client.get(url).header("Accept", "application/json")
        for name, value in headers.items():
            builder = builder.header(name, value, is_sensitive=True)
        return builder.build_streamed()


class _TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


def _read(response: SyncResponse) -> bytes:
    """The whole body, or _TooLong: leaving the response's context then drops the connection."""
    body = bytearray()
    reader = response.body_reader
    while (piece := reader.read(PIECE_BYTES)) is not None:
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise _TooLong
    return bytes(body)


def _kept_fields(response: SyncResponse) -> dict[str, str]:
    """The rate-limit and validator fields, by their names in lower case."""
    names = {name.lower() for name in response.headers}
    fields = {name: _field(response, name) for name in names if name.startswith(KEPT_FIELDS)}
    return {name: value for name, value in fields.items() if value is not None}


def _field(response: SyncResponse, name: str) -> str | None:
    """The field's text (the first, if it was sent twice); None for one that is absent or absurd."""
    try:
        value = response.get_header(name)
    except ValueError:  # not ASCII
        return None
    return value if value is not None and len(value) <= MAX_FIELD_CHARS else None
