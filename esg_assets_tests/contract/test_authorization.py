"""What all credentials promise (port Authorization), for our four kinds and the fake."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from esg_assets.adapters.authorization import (
    ApiKey,
    Bearer,
    NoAuthorization,
    OAuth2ClientCredentials,
    TokenEndpoint,
)
from esg_assets.core.ports import Authorization
from esg_assets_tests.fakes import FakeAuthorization
from esg_assets_tests.token_server import token_server


@dataclass
class Case:
    authorization: Authorization
    renewable: bool


@pytest.fixture(params=["none", "api_key", "bearer", "oauth2", "fake", "fixed_fake"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    if request.param == "oauth2":
        with token_server() as tokens:
            endpoint = TokenEndpoint(tokens.url, "id", "SECRET")
            yield Case(OAuth2ClientCredentials(endpoint), renewable=True)
            endpoint.close()
        return
    yield {
        "none": Case(NoAuthorization(), renewable=False),
        "api_key": Case(ApiKey("k-SECRET"), renewable=False),
        "bearer": Case(Bearer("t-SECRET"), renewable=False),
        "fake": Case(FakeAuthorization(), renewable=True),
        "fixed_fake": Case(FakeAuthorization(fixed=True), renewable=False),
    }[request.param]


def test_header_fields_are_visible_ascii_and_stay_the_same(case: Case) -> None:
    first = case.authorization.headers()
    for name, value in first.items():
        assert name.isascii()
        assert value.isprintable()
        assert value.isascii()
    assert case.authorization.headers() == first


def test_renewing_gives_other_headers_or_says_that_it_cannot(case: Case) -> None:
    refused = dict(case.authorization.headers())
    assert case.authorization.renew(refused) is case.renewable
    assert (case.authorization.headers() != refused) is case.renewable


def test_a_token_that_was_replaced_already_is_not_replaced_again(case: Case) -> None:
    refused = dict(case.authorization.headers())
    case.authorization.renew(refused)
    current = case.authorization.headers()
    assert case.authorization.renew(refused) is case.renewable
    assert case.authorization.headers() == current


def test_threads_that_carried_the_same_token_get_the_same_new_one(case: Case) -> None:
    refused = dict(case.authorization.headers())
    barrier = threading.Barrier(16)
    seen: list[tuple[bool, str]] = []

    def work() -> None:
        barrier.wait(10)
        renewed = case.authorization.renew(refused)
        seen.append((renewed, "".join(case.authorization.headers().values())))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 16
    assert {renewed for renewed, _ in seen} == {case.renewable}
    assert len({value for _, value in seen}) == 1


def test_no_secret_is_shown(case: Case) -> None:
    headers = case.authorization.headers()
    shown = f"{case.authorization!r} {case.authorization}"
    if not isinstance(case.authorization, FakeAuthorization):
        shown += f" {headers!r} {headers}"
    assert "SECRET" not in shown
    assert "token-" not in shown
