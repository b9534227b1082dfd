"""How the HTTP account source connects: proxies, base URLs, certificates, and nothing of the environment."""

import itertools
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from esg_assets.adapters.account_sources import HttpAccountSource, PagePolicy, Transport
from esg_assets.core.errors import (
    SettingsWrong,
    SourceUnavailable,
)
from esg_assets_tests.adapters.accounts_over_http import DAY, ROWS, SECRET, Time, Tokens, read, refusal
from esg_assets_tests.adapters.page_server import PageServer, page


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer(ROWS) as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


def test_the_environments_proxies_and_netrc_are_not_read(
    server: PageServer, time: Time, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert read(server, time) == ROWS
    assert "Authorization" not in server.asked[0].headers


def test_a_proxy_that_is_set_is_used(server: PageServer, time: Time) -> None:
    source = HttpAccountSource(
        "http://localhost:9/firm/", None, Transport(proxy=server.url), None, time.world
    )
    server.first += [page(ROWS)]
    assert list(source.read(DAY)) == [ROWS]
    assert server.asked[0].path == "/firm/v1/accounts"
    assert server.asked[0].headers["Host"] == "localhost:9"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://accounts.example.com", "plain http"),
        ("http://10.0.0.1:80", "plain http"),
        ("http://localhost.example.com", "plain http"),
        ("https://u:S3CRET@accounts.example.com", "credentials"),
        ("https://accounts.example.com?key=S3CRET", "credentials"),
        ("https://", "no URL"),
        ("https://host:port", "no URL"),
        ("http://[::1", "no URL"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_before_any_call(url: str, part: str) -> None:
    with pytest.raises(SettingsWrong, match=rf"^ESG_ACCOUNTS_URL .*{part}.*Wanted: https") as raised:
        HttpAccountSource(url)
    assert SECRET not in str(raised.value)


def test_a_token_that_no_header_can_carry_is_a_wrong_setting(server: PageServer, time: Time) -> None:
    class Broken(Tokens):
        def headers(self) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {SECRET}\n"}

    class Foreign(Tokens):
        def headers(self) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {SECRET}客"}

    for authorization in (Broken(), Foreign()):
        assert "ESG_ACCOUNTS_TOKEN" in refusal(SettingsWrong, server, time, authorization=authorization)


def test_a_firms_own_authority_and_a_client_certificate_are_used(time: Time, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    bundle, client = str(tmp_path / "ca.pem"), str(tmp_path / "client.pem")
    authority.cert_pem.write_to_path(bundle)
    authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(client)
    policy = PagePolicy(max_attempts=1)
    with PageServer(ROWS, context) as server:
        source = HttpAccountSource(server.url, None, Transport(bundle, client), policy, time.world)
        assert list(itertools.chain.from_iterable(source.read(DAY))) == ROWS
        for transport in (Transport(), Transport(bundle)):
            source = HttpAccountSource(server.url, None, transport, policy, time.world)
            with pytest.raises(SourceUnavailable):
                list(source.read(DAY))


def test_certificate_files_that_are_missing_are_a_wrong_setting(time: Time, tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing.pem")
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    wrong = {
        "ESG_ACCOUNTS_CA_BUNDLE": Transport(ca_bundle=missing),
        "ESG_ACCOUNTS_CLIENT_CERT": Transport(str(authority), client_cert=missing),
    }
    for setting, transport in wrong.items():
        source = HttpAccountSource("https://127.0.0.1:9", transport=transport, world=time.world)
        with pytest.raises(SettingsWrong, match=f"{setting} "):
            list(source.read(DAY))
