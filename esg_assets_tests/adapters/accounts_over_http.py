"""Reading accounts over HTTP in tests: rows with a secret, a clock that only sleeping moves, and tokens."""

import itertools
import random
from collections.abc import Mapping
from datetime import date

import pytest

from esg_assets.adapters.account_sources import HttpAccountSource, PagePolicy
from esg_assets.adapters.account_sources.page_request import World
from esg_assets.core.errors import (
    EsgError,
)
from esg_assets.core.ports import Authorization
from esg_assets_tests.adapters.page_server import PageServer

DAY = date(2026, 1, 14)
SECRET = "S3CRET"
ROWS: list[Mapping[str, object]] = [{"account_id": f"{SECRET}{i}", "status": "active"} for i in range(5)]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_768_474_800.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def world(self) -> World:
        return World(lambda: self.now, lambda: self.now, self.sleep, random.Random(7).random)


class Tokens:
    """Bearer tokens, numbered; `renewals` new ones can be had."""

    def __init__(self, renewals: int = 9) -> None:
        self.number, self.left = 1, renewals

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {SECRET}-{self.number}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        if not self.left:
            return False
        self.number, self.left = self.number + 1, self.left - 1
        return True


def read(
    server: PageServer,
    time: Time,
    as_of: date | None = DAY,
    authorization: Authorization | None = None,
    policy: PagePolicy | None = None,
) -> list[Mapping[str, object]]:
    source = HttpAccountSource(server.url, authorization, None, policy, time.world)
    return list(itertools.chain.from_iterable(source.read(as_of)))


def refusal(error: type[EsgError], server: PageServer, time: Time, **more: object) -> str:
    """What reading is refused with; never with a value, and with nothing of the library behind it."""
    with pytest.raises(error) as raised:
        read(server, time, **more)  # type: ignore[arg-type]  # keywords of read, as they are named there
    text = str(raised.value) + repr(getattr(raised.value, "problems", ""))
    assert SECRET not in text
    assert server.url not in text
    assert raised.value.__context__ is None
    return text
