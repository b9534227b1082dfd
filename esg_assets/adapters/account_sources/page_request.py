"""One HTTP request to the account system: certificates, proxy, bounds and time-outs.

Library exceptions end here, since their texts hold URLs, cursors and credentials. Credentials, retries and
what an answer means live in `page_client`.
"""

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Self
from urllib.parse import urlsplit

import requests
import urllib3

from esg_assets.adapters.verified_tls import client_context, verified_session
from esg_assets.core.endpoints import checked_endpoint, is_loopback
from esg_assets.core.errors import SettingsWrong

_CHUNK = 64 * 1024
_PROBLEM_BYTES = 64 * 1024  # of an error's body: enough for its code


@dataclass(frozen=True)
class PagePolicy:
    """How pages are asked for.

    Attributes:
        page_size: accounts asked for at once, 1 to 1,000.
        max_attempts: tries of one page.
        first_wait_seconds: longest wait after the first failed try; it doubles with every further one.
        max_wait_seconds: longest wait between two tries, unless the server asks for more.
        max_retry_after_seconds: a longer Retry-After is treated as this.
        outage_seconds: one page is not tried for longer than this, waits included.
        connect_seconds: for the connection.
        read_seconds: between two pieces of an answer.
        page_seconds: for one answer, first to last byte.
        max_page_bytes: of one page, after decompression.
    """

    page_size: int = 1000
    max_attempts: int = 8
    first_wait_seconds: float = 1.0
    max_wait_seconds: float = 60.0
    max_retry_after_seconds: float = 900.0
    outage_seconds: float = 1800.0
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    page_seconds: float = 120.0
    max_page_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True)
class Transport:
    """The way to the account system.

    Attributes:
        ca_bundle: PEM file of a firm's own certificate authority, trusted besides the machine's.
        client_cert: PEM file of certificate and key, or the two files; None for none.
        proxy: URL of a proxy; the system's proxy variables are never read.
    """

    ca_bundle: str | None = None
    client_cert: str | tuple[str, str] | None = None
    proxy: str | None = None

    def context(self) -> ssl.SSLContext:
        """The TLS context. Raises SettingsWrong if a file cannot be used."""
        cert, key = self.client_cert if isinstance(self.client_cert, tuple) else (self.client_cert, None)
        paths = (None if name is None else Path(name) for name in (self.ca_bundle, cert, key))
        return client_context("ESG_ACCOUNTS", *paths)


@dataclass(frozen=True)
class World:
    """Clocks, sleep and dice, so that no test has to wait."""

    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = SystemRandom().random


class TryAgain(Exception):
    """A try failed in a way that the next one may not."""

    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, body after decompression, and the text of its Retry-After."""

    status: int
    body: bytes
    retry_after: str | None


def pages_url(base_url: str) -> str:
    """The URL of account pages below ESG_ACCOUNTS_URL.

    Raises:
        SettingsWrong: no http(s) URL, plain http elsewhere than on loopback, or credentials, a query
            or a fragment in it.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise SettingsWrong(
            "ESG_ACCOUNTS_URL holds no URL that can be read. Wanted: https://host[:port][/path]."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise SettingsWrong(
            "ESG_ACCOUNTS_URL holds credentials, a query or a fragment. Wanted: https://host[:port][/path]; "
            "credentials have settings of their own, ESG_ACCOUNTS_AUTH and those beside it."
        )
    if parts.scheme != "https" and not is_loopback(host):
        raise SettingsWrong("ESG_ACCOUNTS_URL is plain http to another machine. Wanted: https.")
    return checked_endpoint(base_url, "ESG_ACCOUNTS_URL") + "/v1/accounts"


class PageRequests:
    """Requests for pages, over one session; close it after use (a context manager)."""

    def __init__(self, base_url: str, transport: Transport, policy: PagePolicy, world: World) -> None:
        """Raises SettingsWrong (see `pages_url`, `Transport.context`). Nothing is opened yet."""
        self._url = pages_url(base_url)
        self._policy = policy
        self._world = world
        self._session = verified_session(transport.context(), transport.proxy or "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send(self, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """One request.

        Raises:
            TryAgain: no answer, or not a whole one.
            SettingsWrong: a header cannot be sent.
        """
        policy = self._policy
        try:
            with self._session.get(
                self._url,
                params=parameters,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip", **headers},
                timeout=(policy.connect_seconds, policy.read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._body(response)
                return Answer(response.status_code, body, response.headers.get("Retry-After"))
        except (requests.exceptions.InvalidHeader, UnicodeError):
            wrong = "ESG_ACCOUNTS_TOKEN or ESG_ACCOUNTS_API_KEY holds a character that no header can carry."
            fault = ""
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            wrong, fault = "", _fault(error)
        # Raised out here, so that the library's exception doesn't come along as the context.
        if wrong:
            raise SettingsWrong(f"{wrong} Nothing was asked. Wanted: a value that is complete and readable.")
        raise TryAgain(fault)

    def _body(self, response: requests.Response) -> bytes:
        """The body, decompressed: all of a page, the beginning of anything else."""
        is_page = response.status_code == requests.codes.ok
        most = self._policy.max_page_bytes if is_page else _PROBLEM_BYTES
        ends = self._world.monotonic() + self._policy.page_seconds
        parts: list[bytes] = []
        size = 0
        # read1 returns what has arrived; read would wait for a full chunk, and a server that sends
        # a byte now and then could hold it for ever.
        while part := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > most:
                if is_page:
                    raise TryAgain(f"sent a page of more than {most:,} bytes")
                break
            if self._world.monotonic() > ends:
                raise TryAgain(f"took more than {self._policy.page_seconds:g} s to send a page")
        return b"".join(parts)


def _fault(error: Exception) -> str:
    """What happened, in words of ours."""
    if isinstance(error, requests.exceptions.SSLError):
        return "could not be reached: TLS failed (certificate, or ESG_ACCOUNTS_CA_BUNDLE)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "could not be reached: the proxy failed"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, urllib3.exceptions.HTTPError | http.client.HTTPException):
        return "broke off its answer"
    if isinstance(error, requests.ConnectionError):
        return "could not be reached or closed the connection"
    return "could not be asked"
