"""A Pushgateway (ESG_METRICS_PUSH_URL): metrics for a firm whose Prometheus cannot reach the exporter."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests
from prometheus_client import CollectorRegistry, push_to_gateway, pushadd_to_gateway

from esg_assets.adapters.verified_tls import client_context, verified_session
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable

JOB = "esg_assets"
SECONDS = 10.0
"""For one push, to connect and for each part of the answer."""

_SERVER_ERROR = 500
_TOO_MANY = 429


def push(
    url: str, registry: CollectorRegistry, environment: str, *, replace: bool, ca: Path | None = None
) -> None:
    """Send every metric of `registry`, as the group of the environment: never one of a run or a host.

    Args:
        url: of the gateway, perhaps with user and password.
        registry: what is sent.
        environment: ESG_ENV, the group's key.
        replace: whether metrics of the group that are not sent now are removed; else they stay.
        ca: PEM file of authorities that are trusted besides the machine's.

    Raises:
        ChannelUnavailable: the gateway does not answer, or not now.
        ChannelRefused: it does not take this.
    """
    send = push_to_gateway if replace else pushadd_to_gateway
    with verified_session(client_context("ESG_ALERT", ca)) as session:
        handler = _Handler(session, url)
        send(handler.gateway, JOB, registry, {"env": environment}, SECONDS, handler)


class _Handler:
    """How prometheus_client sends: over a session of ours, with the URL's credentials in a header."""

    def __init__(self, session: requests.Session, url: str) -> None:
        parts = urlsplit(url)
        self._session = session
        self._auth = (parts.username or "", parts.password or "") if parts.username is not None else None
        self.gateway = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def __call__(
        self, url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        def send() -> None:
            try:
                answer = self._session.request(
                    method, url, data=data, headers=dict(headers), auth=self._auth, timeout=timeout
                )
            except requests.RequestException as error:
                raise ChannelUnavailable(
                    f"Pushing metrics: the gateway of ESG_METRICS_PUSH_URL does not answer "
                    f"({type(error).__name__}). Look whether it is up; the next push sends everything anew."
                ) from None
            _judge(answer.status_code)

        return send


def _judge(status: int) -> None:
    if status in {requests.codes.ok, requests.codes.accepted}:
        return
    told = f"Pushing metrics: the gateway of ESG_METRICS_PUSH_URL answered {status}. "
    if status >= _SERVER_ERROR or status == _TOO_MANY:
        raise ChannelUnavailable(told + "The next push sends everything anew.")
    raise ChannelRefused(told + "Look at the address, its user and password, and the gateway's log.")
