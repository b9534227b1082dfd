"""Tokens, keys, certificates: who is let in, and what the others are told."""

import http.client
import ssl
import time
from pathlib import Path

import pytest
import trustme

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import ask_token, basic, bearer, call, rating_path

RATING = rating_path("A0000001")
PROTECTED = [RATING, "/v1/esg-ratings?account_id=A0000001", "/v1/accounts"]


def statuses(server: SimulatorServer, headers: dict[str, str]) -> list[int]:
    return [call(server.url, path, headers).status for path in PROTECTED]


def test_a_token_lets_in_where_it_is_good_for() -> None:
    with SimulatorServer(Options(token_seconds=90)) as server:
        answer = ask_token(server.url)
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 90)
        assert statuses(server, bearer(server.url)) == [200, 200, 200]
        only_accounts = bearer(server.url, "grant_type=client_credentials&scope=accounts.read")
        assert statuses(server, only_accounts) == [403, 403, 200]
        refused = call(server.url, RATING, only_accounts)
        assert refused.json["code"] == "insufficient_scope"
        assert server.stats()["tokens_issued"] == 3
        assert server.stats()["token_requests"] == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(),
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer"},
        {"X-API-Key": "demo-api-key"},
    ],
)
def test_without_a_token_it_is_401_with_a_challenge(headers: dict[str, str]) -> None:
    with SimulatorServer(Options()) as server:
        assert statuses(server, headers) == [401, 401, 401]
        answer = call(server.url, RATING, headers)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert server.stats()["answers"] == {"401": 3}


def test_the_token_endpoint_fails_as_ordered_and_then_issues_tokens_again() -> None:
    with SimulatorServer(Options(token_faults="503=1,reset=1")) as server:
        assert ask_token(server.url).status == 503
        with pytest.raises(ConnectionResetError):
            ask_token(server.url)
        assert ask_token(server.url).status == 200
        server.order_token_faults("401=1,400=1,no_token=1,not_json=1,timeout=1")
        refused = [ask_token(server.url) for _ in range(2)]
        assert [(a.status, a.json["error"]) for a in refused] == [
            (401, "invalid_client"),
            (400, "invalid_request"),
        ]
        assert "access_token" not in ask_token(server.url).json
        assert ask_token(server.url).headers["Content-Type"] == "text/html"
        with pytest.raises((TimeoutError, http.client.HTTPException)):
            call(server.url, "/oauth2/token", basic(), method="POST", body=b"", timeout=0.3)
        assert server.stats()["tokens_issued"] == 1


def test_tokens_expire_and_can_be_revoked() -> None:
    with SimulatorServer(Options(token_seconds=1)) as server:
        token = bearer(server.url)
        assert call(server.url, RATING, token).status == 200
        deadline = time.monotonic() + 10
        while call(server.url, RATING, token).status == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert call(server.url, RATING, token).json["code"] == "invalid_token"
        token = bearer(server.url)
        server.revoke_tokens()
        assert call(server.url, RATING, token).status == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=", 400, "invalid_request"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=everything", 400, "invalid_scope"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=%FF", 400, "invalid_request"),
        ("grant_type=client_credentials&audience=x&scope=esg.read", 200, None),
    ],
)
def test_the_token_endpoint_answers_as_rfc_6749_says(
    open_server: SimulatorServer, form: str, status: int, error: str | None
) -> None:
    answer = ask_token(open_server.url, form)
    assert (answer.status, answer.json.get("error")) == (status, error)


@pytest.mark.parametrize(
    "headers",
    [basic("demo-client", "wrong"), basic("other"), {"Authorization": "Basic !"}, {"Authorization": "x"}],
)
def test_an_unknown_client_is_refused(open_server: SimulatorServer, headers: dict[str, str]) -> None:
    answer = ask_token(open_server.url, **headers)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("client_id", "secret", "accepted"),
    [
        ("a%3Ab+%C3%A9", "s%2B%2F+%25~%3A", True),
        ("a%3ab%20%c3%a9", "%73%2b/%20%25~:", True),  # what need not be encoded may be, and the reverse
        ("a:b é", "s+/ %~:", False),
        ("a%3Ab+%C3%A9", "s+%2F+%25~%3A", False),
        ("a%3Ab+%C3%A9:s%2B%2F+%25~%3A", "", False),
        ("a%253Ab+%C3%A9", "s%2B%2F+%25~%3A", False),
    ],
)
def test_id_and_secret_are_form_encoded_within_http_basic(
    client_id: str, secret: str, accepted: bool
) -> None:
    # RFC 6749 section 2.3.1.
    with SimulatorServer(Options(client_id="a:b é", client_secret="s+/ %~:")) as server:
        answer = ask_token(server.url, **basic(client_id, secret))
        assert answer.status == (200 if accepted else 401)


def test_a_token_request_that_is_no_form_or_too_large_is_refused(open_server: SimulatorServer) -> None:
    assert (
        ask_token(open_server.url, **{"Content-Type": "application/json"}).json["error"] == "invalid_request"
    )
    assert ask_token(open_server.url, "x" * 70_000).status == 413


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("api_key", {"X-API-Key": "key-1"}),
        ("bearer", {"Authorization": "Bearer static-1"}),
        ("oauth2,api_key", {"X-API-Key": "key-1"}),
        ("none", {}),
    ],
)
def test_other_credentials_are_accepted_where_they_are_asked_for(auth: str, headers: dict[str, str]) -> None:
    options = Options(auth=auth, api_key="key-1", bearer_token="static-1")
    with SimulatorServer(options) as server:
        assert statuses(server, headers) == [200, 200, 200]
        wrong = {"X-API-Key": "key-2", "Authorization": "Bearer static-2"}
        assert statuses(server, wrong) == ([200] * 3 if auth == "none" else [401] * 3)


def test_the_account_system_can_ask_for_other_credentials() -> None:
    with SimulatorServer(Options(auth="none", accounts_auth="api_key")) as server:
        assert statuses(server, {}) == [200, 200, 401]


def test_mutual_tls_lets_in_the_certificates_of_its_ca_alone(tmp_path: Path) -> None:
    authority = trustme.CA()
    paths = {
        name: tmp_path / f"{name}.pem" for name in ("ca", "server", "server_key", "client", "client_key")
    }
    authority.cert_pem.write_to_path(paths["ca"])
    for name, host in (("server", "127.0.0.1"), ("client", "client.invalid")):
        issued = authority.issue_cert(host)
        issued.cert_chain_pems[0].write_to_path(paths[name])
        issued.private_key_pem.write_to_path(paths[f"{name}_key"])
    options = Options(
        auth="mtls",
        tls_cert=str(paths["server"]),
        tls_key=str(paths["server_key"]),
        tls_client_ca=str(paths["ca"]),
        faults="reset=1/first1",
    )
    client = (str(paths["client"]), str(paths["client_key"]))
    stranger, known = (ssl.create_default_context(cafile=str(paths["ca"])) for _ in range(2))
    known.load_cert_chain(*client)
    with SimulatorServer(options, client_cert=client) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with pytest.raises(ConnectionResetError):
            call(server.url, RATING, context=known)
        assert call(server.url, RATING, context=known).status == 200
        with pytest.raises(OSError, match=r"CERTIFICATE_REQUIRED|reset|EOF|closed|Broken"):
            call(server.url, RATING, context=stranger)
        assert server.stats()["calls"] == 2
