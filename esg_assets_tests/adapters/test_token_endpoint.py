"""One request for a token: what is sent, what is believed, what is refused, and what is said of it."""

import base64
import contextlib
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
import trustme

from esg_assets.adapters.authorization import ApiKey, Bearer, TokenEndpoint
from esg_assets.core.errors import (
    AccessDenied,
    ApiUnavailable,
    EsgError,
    SettingsWrong,
    SourceUnavailable,
    Unavailable,
)
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.raw_server import Talk, answer, raw_server, reset, sends, sends_without_end
from esg_assets_tests.token_server import error_answer, token_answer, token_server


@contextlib.contextmanager
def endpoint(url: str, **options: Any) -> Iterator[TokenEndpoint]:
    settings: dict[str, Any] = {"sleep": lambda _: None, "attempts": 3, **options}
    made = TokenEndpoint(url, "client-1", "s3cret", **settings)
    yield made
    made.close()


def fetched(*script: bytes | Talk, **options: Any) -> tuple[str, float, int]:
    """Token, life and the number of requests it took."""
    with token_server(script) as tokens, endpoint(tokens.url, **options) as asked:
        token = asked.fetch()
        return token.access_token, token.expires_in, len(tokens.requests)


def failure(*script: bytes | Talk, **options: Any) -> tuple[EsgError, int]:
    with token_server(script) as tokens, endpoint(tokens.url, **options) as asked:
        with pytest.raises(EsgError) as caught:
            asked.fetch()
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return caught.value, len(tokens.requests)


def test_the_request_is_that_of_the_rfc() -> None:
    with token_server() as tokens:
        made = TokenEndpoint(tokens.url, "cli:ent é", "s+/ %~", "esg.read a", "https://esg")
        assert made.fetch().access_token == "token-1"
        made.close()
    head, _, body = tokens.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert lines[0] == "POST /oauth2/token HTTP/1.1"
    assert fields["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "scope": ["esg.read a"],
        "audience": ["https://esg"],
    }
    scheme, _, pair = fields["authorization"].partition(" ")
    client_id, _, secret = base64.b64decode(pair).decode("ascii").partition(":")
    assert (scheme, unquote_plus(client_id), unquote_plus(secret)) == ("Basic", "cli:ent é", "s+/ %~")


def test_credentials_of_any_characters_are_known_to_who_reads_the_rfc() -> None:
    client_id, secret = "cli:ent é&=", "s+/ %~:#?%41"
    with SimulatorServer(Options(client_id=client_id, client_secret=secret)) as server:
        made = TokenEndpoint(f"{server.url}/oauth2/token", client_id, secret)
        assert made.fetch().access_token
        made.close()


def test_scope_and_audience_are_left_out_when_empty() -> None:
    with token_server() as tokens, endpoint(tokens.url) as asked:
        asked.fetch()
    assert tokens.requests[0].endswith(b"\r\n\r\ngrant_type=client_credentials")


@pytest.mark.parametrize(
    ("passing", "requests"),
    [
        pytest.param([error_answer(500), error_answer(429)], 3, id="statuses"),
        pytest.param([sends(b""), lambda c, _: reset(c)], 3, id="broken off"),
        pytest.param([answer(200, b"<html>"), answer(200, b"[1]")], 3, id="no object"),
        pytest.param([answer(200, b"[" * 60_000)], 2, id="nested too deeply"),
        pytest.param([answer(204, b""), b"what?\r\n\r\n"], 3, id="no answer to that"),
        pytest.param([token_answer(None), token_answer("")], 3, id="no token"),
        pytest.param([token_answer("a b"), token_answer("a\r\nx: y")], 3, id="would break the header"),
        pytest.param([token_answer("é"), token_answer(7)], 3, id="is no header text"),
        pytest.param([token_answer("t", token_type="mac"), token_answer("t", token_type=None)], 3, id="type"),
        pytest.param([token_answer("t", expires_in=0), token_answer("t", expires_in=-5)], 3, id="ended"),
        pytest.param(
            [token_answer("t", expires_in=True), token_answer("t", expires_in="soon")], 3, id="life"
        ),
        pytest.param([sends_without_end(b"HTTP/1.1 200 X\r\n\r\n", b" " * 65536)], 2, id="endless"),
        pytest.param([sends_without_end(b"HTTP/1.1 200 X\r\n", b"a: b\r\n" * 1000)], 2, id="endless head"),
    ],
)
def test_what_may_pass_is_tried_again(passing: list[bytes | Talk], requests: int) -> None:
    assert fetched(*passing) == ("token-1", 60.0, requests)


def test_bearer_is_spelt_in_any_case() -> None:
    assert fetched(token_answer("t", token_type="bEARER"))[0] == "t"


def test_a_silent_endpoint_is_left_after_the_timeout() -> None:
    def silence(connection: Any, _: bytes) -> None:
        connection.recv(1)

    assert fetched(silence, timeout_seconds=0.3)[0] == "token-1"


def test_the_waits_between_attempts_are_bounded_and_jittered() -> None:
    waits: list[float] = []
    error, requests = failure(*[error_answer(503)] * 8, sleep=waits.append, attempts=8)
    assert isinstance(error, ApiUnavailable)
    assert requests == 8
    assert len(waits) == 7
    assert all(0 <= wait <= 8 for wait in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (error_answer(401, "invalid_client", "client-1 is unknown"), "it answered 401 (invalid_client). "),
        (error_answer(400, "invalid_scope"), "it answered 400 (invalid_scope). "),
        (error_answer(400, "unauthorized_client"), "it answered 400 (unauthorized_client). "),
        (error_answer(400, "s3cret is wrong"), "it answered 400. "),
        (answer(403, b"<html>s3cret"), "it answered 403. "),
        (answer(404, b""), "it answered 404. "),
        (answer(302, b"", location="/login?client_id=client-1"), "it answered 302. "),
    ],
)
def test_a_refusal_is_final_and_told_in_our_words(refusal: bytes, said: str) -> None:
    error, requests = failure(refusal, settings="ESG_ACCOUNTS")
    assert isinstance(error, AccessDenied)
    assert requests == 1
    assert str(error) == (
        f"The token endpoint refused this client: {said}Check ESG_ACCOUNTS_TOKEN_URL, "
        "ESG_ACCOUNTS_CLIENT_ID, ESG_ACCOUNTS_CLIENT_SECRET, ESG_ACCOUNTS_SCOPE and ESG_ACCOUNTS_AUDIENCE."
    )


@pytest.mark.parametrize("unavailable", [ApiUnavailable, SourceUnavailable])
def test_an_endpoint_that_stays_away_is_unavailable(unavailable: type[Unavailable]) -> None:
    with (
        endpoint("http://127.0.0.1:1/token", unavailable=unavailable) as asked,
        pytest.raises(unavailable) as caught,
    ):
        asked.fetch()
    assert str(caught.value) == (
        "Asking the token endpoint for a token failed in 3 attempts: in the last one no connection "
        "could be made, or it broke off. Run again later; if it stays so, check ESG_API_TOKEN_URL."
    )
    assert caught.value.__suppress_context__


def test_nothing_secret_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with token_server() as tokens, endpoint(tokens.url) as asked:
        token = asked.fetch()
    shown = f"{asked!r} {token!r} {caplog.text}"
    encoded = base64.b64encode(b"client-1:s3cret").decode()
    for secret in ("s3cret", "token-1", encoded):
        assert secret not in shown


# Connections.


def context_of(ca: trustme.CA, wants: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    if wants is not None:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_firms_own_authority_and_client_certificate_serve_for_tokens_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    ca = trustme.CA()
    bundle, cert = tmp_path / "ca.pem", tmp_path / "cert.pem"
    ca.cert_pem.write_to_path(bundle)
    ca.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(cert)
    with token_server(tls=context_of(ca, wants=ca)) as tokens:
        with endpoint(tokens.url, ca_bundle=bundle, client_cert=cert) as asked:
            assert asked.fetch().access_token == "token-1"
        for options in ({"ca_bundle": bundle}, {"client_cert": cert}, {}):
            with endpoint(tokens.url, **options) as asked, pytest.raises(ApiUnavailable):
                asked.fetch()


def test_tokens_are_fetched_through_the_proxy_and_never_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetched()[0] == "token-1"
    with (
        raw_server(sends(answer(407, b""))) as proxy,
        endpoint(
            "https://idp.invalid/token", proxy=f"http://u:pw@127.0.0.1:{proxy.port}", attempts=1
        ) as asked,
        pytest.raises(ApiUnavailable),
    ):
        asked.fetch()
    assert proxy.requests[0].startswith(b"CONNECT idp.invalid:443 ")
    assert b"s3cret" not in proxy.requests[0]


@pytest.mark.parametrize(
    "url", ["http://example.org/token", "https://u:p@example.org/token", "https://x/?a=b", "x", "ftp://x"]
)
def test_an_unsafe_token_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_ACCOUNTS_TOKEN_URL") as caught:
        TokenEndpoint(url, "id", "secret", settings="ESG_ACCOUNTS")
    assert "example" not in str(caught.value)


def test_missing_credentials_and_files_are_named(tmp_path: Path) -> None:
    url = "https://example.org/token"
    with pytest.raises(SettingsWrong, match="ESG_API_CLIENT_ID"):
        TokenEndpoint(url, "", "secret")
    with pytest.raises(SettingsWrong, match="ESG_API_CLIENT_SECRET"):
        TokenEndpoint(url, "id", "")
    with pytest.raises(SettingsWrong, match="ESG_API_CA_BUNDLE"):
        TokenEndpoint(url, "id", "secret", ca_bundle=tmp_path / "missing.pem")
    with pytest.raises(SettingsWrong, match="ESG_API_CLIENT_CERT_KEY"):
        TokenEndpoint(url, "id", "secret", client_cert=tmp_path / "missing.pem")


@pytest.mark.parametrize("text", ["", "a b", "key\n", "k\r\nX-Other: 1", "é", "\x7f"])
def test_a_key_or_token_that_would_break_the_header_is_refused_unseen(text: str) -> None:
    for kind in (ApiKey, Bearer):
        with pytest.raises(SettingsWrong) as caught:
            kind(text)
        assert "X-Other" not in str(caught.value)
