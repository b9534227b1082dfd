"""A client that hides nothing: one request per connection, no redirects, no retries, raw bytes."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.parse import quote, urlsplit

CLIENT = ("demo-client", "demo-secret")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    url: str,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
    timeout: float = 10.0,
    context: ssl.SSLContext | None = None,
) -> Answer:
    at = urlsplit(url)
    assert at.hostname is not None
    connection = (
        http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)
        if at.scheme == "http"
        else http.client.HTTPSConnection(at.hostname, at.port, timeout=timeout, context=context)
    )
    try:
        connection.request(method, path, body=body, headers=headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def rating_path(account_id: str, as_of: str | None = None) -> str:
    return f"/v1/accounts/{quote(account_id, safe='')}/esg-rating" + (f"?as_of={as_of}" if as_of else "")


def basic(client_id: str = CLIENT[0], client_secret: str = CLIENT[1]) -> dict[str, str]:
    pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def ask_token(url: str, form: str = "grant_type=client_credentials", **headers: str) -> Answer:
    fields = basic() | {"Content-Type": "application/x-www-form-urlencoded"} | headers
    return call(url, "/oauth2/token", fields, method="POST", body=form.encode())


def bearer(url: str, form: str = "grant_type=client_credentials") -> dict[str, str]:
    return {"Authorization": f"Bearer {ask_token(url, form).json['access_token']}"}
