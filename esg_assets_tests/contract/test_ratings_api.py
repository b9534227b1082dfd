"""What every provider's client promises (port RatingsApi), for the HTTP client and the fake."""

import re
import threading
from collections.abc import Iterator
from datetime import date
from socket import socket
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from esg_assets.adapters.authorization import NoAuthorization
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.adapters.esg_api.request_shape import contract_several
from esg_assets.core.errors import AccessDenied
from esg_assets.core.ports import CallPolicy, RatingsApi
from esg_assets.core.ratings import Fault, Reply, Status
from esg_assets.core.replies import judge, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets_tests.fakes import FakeRatingsApi, rating_reply
from esg_assets_tests.raw_server import answer, raw_server

AS_OF = date(2026, 1, 14)
POLICY = CallPolicy(rate=7.0, timeout_seconds=10.0)
SEVERAL = ("ACC-1", "a/b ?#&%", "口座", ".")


def rate_several(connection: socket, request: bytes) -> None:
    query = parse_qs(urlsplit(request.split(b" ")[1].decode()).query)
    day = date.fromisoformat(query["as_of"][0])
    entries = [rating_reply(account_id, day).body.decode() for account_id in query["account_id"]]
    connection.sendall(answer(200, f'{{"ratings": [{",".join(entries)}]}}'.encode()))


def rate(connection: socket, request: bytes) -> None:
    found = re.match(rb"GET /v1/accounts/([^/]+)/esg-rating\?as_of=(\S+) ", request)
    assert found is not None
    reply = rating_reply(unquote(found[1].decode()), date.fromisoformat(found[2].decode()))
    connection.sendall(answer(200, reply.body))


@pytest.fixture(params=["http", "fake"])
def api(request: pytest.FixtureRequest) -> Iterator[RatingsApi]:
    """A provider that rates every account."""
    if request.param == "fake":
        yield FakeRatingsApi(policy=POLICY)
        return
    with raw_server(rate) as server:
        client = HttpEsgApi(server.url, NoAuthorization(), POLICY)
        yield client
        client.close()


@pytest.fixture(params=["http", "fake"])
def several(request: pytest.FixtureRequest) -> Iterator[RatingsApi]:
    """A provider that rates up to four accounts in a call."""
    if request.param == "fake":
        yield FakeRatingsApi(policy=POLICY, accounts_per_call=4)
        return
    with raw_server(rate_several) as server:
        client = HttpEsgApi(server.url, NoAuthorization(), POLICY, shape=contract_several(4))
        yield client
        client.close()


def test_one_account_is_asked_for_in_a_call_unless_the_provider_takes_more(
    api: RatingsApi, several: RatingsApi
) -> None:
    assert (api.accounts_per_call, several.accounts_per_call) == (1, 4)


def test_several_accounts_are_asked_for_in_one_call(several: RatingsApi) -> None:
    for asked in (SEVERAL, SEVERAL[:1], SEVERAL[::-1]):
        judged = judge_many(several.ask_many(asked, AS_OF), asked, AS_OF, (), CONTRACT_SHAPE)
        assert {account_id: one.status for account_id, one in judged.items()} == dict.fromkeys(
            asked, Status.SUCCESS
        )


def test_asking_for_one_account_is_asking_for_a_list_of_one(api: RatingsApi, several: RatingsApi) -> None:
    for one in (api, several):
        single, many = one.ask("ACC-1", AS_OF), one.ask_many(["ACC-1"], AS_OF)
        assert (single.status, single.body) == (many.status, many.body)
        assert judge(single, "ACC-1", AS_OF, ()).status is Status.SUCCESS


def test_the_policy_in_force_is_shown(api: RatingsApi) -> None:
    assert api.policy == POLICY


@pytest.mark.parametrize("account_id", ["ACC-1", "a/b ?#&%", "口座", "..."])
@pytest.mark.parametrize("as_of", [AS_OF, date(2020, 2, 29)])
def test_the_account_is_asked_for_as_of_the_date(api: RatingsApi, account_id: str, as_of: date) -> None:
    judgement = judge(api.ask(account_id, as_of), account_id, as_of, ())
    assert judgement.status is Status.SUCCESS
    assert judgement.rating is not None
    assert judgement.rating.as_of == as_of


def test_either_a_status_or_a_fault_comes_back(api: RatingsApi) -> None:
    reply = api.ask("ACC-1", AS_OF)
    assert (reply.status is None) != (reply.fault is None)


def test_many_threads_get_the_replies_to_their_own_questions(api: RatingsApi) -> None:
    judged: dict[str, Status] = {}

    def work(worker: int) -> None:
        for n in range(5):
            account_id = f"{worker}-{n}"
            judged[account_id] = judge(api.ask(account_id, AS_OF), account_id, AS_OF, ()).status

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert judged == {f"{worker}-{n}": Status.SUCCESS for worker in range(8) for n in range(5)}


def test_the_fake_answers_by_its_script() -> None:
    away = Reply(None, fault=Fault.TIMEOUT)
    denied = AccessDenied("denied")
    fake = FakeRatingsApi({"A": [away, Reply(404)], "B": [denied]})
    assert [fake.ask("A", AS_OF).status for _ in range(3)] == [None, 404, 404]
    with pytest.raises(AccessDenied):
        fake.ask("B", AS_OF)
    assert fake.ask("C", AS_OF).status == 200
    assert [account_id for account_id, _ in fake.calls] == ["A", "A", "A", "B", "C"]
    assert fake.most_in_flight == 1


def test_the_fake_puts_errors_of_one_account_into_its_entry_and_others_over_the_whole_call() -> None:
    fake = FakeRatingsApi({"A": [Reply(404)], "B": [Reply(503), Reply(422)]}, accounts_per_call=3)
    assert fake.ask_many(["A", "B", "C"], AS_OF).status == 503
    judged = judge_many(fake.ask_many(["A", "B", "C"], AS_OF), ["A", "B", "C"], AS_OF, (), CONTRACT_SHAPE)
    assert [one.reason for one in judged.values()] == ["not_covered", "rejected", None]
    assert fake.many == [("A", "B", "C")] * 2
    assert fake.most_in_flight == 1
