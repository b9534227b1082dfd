"""Calls to a server on loopback through a client of its own, for the tests of `HttpEsgApi`."""

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Any

from esg_assets.adapters.authorization import NoAuthorization
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.core.ports import Authorization, CallPolicy
from esg_assets.core.ratings import Reply
from esg_assets_tests.raw_server import Talk, raw_server

AS_OF = date(2026, 1, 14)


@contextlib.contextmanager
def client(url: str, authorization: Authorization | None = None, **options: Any) -> Iterator[HttpEsgApi]:
    policy = CallPolicy(timeout_seconds=options.pop("timeout", 10.0))
    api = HttpEsgApi(url, authorization or NoAuthorization(), policy, **options)
    try:
        yield api
    finally:
        api.close()


def asked(talk: Talk, account_id: str = "ACC-1", **options: Any) -> Reply:
    with raw_server(talk) as server, client(server.url, **options) as api:
        return api.ask(account_id, AS_OF)
