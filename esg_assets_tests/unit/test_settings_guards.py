"""The guards of ESG_ENV: each fails closed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import Settings, load_settings


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A key; the same for the same number, since making one is slow."""
    assert number >= 0
    return rsa.generate_private_key(65537, 2048)


KMS = "aws-kms://arn:aws:kms:us-east-2:123456789012:key/"
PEM = serialization.Encoding.PEM


def wrong(**variables: str) -> str:
    """The message that these variables are refused with; "" if they are not."""
    try:
        load_settings(environ=variables, dotenv=None)
    except SettingsWrong as error:
        return str(error)
    return ""


class TestEnvironmentMustBeGiven:
    """Left out, ESG_ENV means dev: never by accident for something real."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ESG_API_URL", "https://esg.example.com"),
            ("ESG_API_TOKEN_URL", "https://login.example.com/token"),
            ("ESG_API_PROXY", "http://proxy.example.com:3128"),
            ("ESG_ACCOUNTS_URL", "https://accounts.example.com"),
            ("ESG_ACCOUNTS_URL", "postgresql+psycopg://db.example.com/accounts"),
            ("ESG_ACCOUNTS_URL", "postgresql+psycopg://localhost/accounts?host=db.example.com"),
            ("ESG_ACCOUNTS_URL", "postgresql+psycopg:///accounts?service=prod"),
            ("ESG_ACCOUNTS_URL", "s3://bucket/accounts.csv"),
            ("ESG_STORE_URL", "s3://bucket/prefix"),
            ("ESG_WORK_URL", "gs://bucket/prefix"),
            ("ESG_DATABASE_URL", "postgresql+psycopg://db.example.com/history"),
            ("ESG_WORKING_KEY", "keys/working.key"),
            ("ESG_SIGNING_KEY", "keys/signing.pem"),
            ("ESG_REPORT_RECIPIENTS", "keys/demo-recipient.pub.pem,keys/recipient.pub.pem"),
            ("ESG_VERIFY_KEYS", "keys/signing.pub.pem"),
            ("ESG_SIGNING_KEY", f"{KMS}1"),
            ("ESG_WORKING_KEY", "keys/demography.key"),
            ("ESG_WORKING_KEY", ".demo/keys/working.key"),
        ],
    )
    def test_for_a_remote_system_or_a_real_key(self, name: str, value: str) -> None:
        variables = {name: value}
        assert "ESG_ENV is not set; wanted: dev, test or prod, because" in wrong(**variables)
        assert wrong(ESG_ENV="dev", **variables) == ""
        assert "ESG_ENV" in wrong(ESG_ENV="", **variables)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("PGHOSTADDR", "192.0.2.1"), ("PGHOSTADDR", "127.0.0.1,192.0.2.1"), ("PGSERVICE", "prod")],
    )
    def test_where_a_variable_of_libpq_leads_to_another_machine(self, name: str, value: str) -> None:
        for setting in ("ESG_DATABASE_URL", "ESG_ACCOUNTS_URL"):
            variables = {setting: "postgresql+psycopg:///history?host=/run/postgresql", name: value}
            assert f"because {name} leads {setting} to another machine" in wrong(**variables)
            assert wrong(ESG_ENV="dev", **variables) == ""
            assert wrong(**{**variables, name: "127.0.0.1" if name == "PGHOSTADDR" else ""}) == ""

    def test_not_on_loopback_with_demo_keys(self) -> None:
        variables = {
            "ESG_API_URL": "http://127.0.0.1:8000",
            "ESG_API_TOKEN_URL": "http://localhost:8000/oauth2/token",
            "ESG_ACCOUNTS_URL": "http://[::1]:8000",
            "ESG_STORE_URL": "/tmp/store",
            "ESG_DATABASE_URL": "postgresql+psycopg://127.0.0.1/history?host=/run/postgresql",
            "ESG_WORKING_KEY": ".demo/keys/demo-working.key",
            "ESG_SIGNING_KEY": ".demo/keys/demo-signing.pem",
            "ESG_REPORT_RECIPIENTS": ".demo/keys/demo-recipient.pub.pem",
        }

        assert wrong(**variables) == ""

    def test_a_word_that_is_no_environment_is_not_taken_for_dev(self) -> None:
        assert "ESG_ENV holds 'PROD'" in wrong(ESG_ENV="PROD")

    def test_verify_and_decrypt_are_guarded_too(self) -> None:
        with pytest.raises(SettingsWrong, match="ESG_ENV is not set"):
            load_settings("report verify", environ={"ESG_STORE_URL": "s3://bucket/prefix"})


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """Variables that prod accepts; keys are real files."""
    (tmp_path / "host").mkdir()
    (tmp_path / "recipients").mkdir()
    signing = ed25519.Ed25519PrivateKey.generate()
    _private(tmp_path / "host/signing.pem", signing)
    _public(tmp_path / "host/signing.pub.pem", signing)
    (tmp_path / "host/working.key").write_bytes(bytes(32))
    for number, name in enumerate(("one", "two"), start=1):
        _public(tmp_path / f"recipients/{name}.pub.pem", rsa_key(number))
    return {
        "ESG_ENV": "prod",
        "ESG_API_URL": "https://esg.example.com",
        "ESG_ACCOUNTS_URL": "https://accounts.example.com",
        "ESG_WORKING_KEY": f"{tmp_path}/host/working.key",
        "ESG_SIGNING_KEY": f"{tmp_path}/host/signing.pem",
        "ESG_VERIFY_KEYS": f"{tmp_path}/host/signing.pub.pem",
        "ESG_REPORT_RECIPIENTS": f"{tmp_path}/recipients/one.pub.pem,{tmp_path}/recipients/two.pub.pem",
    }


PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def _private(path: Path, key: PrivateKey, password: bytes | None = None) -> None:
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, cipher))


def _public(path: Path, key: PrivateKey) -> None:
    path.write_bytes(key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


class TestProd:
    """What ESG_ENV=prod refuses."""

    def test_good_settings_pass(self, production: dict[str, str]) -> None:
        assert wrong(**production) == ""

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("ESG_API_URL", "http://127.0.0.1:8000", "ESG_API_URL is plain http"),
            ("ESG_API_TOKEN_URL", "http://localhost/token", "ESG_API_TOKEN_URL is plain http"),
            ("ESG_ACCOUNTS_URL", "http://127.0.0.1:8000", "ESG_ACCOUNTS_URL is plain http"),
            ("ESG_ACCOUNTS_TOKEN_URL", "http://[::1]/token", "ESG_ACCOUNTS_TOKEN_URL is plain http"),
            ("ESG_PAGERDUTY_URL", "http://127.0.0.1:1", "ESG_PAGERDUTY_URL is plain http"),
            ("ESG_SLACK_WEBHOOK_URL", "http://127.0.0.1:1/x", "ESG_SLACK_WEBHOOK_URL is plain http"),
            ("ESG_HEARTBEAT_URL", "http://127.0.0.1:1/x", "ESG_HEARTBEAT_URL is plain http"),
            ("ESG_METRICS_PUSH_URL", "http://push.example.com", "ESG_METRICS_PUSH_URL is plain http"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel.example.com:4318", "OTLP_ENDPOINT is plain http"),
            (
                "ESG_API_PROXY",
                "http://user:pw@proxy.example.com",
                "ESG_API_PROXY sends a password over plain http",
            ),
            ("ESG_SMTP_URL", "smtp://mail.example.com", "ESG_SMTP_URL is plain SMTP"),
            ("ESG_SMTP_URL", "SMTP://mail.example.com", "ESG_SMTP_URL is plain SMTP"),
            ("ESG_API_AUTH", "none", "ESG_API_AUTH is none"),
            ("ESG_VERIFY_KEYS", "", "ESG_VERIFY_KEYS is not set"),
            ("ESG_REPORT_RECIPIENTS", f"{KMS}1", "fewer than two different recipients"),
            ("ESG_REPORT_RECIPIENTS", f"{KMS}1,{KMS}1", "fewer than two different recipients"),
            ("ESG_WORKING_KEY", "keys/demo-working.key", "names the demo key demo-working.key"),
            ("ESG_SIGNING_KEY", ".demo/keys/signing.pem", "names the demo key signing.pem"),
            ("ESG_REPORT_RECIPIENTS", f"{KMS}1,keys/demo.pub.pem", "names the demo key demo.pub.pem"),
        ],
    )
    def test_is_refused(self, production: dict[str, str], name: str, value: str, told: str) -> None:
        more = {"ESG_ALERT_EMAIL_FROM": "esg@example.com"} if name == "ESG_SMTP_URL" else {}

        assert told in wrong(**{**production, **more, name: value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ESG_API_PROXY", "http://proxy.example.com:3128"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
            ("ESG_DAGSTER_URL", "http://dagster.example.com"),
            ("ESG_REPORT_RECIPIENTS", f"{KMS}1,{KMS}2"),
        ],
    )
    def test_is_accepted(self, production: dict[str, str], name: str, value: str) -> None:
        assert wrong(**{**production, name: value}) == ""

    def test_a_demo_key_behind_a_link_is_refused(self, production: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "demo-working.key").write_bytes(bytes(32))
        (tmp_path / "working.key").symlink_to(tmp_path / "demo-working.key")

        assert "demo key" in wrong(**{**production, "ESG_WORKING_KEY": f"{tmp_path}/working.key"})

    def test_one_recipient_under_two_names_counts_once(
        self, production: dict[str, str], tmp_path: Path
    ) -> None:
        copy = tmp_path / "recipients/copy.pem"
        copy.write_bytes((tmp_path / "recipients/one.pub.pem").read_bytes() + b"\n")
        recipients = f"{tmp_path}/recipients/one.pub.pem,{copy}"

        assert "fewer than two different" in wrong(**{**production, "ESG_REPORT_RECIPIENTS": recipients})

    @pytest.mark.parametrize("folder", ["host", "recipients"])
    @pytest.mark.parametrize(
        "put",
        [
            lambda path: _private(path, rsa_key()),
            lambda path: _private(path, rsa_key(), b"pass phrase"),
            lambda path: path.write_bytes(
                rsa_key().private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            ),
            lambda path: path.write_bytes(
                b"-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n"
            ),
        ],
        ids=["plain", "pass phrase", "DER", "unreadable"],
    )
    def test_a_private_key_of_a_recipient_beside_any_key_is_refused(
        self, production: dict[str, str], tmp_path: Path, folder: str, put: Callable[[Path], None]
    ) -> None:
        put(tmp_path / folder / "harmless.txt")

        message = wrong(**production)

        assert f"{tmp_path}/{folder}/harmless.txt may be a recipient's private key" in message

    def test_a_tls_client_key_beside_the_keys_is_no_recipients(
        self, production: dict[str, str], tmp_path: Path
    ) -> None:
        key = rsa_key()
        _private(tmp_path / "host/client.key", key)
        (tmp_path / "host/client.pem").touch()
        tls = {
            "ESG_API_CLIENT_CERT": f"{tmp_path}/host/client.pem",
            "ESG_API_CLIENT_CERT_KEY": f"{tmp_path}/host/client.key",
        }
        assert wrong(**production, **tls) == ""

        _public(tmp_path / "recipients/two.pub.pem", key)
        assert "client.key may be a recipient's private key" in wrong(**production, **tls)


def test_a_tolerant_load_does_not_run_what_prod_refuses(production: dict[str, str]) -> None:
    settings: Settings = load_settings(environ={**production, "ESG_API_AUTH": "none"}, tolerant=True)

    with pytest.raises(SettingsWrong, match="ESG_API_AUTH is none"):
        settings.require("run")
