"""What `HttpEsgApi` sends, what it makes of well-formed answers, and its use of credentials."""

import logging
import socket
import threading
import zlib
from collections.abc import Mapping

import pytest

from esg_assets.adapters.authorization import ApiKey, Bearer
from esg_assets.core.errors import AccessDenied, ApiUnavailable
from esg_assets.core.ports import CallPolicy, RatingsApi
from esg_assets.core.ratings import Fault, Reply
from esg_assets_tests.adapters.esg_api_calls import AS_OF, asked, client
from esg_assets_tests.fakes import FakeAuthorization
from esg_assets_tests.raw_server import Talk, answer, raw_server, sends


def policy_of(api: RatingsApi) -> CallPolicy:
    return api.policy


def test_the_client_is_a_ratings_api() -> None:
    with client("http://127.0.0.1:1") as api:
        assert policy_of(api).timeout_seconds == 10.0


@pytest.mark.parametrize(
    ("account_id", "segment"),
    [
        ("ACC-000123", "ACC-000123"),
        ("a/b", "a%2Fb"),
        ("../../x", "..%2F..%2Fx"),
        ("...", "..."),
        ("%2e%2e", "%252e%252e"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("'\"<>", "%27%22%3C%3E"),
        ("a\\b;c=d&e+f", "a%5Cb%3Bc%3Dd%26e%2Bf"),
        ("=cmd|'x'!A1", "%3Dcmd%7C%27x%27%21A1"),
        ("口座é", "%E5%8F%A3%E5%BA%A7%C3%A9"),
    ],
)
def test_an_account_id_is_one_path_segment_whatever_it_holds(account_id: str, segment: str) -> None:
    with raw_server(sends(answer())) as server, client(f"{server.url}/base/") as api:
        assert api.ask(account_id, AS_OF).status == 200
    line = server.requests[0].split(b"\r\n")[0].decode()
    assert line == f"GET /base/v1/accounts/{segment}/esg-rating?as_of=2026-01-14 HTTP/1.1"


@pytest.mark.parametrize("account_id", [".", "..", "", "\ud800"])
def test_an_id_that_cannot_be_asked_for_safely_is_refused_without_a_call(account_id: str) -> None:
    with raw_server(sends(answer())) as server, client(server.url, clock=lambda: 12.5) as api:
        assert api.ask(account_id, AS_OF) == Reply(None, fault=Fault.LOCAL_REFUSAL, received_at=12.5)
    assert server.connections == 0


def test_headers_are_ours_and_the_credentials() -> None:
    with (
        raw_server(sends(answer())) as server,
        client(server.url, ApiKey("k-123"), user_agent="esg-assets/1.2") as api,
    ):
        api.ask("A", AS_OF)
    lines = {line.decode().lower() for line in server.requests[0].split(b"\r\n")[1:] if line}
    assert lines == {
        f"host: 127.0.0.1:{server.port}",
        "accept: application/json",
        "accept-encoding: gzip,deflate",
        "user-agent: esg-assets/1.2",
        "x-api-key: k-123",
    }


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert asked(sends(answer())).status == 200


def test_a_reply_carries_status_body_retry_after_times_and_the_kept_headers() -> None:
    fields = {
        "RateLimit": '"default";r=3;t=1',
        "RateLimit_Policy": '"default";q=50;w=1',
        "X_RateLimit_Remaining": "7",
        "ETag": '"v1"',
        "Retry_After": "17",
        "Set_Cookie": "secret=1",
        "Server": "x",
    }
    reply = asked(sends(answer(429, b"slow down", **fields)), clock=lambda: 1_768_000_000.5)
    assert (reply.status, reply.body, reply.fault, reply.retry_after) == (429, b"slow down", None, "17")
    assert reply.headers == {
        "ratelimit": '"default";r=3;t=1',
        "ratelimit-policy": '"default";q=50;w=1',
        "x-ratelimit-remaining": "7",
        "etag": '"v1"',
    }
    assert reply.received_at == 1_768_000_000.5
    assert 0 < reply.seconds < 10
    assert not reply.token_renewed


def test_header_fields_that_are_absurd_are_dropped() -> None:
    head = (
        b"HTTP/1.1 503 X\r\netag: \xff\xfe\r\nretry-after: " + b"9" * 5000 + b"\r\ncontent-length: 0\r\n\r\n"
    )
    reply = asked(sends(head))
    assert (reply.status, reply.retry_after, reply.headers) == (503, None, {})


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 400, 404, 422, 500, 599])
def test_other_statuses_are_handed_on_and_redirects_not_followed(status: int) -> None:
    with raw_server(sends(answer(status, b"", location="/elsewhere"))) as server, client(server.url) as api:
        assert api.ask("A", AS_OF).status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("wbits", [pytest.param(31, id="gzip"), pytest.param(15, id="deflate")])
def test_a_compressed_body_is_decompressed(wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(b'{"a": 1}') + packer.flush()
    encoding = "gzip" if wbits == 31 else "deflate"
    assert asked(sends(answer(200, packed, content_encoding=encoding))).body == b'{"a": 1}'


def test_connections_are_kept_and_shared_by_the_threads() -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer(200, b"1", connection="keep-alive"))
        for _again in range(9):
            if not connection.recv(65536):
                return
            connection.sendall(answer(200, b"1", connection="keep-alive"))

    with raw_server(talk) as server, client(server.url) as api:
        assert [api.ask(str(n), AS_OF).body for n in range(10)] == [b"1"] * 10
    assert server.connections == 1


class ScriptedAuthorization:
    """Raises what it is given to raise."""

    def __init__(self, on_headers: Exception | None = None, on_renew: Exception | None = None) -> None:
        self._on_headers, self._on_renew = on_headers, on_renew

    def headers(self) -> Mapping[str, str]:
        if self._on_headers:
            raise self._on_headers
        return {"Authorization": "Bearer x"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        if self._on_renew:
            raise self._on_renew
        return False


def wants_token(token: str) -> Talk:
    def talk(connection: socket.socket, request: bytes) -> None:
        good = f"authorization: Bearer {token}\r\n".lower().encode() in request.lower()
        connection.sendall(answer(200 if good else 401, b"body"))

    return talk


def test_a_401_renews_the_token_and_leaves_the_next_call_to_the_caller() -> None:
    authorization = FakeAuthorization()
    with raw_server(wants_token("token-1")) as server, client(server.url, authorization) as api:
        first, second = api.ask("A", AS_OF), api.ask("A", AS_OF)
        assert len(server.requests) == 2
    assert (first.status, first.token_renewed, first.body) == (401, True, b"body")
    assert (second.status, second.token_renewed) == (200, False)


def test_a_401_to_fixed_credentials_renews_nothing() -> None:
    reply = asked(wants_token("other"), authorization=FakeAuthorization(fixed=True))
    assert (reply.status, reply.token_renewed) == (401, False)


def test_an_unavailable_token_endpoint_is_a_fault_and_refused_credentials_are_an_error() -> None:
    away, denied = ApiUnavailable("away"), AccessDenied("denied")
    for authorization in (ScriptedAuthorization(away), ScriptedAuthorization(on_renew=away)):
        assert asked(sends(answer(401)), authorization=authorization).fault is Fault.UNAVAILABLE
    for authorization in (ScriptedAuthorization(denied), ScriptedAuthorization(on_renew=denied)):
        with pytest.raises(AccessDenied):
            asked(sends(answer(401)), authorization=authorization)


def test_nothing_is_logged_or_shown_about_a_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with client("http://127.0.0.1:1", Bearer("tok-SECRET")) as api:
        api.ask("ACC-SECRET", AS_OF)
        assert "SECRET" not in caplog.text
        assert repr(api) == "HttpEsgApi(***)"


def test_many_threads_share_one_client() -> None:
    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(200, request.split(b"/")[3]))

    replies: dict[str, Reply] = {}
    with raw_server(talk) as server, client(server.url) as api:

        def work(worker: int) -> None:
            for n in range(5):
                account_id = f"{worker}-{n}"
                replies[account_id] = api.ask(account_id, AS_OF)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert all(reply.body.decode() == account_id for account_id, reply in replies.items())
    assert len(replies) == 80
