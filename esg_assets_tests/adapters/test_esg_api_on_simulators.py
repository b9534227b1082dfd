"""`HttpEsgApi` and `judge` against the simulated provider, whose code shares nothing with theirs."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from esg_assets.adapters.authorization import (
    ApiKey,
    Bearer,
    NoAuthorization,
    OAuth2ClientCredentials,
    TokenEndpoint,
)
from esg_assets.adapters.esg_api.request_shape import contract_several
from esg_assets.core.errors import AccessDenied
from esg_assets.core.ports import Authorization
from esg_assets.core.ratings import Metric, Reason, Reply, Status
from esg_assets.core.replies import Judgement, Ruling, judge, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client

METRICS = (Metric("waci_tco2e_per_musd_revenue", "t", "lower"),)
TOKEN_SECONDS = 4


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatorServer]:
    """Rates any account; accepts an API key, a fixed bearer token, and tokens that live 4 s."""
    options = Options(any_account=True, auth="oauth2,api_key,bearer", token_seconds=TOKEN_SECONDS)
    with SimulatorServer(options) as server:
        yield server


@pytest.fixture
def key(provider: SimulatorServer) -> ApiKey:
    return ApiKey(provider.options.api_key)


@pytest.fixture
def oauth2(provider: SimulatorServer) -> Iterator[OAuth2ClientCredentials]:
    options = provider.options
    endpoint = TokenEndpoint(
        f"{provider.url}/oauth2/token", options.client_id, options.client_secret, scope="esg.read"
    )
    yield OAuth2ClientCredentials(endpoint)
    endpoint.close()


def judged(reply: Reply, account_id: str) -> Judgement:
    return judge(reply, account_id, AS_OF, METRICS)


@pytest.mark.parametrize(
    "account_id", ["ACC-1", "a/b", "../x", "...", "%2e%2e", "a b", "=1+1", "口座", "'\";--", "?#&"]
)
def test_awkward_ids_are_rated_as_themselves(provider: SimulatorServer, key: ApiKey, account_id: str) -> None:
    with client(provider.url, key) as api:
        judgement = judged(api.ask(account_id, AS_OF), account_id)
    assert judgement.status is Status.SUCCESS
    assert judgement.rating is not None
    assert judgement.rating.as_of <= AS_OF


ANSWERED = {
    "timeout": (Ruling.TRANSIENT, Reason.TIMEOUT, ""),
    "reset": (Ruling.TRANSIENT, Reason.UNAVAILABLE, ""),
    "cut": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, ""),
    "truncated": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "not_json"),
    "empty": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "not_json"),
    "not_json": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "not_json"),
    "wrong_id": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "wrong_account"),
    "out_of_range": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "score_out_of_range"),
    "nan": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "not_json"),
    "wrong_type": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "score_invalid"),
    "missing_field": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "score_invalid"),
    "duplicate_keys": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "duplicate_key"),
    "future": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, "as_of_in_future"),
    "redirect": (Ruling.FINAL, Reason.BAD_RESPONSE, ""),
    "oversize": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, ""),
    "gzip_bomb": (Ruling.TRANSIENT, Reason.BAD_RESPONSE, ""),
    "slow=1:0.1": (Ruling.FINAL, None, ""),
    "drip=1:0.1": (Ruling.FINAL, None, ""),
    "401": (Ruling.UNAUTHORIZED, Reason.UNAUTHORIZED, ""),
    "403": (Ruling.FORBIDDEN, Reason.UNAUTHORIZED, ""),
    "404": (Ruling.FINAL, Reason.NOT_COVERED, ""),
    "422": (Ruling.FINAL, Reason.REJECTED, ""),
    "429": (Ruling.TRANSIENT, Reason.RATE_LIMITED, ""),
    "500": (Ruling.TRANSIENT, Reason.UNAVAILABLE, ""),
    "503": (Ruling.TRANSIENT, Reason.UNAVAILABLE, ""),
    "504": (Ruling.TRANSIENT, Reason.TIMEOUT, ""),
}


@pytest.mark.parametrize("fault", ANSWERED)
def test_every_fault_to_order_is_seen_through(provider: SimulatorServer, key: ApiKey, fault: str) -> None:
    provider.order_faults(fault)
    try:
        with client(provider.url, key, timeout=0.5 if fault == "timeout" else 10.0) as api:
            judgement = judged(api.ask("ACC-1", AS_OF), "ACC-1")
    finally:
        provider.order_faults("")
    assert (judgement.ruling, judgement.reason, judgement.code) == ANSWERED[fault]


SPOILT = {
    "wrong_id": "missing_account",
    "out_of_range": "score_out_of_range",
    "nan": "score_invalid",
    "wrong_type": "score_invalid",
    "missing_field": "score_invalid",
    "duplicate_keys": "missing_account",
    "future": "as_of_in_future",
    "404": "not_covered",
    "422": "rejected",
    "403": "unauthorized",
}


@pytest.mark.parametrize("fault", SPOILT)
def test_among_several_accounts_a_spoilt_one_harms_itself_alone(
    provider: SimulatorServer, key: ApiKey, fault: str
) -> None:
    ids = [f"ACC-{n}" for n in range(50)]
    with client(provider.url, key, shape=contract_several(50)) as api:
        well = judge_many(api.ask_many(ids, AS_OF), ids, AS_OF, METRICS, CONTRACT_SHAPE)
        provider.order_faults(f"{fault}=0.2/sticky", seed=3)
        try:
            found = judge_many(api.ask_many(ids, AS_OF), ids, AS_OF, METRICS, CONTRACT_SHAPE)
        finally:
            provider.order_faults("")
    hurt = {account_id for account_id in ids if found[account_id] != well[account_id]}
    assert 3 < len(hurt) < 20
    assert {found[account_id].code or found[account_id].reason for account_id in hurt} == {SPOILT[fault]}


@pytest.mark.parametrize("value", ["7", "7date"])
def test_retry_after_is_handed_on_as_text(provider: SimulatorServer, key: ApiKey, value: str) -> None:
    provider.order_faults(f"503=1:{value}")
    try:
        with client(provider.url, key) as api:
            reply = api.ask("ACC-1", AS_OF)
    finally:
        provider.order_faults("")
    assert reply.retry_after is not None
    assert reply.retry_after == "7" or reply.retry_after.endswith(" GMT")


@pytest.mark.parametrize("kind", ["api_key", "bearer", "oauth2"])
def test_each_kind_of_credentials_is_accepted(
    provider: SimulatorServer, oauth2: OAuth2ClientCredentials, kind: str
) -> None:
    kinds: dict[str, Authorization] = {
        "api_key": ApiKey(provider.options.api_key),
        "bearer": Bearer(provider.options.bearer_token),
        "oauth2": oauth2,
    }
    with client(provider.url, kinds[kind]) as api:
        assert api.ask("ACC-1", AS_OF).status == 200


@pytest.mark.parametrize("authorization", [NoAuthorization(), ApiKey("wrong"), Bearer("wrong")])
def test_wrong_fixed_credentials_are_a_401(provider: SimulatorServer, authorization: Authorization) -> None:
    with client(provider.url, authorization) as api:
        reply = api.ask("ACC-1", AS_OF)
    assert (reply.status, reply.token_renewed) == (401, False)


def test_wrong_client_credentials_end_the_run(provider: SimulatorServer) -> None:
    endpoint = TokenEndpoint(f"{provider.url}/oauth2/token", provider.options.client_id, "wrong")
    with (
        client(provider.url, OAuth2ClientCredentials(endpoint)) as api,
        pytest.raises(AccessDenied, match="invalid_client"),
    ):
        api.ask("ACC-1", AS_OF)
    endpoint.close()


def asked_by_40_threads(
    provider: SimulatorServer, authorization: Authorization, seconds: float
) -> Sequence[Reply]:
    """Replies of 40 threads that each ask ten times a second, a 401 with a new token once more."""
    replies: list[Reply] = []
    until = time.monotonic() + seconds

    def work(worker: int) -> None:
        while time.monotonic() < until:
            reply = api.ask(f"ACC-{worker}", AS_OF)
            if reply.token_renewed:
                replies.append(reply)
                reply = api.ask(f"ACC-{worker}", AS_OF)
            replies.append(reply)
            time.sleep(0.1)

    with client(provider.url, authorization) as api:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    return replies


def test_40_threads_make_one_token_request_for_each_expiry_and_never_see_a_401(
    provider: SimulatorServer, oauth2: OAuth2ClientCredentials
) -> None:
    before = provider.stats()["token_requests"]
    started = time.monotonic()
    replies = asked_by_40_threads(provider, oauth2, seconds=4.5)
    renewals_due = (time.monotonic() - started) / (TOKEN_SECONDS * 0.75)
    assert {reply.status for reply in replies} == {200}
    assert 2 <= provider.stats()["token_requests"] - before <= 1 + renewals_due


def test_40_threads_make_one_token_request_when_the_token_is_revoked(
    provider: SimulatorServer, oauth2: OAuth2ClientCredentials
) -> None:
    oauth2.headers()
    before = provider.stats()["token_requests"]
    provider.revoke_tokens()
    replies = asked_by_40_threads(provider, oauth2, seconds=0.3)
    refused = [reply for reply in replies if reply.status == 401]
    assert {reply.status for reply in replies} == {200, 401}
    assert all(reply.token_renewed for reply in refused)
    assert len(refused) <= 40
    assert provider.stats()["token_requests"] - before == 1


def test_the_provider_says_unchanged_to_the_name_of_its_last_answer(
    provider: SimulatorServer, key: ApiKey
) -> None:
    with client(provider.url, authorization=key) as api:
        first = api.ask_many(["ACC-1"], AS_OF)
        again = api.ask_many(["ACC-1"], AS_OF, etag=first.headers["etag"])
        other = api.ask_many(["ACC-1"], AS_OF, etag='"another"')

    assert (again.status, again.body) == (304, b"")
    assert (other.status, other.body) == (200, first.body)
