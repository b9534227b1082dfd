"""Settings that `HttpEsgApi` does not accept, because they would be unsafe or ignored."""

from pathlib import Path

import pytest
import trustme

from esg_assets.adapters.authorization import NoAuthorization
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ports import CallPolicy


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "http://10.0.0.1/",
        "http://127.0.0.1@example.org/",
        "http://127.0.0.1\\@example.org/",
        "http://localhost.example.org",
        "https://user:pw@example.org",
        "https://example.org/?a=b",
        "https://example.org/#x",
        "https://example.org:notaport",
        "https://exa mple.org",
        "https://",
        "ftp://example.org",
        "example.org",
        "",
    ],
)
def test_a_base_url_that_is_unsafe_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_API_URL ") as caught:
        HttpEsgApi(url, NoAuthorization(), CallPolicy())
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.1.2.3:1", "http://[::1]:1", "https://x.org/b"]
)
def test_plain_http_is_accepted_on_loopback(url: str) -> None:
    HttpEsgApi(url, NoAuthorization(), CallPolicy()).close()


@pytest.mark.parametrize(
    "proxy", ["ftp://127.0.0.1:1", "socks5://127.0.0.1:1", "nonsense", "http://", "http://a b"]
)
def test_a_proxy_that_would_be_ignored_is_refused(proxy: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_API_PROXY "):
        HttpEsgApi("https://example.org", NoAuthorization(), CallPolicy(), proxy=proxy)


BAD_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("content", [b"", b"nonsense", BAD_CERTIFICATE, None])
def test_a_bundle_without_a_certificate_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsWrong, match="ESG_API_CA_BUNDLE"):
        HttpEsgApi("https://example.org", NoAuthorization(), CallPolicy(), ca_bundle=path)


def test_a_client_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    trustme.CA().issue_cert("client@example.org").cert_chain_pems[0].write_to_path(cert)
    for key in (None, cert, tmp_path / "missing.pem"):
        with pytest.raises(SettingsWrong, match="ESG_API_CLIENT_CERT"):
            HttpEsgApi(
                "https://example.org", NoAuthorization(), CallPolicy(), client_cert=cert, client_key=key
            )


def test_a_machine_without_authorities_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    with pytest.raises(SettingsWrong, match="ca-certificates"):
        HttpEsgApi("https://example.org", NoAuthorization(), CallPolicy())
