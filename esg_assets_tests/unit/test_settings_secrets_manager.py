"""Secrets that are kept in AWS Secrets Manager."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import load_settings
from esg_assets_tests.kms_server import ministack

SECRET = "s3cr3t-w0rd"
ENTRY = {
    "AWS_DEFAULT_REGION": "us-east-2",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class FakeSecretsManager(ThreadingHTTPServer):
    """AWS Secrets Manager over HTTP, as far as GetSecretValue goes."""

    def __init__(self, secrets: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.secrets = secrets
        self.asked: list[str] = []


class _Answer(BaseHTTPRequestHandler):
    server: FakeSecretsManager

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
        self.server.asked.append(name)
        found = self.server.secrets.get(name)
        body = {"Name": name, "SecretString": found}
        if found is None:
            denied = {"__type": "AccessDeniedException", "Message": f"arn:aws:iam::1:role/{SECRET} may not"}
            body = denied if name == "denied" else {"__type": "ResourceNotFoundException"}
        data = json.dumps(body).encode()
        self.send_response(400 if found is None else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: tests are quiet."""


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSecretsManager]:
    server = FakeSecretsManager({"esg/api": json.dumps({"key": SECRET, "number": 7}), "plain": SECRET})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    for name, value in {**ENTRY, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}.items():
        monkeypatch.setenv(name, value)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_secrets_are_taken_from_secrets_manager_each_once(secrets_manager: FakeSecretsManager) -> None:
    settings = load_settings(
        environ={
            "ESG_API_KEY": "aws-secretsmanager://esg/api#key",
            "ESG_API_CLIENT_SECRET": "aws-secretsmanager://esg/api#key",
            "ESG_API_BEARER_TOKEN": "aws-secretsmanager://plain",
        },
        dotenv=None,
    )

    for secret in (settings.api_key, settings.api_client_secret, settings.api_bearer_token):
        assert secret is not None
        assert secret.get_secret_value() == SECRET
    assert sorted(secrets_manager.asked) == ["esg/api", "plain"]
    assert settings.sources()["ESG_API_KEY"] == "aws-secretsmanager://esg/api#key (environment)"


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("esg/other#key", "ResourceNotFoundException"),
        ("esg/api#nothing", "a text in its field nothing"),
        ("esg/api#number", "a text in its field number"),
        ("plain#key", "a JSON object"),
        ("#key", "aws-secretsmanager://NAME#FIELD"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_by_its_name(
    secrets_manager: FakeSecretsManager, reference: str, why: str
) -> None:
    with pytest.raises(SettingsWrong) as caught:
        load_settings(environ={"ESG_API_KEY": f"aws-secretsmanager://{reference}"}, dotenv=None)

    assert "ESG_API_KEY" in str(caught.value)
    assert why in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_call_that_is_denied_is_told_without_its_text(secrets_manager: FakeSecretsManager) -> None:
    with pytest.raises(SettingsWrong, match="Secrets Manager answered AccessDeniedException") as caught:
        load_settings(environ={"ESG_API_KEY": "aws-secretsmanager://denied#key"}, dotenv=None)

    assert SECRET not in str(caught.value)


def test_a_whole_secrets_manager_gives_what_was_put_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for endpoint in ministack("secretsmanager"):
        for name, value in {**ENTRY, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        admin = boto3.session.Session().client("secretsmanager", endpoint_url=endpoint)
        admin.create_secret(Name="esg/api", SecretString=json.dumps({"key": SECRET}))
        admin.create_secret(Name="esg/binary", SecretBinary=b"bytes")
        admin.close()

        settings = load_settings(environ={"ESG_API_KEY": "aws-secretsmanager://esg/api#key"}, dotenv=None)
        assert settings.api_key is not None
        assert settings.api_key.get_secret_value() == SECRET
        for reference, why in (
            ("esg/other#key", "ResourceNotFoundException"),
            ("esg/api#other", "in its field other"),
            ("esg/binary", "a secret that holds text"),
        ):
            with pytest.raises(SettingsWrong, match=why):
                load_settings(environ={"ESG_API_KEY": f"aws-secretsmanager://{reference}"}, dotenv=None)


def test_a_secrets_manager_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(SettingsWrong, match=r"NoRegionError.*AWS_REGION"):
        load_settings(environ={"ESG_API_KEY": "aws-secretsmanager://esg#key"}, dotenv=None)


def test_what_is_no_secret_cannot_stand_in_secrets_manager() -> None:
    with pytest.raises(SettingsWrong, match="only settings that are secret"):
        load_settings(environ={"ESG_API_CLIENT_ID": "aws-secretsmanager://esg#id"}, dotenv=None)


def test_verify_never_asks_secrets_manager(secrets_manager: FakeSecretsManager) -> None:
    load_settings("report verify", environ={"ESG_API_KEY": "aws-secretsmanager://esg/api#key"}, dotenv=None)

    assert secrets_manager.asked == []
