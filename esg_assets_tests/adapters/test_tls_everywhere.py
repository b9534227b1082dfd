"""Every client of ours against every server that must not be trusted, over real TLS.

PostgreSQL is in test_postgresql_tls.py. Revoked certificates are not looked for by any client.
"""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from google.cloud.storage.retry import DEFAULT_RETRY

from esg_assets.adapters.account_sources import remote_file
from esg_assets.adapters.stores import s3_entry
from esg_assets.core.errors import EsgError, SettingsWrong
from esg_assets.settings import secrets_manager
from esg_assets_tests.adapters.tls_clients import (
    ANSWER,
    CLIENTS,
    SECRET,
    SHOW_CERTIFICATES,
    Files,
    ask_kms,
)
from esg_assets_tests.raw_server import RawServer, answer, raw_server, sends
from esg_assets_tests.tls_servers import (
    BAD_SERVERS,
    CA,
    HOST,
    OTHER_CA,
    PAST,
    client_files,
    pem_file,
    server_context,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try each: how often a client asks again is tested where it is written."""
    monkeypatch.setattr(remote_file, "_RETRY", {"max_retries": 0})
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0)  # Google's; it has no setter
    monkeypatch.setattr(s3_entry, "_RETRY", {"max_retries": 0})
    monkeypatch.setattr(s3_entry, "_TRIES", 1)
    monkeypatch.setattr(secrets_manager, "_TRIES", 1)
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path | None]:
    """A bundle with several authorities, the right one not the first; no client certificate."""
    bundle = pem_file(tmp_path / "ca.pem", OTHER_CA.cert_pem, CA.cert_pem)
    return {"ca": pem_file(tmp_path / "one.pem", CA.cert_pem), "several": bundle, "cert": None, "key": None}


@pytest.fixture
def served() -> Iterator[RawServer]:
    """A server that any client may trust that knows CA."""
    with raw_server(sends(ANSWER), server_context()) as server:
        yield server


def was_served(ask: Callable[[str, Files], bool], url: str, files: Files) -> bool:
    """Whether the client got its answer; a refusal must be an error of ours that tells no secret."""
    try:
        return ask(url, files)
    except (EsgError, ValueError) as error:
        text = str(error)
    assert SECRET not in text
    return False


@pytest.mark.parametrize("name", CLIENTS)
def test_a_firms_own_authority_is_trusted_once_it_is_named(
    name: str, served: RawServer, files: Files
) -> None:
    assert not was_served(CLIENTS[name], served.url, {**files, "ca": None})
    assert served.requests == []
    assert was_served(CLIENTS[name], served.url, files)
    assert was_served(CLIENTS[name], served.url, {**files, "ca": files["several"]})
    assert len(served.requests) >= 2


@pytest.mark.parametrize("bad", BAD_SERVERS)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_server_that_cannot_be_trusted_is_sent_nothing(name: str, bad: str, files: Files) -> None:
    bundle = files["several"] if bad != "another authority" else files["ca"]
    with raw_server(sends(ANSWER), BAD_SERVERS[bad]()) as server:
        assert not was_served(CLIENTS[name], server.url, {**files, "ca": bundle})
    assert server.connections >= 1
    assert server.requests == []


@pytest.mark.parametrize("name", SHOW_CERTIFICATES)
@pytest.mark.parametrize("shown", ["good", "expired", "of another authority"])
def test_mutual_tls_lets_in_who_shows_a_good_certificate(
    name: str, shown: str, files: Files, tmp_path: Path
) -> None:
    cert = {
        "good": lambda: CA.issue_cert("client@example.org"),
        "expired": lambda: CA.issue_cert("client@example.org", not_after=PAST),
        "of another authority": lambda: OTHER_CA.issue_cert("client@example.org"),
    }[shown]()
    pair = dict(zip(("cert", "key"), client_files(tmp_path, cert), strict=True))
    with raw_server(sends(ANSWER), server_context(wants=CA)) as server:
        assert was_served(CLIENTS[name], server.url, {**files, **pair}) == (shown == "good")
    assert len(server.requests) == (shown == "good")


@pytest.mark.parametrize("name", SHOW_CERTIFICATES)
@pytest.mark.parametrize("key", ["encrypted", "of another certificate", "not there"])
def test_a_client_key_that_cannot_be_used_is_a_wrong_setting(
    name: str, key: str, files: Files, tmp_path: Path
) -> None:
    cert, file = client_files(tmp_path, CA.issue_cert("client@example.org"))
    if key == "of another certificate":
        pem_file(file, CA.issue_cert("other@example.org").private_key_pem)
    elif key == "not there":
        file.unlink()
    else:
        plain = serialization.load_pem_private_key(file.read_bytes(), None)
        cipher = serialization.BestAvailableEncryption(b"pass phrase")
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)
        file.write_bytes(plain.private_bytes(*pem))
    with pytest.raises(SettingsWrong, match="_CLIENT_CERT"):
        CLIENTS[name]("https://127.0.0.1:9", {**files, "cert": cert, "key": file})


@pytest.mark.parametrize("name", CLIENTS)
def test_authorities_that_other_programs_use_are_not_trusted(
    name: str, served: RawServer, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files["ca"]))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(files["ca"]))
    if name in SHOW_CERTIFICATES:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(files["ca"]))

    assert not was_served(CLIENTS[name], served.url, {**files, "ca": None})
    assert served.requests == []


@pytest.mark.parametrize(
    "name", ["ESG API", "account system", "token endpoint", "account file in S3", "records at Google"]
)
def test_the_machines_list_of_authorities_may_be_exchanged(
    name: str, served: RawServer, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files["ca"]))

    assert was_served(CLIENTS[name], served.url, {**files, "ca": None})


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", CLIENTS)
def test_no_proxy_of_the_environment_is_asked(
    name: str, scheme: str, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (name, scheme) == ("KMS", "http"):
        return  # refused below: its client is that of prod
    context = server_context() if scheme == "https" else None
    with raw_server(sends(ANSWER), context) as server, raw_server(sends(answer(403))) as proxy:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert was_served(CLIENTS[name], server.url, files)
    assert proxy.connections == 0


@pytest.mark.parametrize("name", CLIENTS)
def test_netrc_adds_no_credentials(
    name: str, served: RawServer, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login someone password n3trc-w0rd\n", encoding="ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))

    assert was_served(CLIENTS[name], served.url, files)
    assert b"c29tZW9uZTpuM3RyYy13MHJk" not in served.requests[0]  # someone:n3trc-w0rd


@pytest.mark.parametrize("name", CLIENTS)
def test_keys_of_connections_are_not_written_down(
    name: str, served: RawServer, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))

    assert was_served(CLIENTS[name], served.url, files)
    assert not (tmp_path / "keys.log").exists()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_redirect_to_plain_http_is_not_followed(name: str, files: Files) -> None:
    with raw_server(sends(ANSWER)) as plain:
        away = answer(307, b"", location=f"{plain.url}/v1/accounts")
        answers = [away]  # once: boto3 asks where the bucket went, and for ever if that is redirected too

        def talk(connection: socket.socket, _: bytes) -> None:
            connection.sendall(answers.pop() if answers else answer(404, b""))

        with raw_server(talk, server_context()) as server:
            assert not was_served(CLIENTS[name], server.url, files)
    assert len(server.requests) >= 1
    assert plain.connections == 0


ELSEWHERE = [
    "http://esg.example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.nip.io",
    "http://localhost.",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://127.1",
    "http://127.0.0.1.",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::1%25lo]",
    "http://127.0.0.1@esg.example.com",
    "http://localhost:80@esg.example.com",
    "http://esg.example.com#@127.0.0.1",
    "http://esg.example.com\\@127.0.0.1",
    "HTTP://ESG.EXAMPLE.COM",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",  # localhost in circled letters
    "http://ip6-localhost",  # a name of loopback on most machines
]


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("name", CLIENTS)
def test_plain_http_is_refused_but_for_loopback_written_in_full(name: str, url: str, files: Files) -> None:
    with pytest.raises((SettingsWrong, ValueError)) as refused:
        CLIENTS[name](url, files)

    assert SECRET not in str(refused.value)


def test_kms_of_prod_is_not_asked_over_plain_http_on_loopback_either(files: Files) -> None:
    with pytest.raises(SettingsWrong, match="without TLS"):
        ask_kms("http://127.0.0.1:9", files)


def test_no_endpoint_of_the_aws_configuration_leads_writing_away_from_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://192.0.2.1:9\n", encoding="ascii")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    keys = {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-2"}

    writing = s3_entry.S3Entry("bucket", "records", keys).writing

    assert writing.meta.endpoint_url == "https://s3.us-east-2.amazonaws.com"
