"""What holds for every channel over HTTPS: whom it believes, where it goes, and how much it reads."""

from collections.abc import Callable
from pathlib import Path

import pytest

from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel
from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
from esg_assets.adapters.notifiers.slack import SlackChannel
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.kinds import PUBLISHED
from esg_assets.core.alerts.ports import Channel
from esg_assets.core.errors import ChannelUnavailable, SettingsWrong
from esg_assets_tests.notifiers.http_stubs import ROUTING_KEY
from esg_assets_tests.notifiers.material import PLACES, message
from esg_assets_tests.raw_server import answer, raw_server, sends, sends_without_end
from esg_assets_tests.tls_servers import BAD_SERVERS, server_context

CHANNELS: dict[str, tuple[Callable[[str, Path | None], Channel], Message]] = {
    "pagerduty": (lambda url, ca: PagerDutyChannel(ROUTING_KEY, url, places=PLACES, ca=ca), message()),
    "slack": (lambda url, ca: SlackChannel(url, places=PLACES, ca=ca), message()),
    "heartbeat": (lambda url, ca: HeartbeatChannel(url, ca=ca), message(kind=PUBLISHED)),
}
GOOD = {
    "pagerduty": answer(202, f'{{"dedup_key": "{message().incident.key}"}}'.encode()),
    "slack": answer(200, b"ok"),
    "heartbeat": answer(200, b"OK"),
}


@pytest.fixture(params=CHANNELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("bad", BAD_SERVERS)
def test_a_server_that_cannot_prove_who_it_is_gets_nothing(bad: str, name: str, ca: Path) -> None:
    made, told = CHANNELS[name]
    with raw_server(sends(GOOD[name]), BAD_SERVERS[bad]()) as server, pytest.raises(ChannelUnavailable):
        made(f"{server.url}/path", ca).deliver(told)
    assert server.requests == []


def test_a_good_server_is_believed_by_the_firms_own_authority_alone(name: str, ca: Path) -> None:
    made, told = CHANNELS[name]
    with raw_server(sends(GOOD[name]), server_context()) as server:
        assert made(f"{server.url}/path", ca).deliver(told)
        with pytest.raises(ChannelUnavailable, match="ESG_ALERT_CA_BUNDLE"):
            made(f"{server.url}/path", None).deliver(told)
    assert len(server.requests) == 1


def test_a_bundle_that_is_none_is_a_wrong_setting(name: str, tmp_path: Path) -> None:
    made, told = CHANNELS[name]
    bundle = tmp_path / "ca.pem"
    bundle.write_text("nothing")
    with pytest.raises(SettingsWrong, match="ESG_ALERT_CA_BUNDLE must be a readable PEM file"):
        made("https://127.0.0.1:9/path", bundle).deliver(told)


def test_neither_proxies_nor_certificates_of_the_environment_are_used(
    name: str, ca: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    made, told = CHANNELS[name]
    with raw_server(sends(GOOD[name]), server_context()) as server:
        made(f"{server.url}/path", ca).deliver(told)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(ca))
        with pytest.raises(ChannelUnavailable):
            made(f"{server.url}/path", None).deliver(told)
    assert not (tmp_path / "keys.log").exists()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, name: str, ca: Path) -> None:
    made, told = CHANNELS[name]
    with raw_server(sends(GOOD[name]), server_context()) as elsewhere:
        moved = answer(status, location=f"{elsewhere.url}/path")
        with raw_server(sends(moved), server_context()) as server, pytest.raises(ChannelUnavailable):
            made(f"{server.url}/path", ca).deliver(told)
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 500 X\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: "]
)
def test_an_answer_without_end_is_not_read_to_its_end(first: bytes, name: str, ca: Path) -> None:
    made, told = CHANNELS[name]
    talk = sends_without_end(first, b"y" * 65536, megabytes=200)
    with raw_server(talk, server_context()) as server:
        try:
            made(f"{server.url}/path", ca).deliver(told)
        except ChannelUnavailable:
            pass
        else:  # a ping's acknowledgement is its status; of what comes then the beginning is read
            assert name == "heartbeat"
            assert b"200" in first
        assert server.broken_off.wait(5)
