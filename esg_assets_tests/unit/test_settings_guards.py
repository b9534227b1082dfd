"""The guards of ESG_ENV and of the .env: each fails closed."""

import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import Settings, load_settings
from esg_assets.settings.secret_files import unsafe


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


class TestDotenv:
    """A .env in the working folder."""

    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def _write(self, text: str = "ESG_API_RATE_LIMIT=7\n", mode: int = 0o600) -> Path:
        file = Path(".env")
        file.write_text(text)
        file.chmod(mode)
        return file

    def _refused(self, why: str, **variables: str) -> None:
        with pytest.raises(SettingsWrong, match=why):
            load_settings(environ=variables)

    def test_gives_what_the_environment_does_not(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nESG_API_BURST=3\nexport ESG_MIN_CELL='12' # comment\n")

        settings = load_settings(environ={"ESG_API_BURST": "9"})

        assert (settings.api_rate_limit, settings.api_burst, settings.min_cell) == (7, 9, 12)
        sources = settings.sources()
        assert sources["ESG_API_RATE_LIMIT"] == ".env"
        assert sources["ESG_API_BURST"] == "environment"

    def test_nothing_in_it_is_expanded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/elsewhere")
        self._write("ESG_API_KEY=a${HOME}$HOME\n")

        settings = load_settings(environ={})

        assert settings.api_key is not None
        assert settings.api_key.get_secret_value() == "a${HOME}$HOME"

    def test_is_not_read_in_prod(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nthis line is broken\n")

        with pytest.raises(SettingsWrong) as caught:
            load_settings("run", environ={"ESG_ENV": "prod"})

        assert ".env" not in str(caught.value)
        assert load_settings(environ={"ESG_ENV": "prod"}, tolerant=True).api_rate_limit == 50

    def test_that_dagster_loaded_into_the_environment_is_refused_in_prod(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nESG_API_BURST=3\n", mode=0o666)

        self._refused(r"ESG_API_BURST\), as Dagster does", ESG_ENV="prod", ESG_API_BURST="3")
        load_settings(environ={"ESG_ENV": "prod", "ESG_API_BURST": "4"})

    def test_is_not_read_when_the_environment_is_no_word_we_know(self) -> None:
        self._write()

        assert load_settings(environ={"ESG_ENV": "prd"}, tolerant=True).api_rate_limit == 50

    def test_cannot_make_this_prod(self) -> None:
        self._write("ESG_ENV=prod\nESG_API_RATE_LIMIT=7\n")

        self._refused("sets ESG_ENV to something else than dev or test")
        assert load_settings(environ={}, tolerant=True).api_rate_limit == 50

    @pytest.mark.parametrize("command", ["report verify", "report decrypt"])
    def test_is_never_read_for_verify_and_decrypt(self, command: str) -> None:
        self._write("ESG_STORE_URL=/tmp/forged\nESG_VERIFY_KEYS=/tmp/forged.pub.pem\n", mode=0o666)

        settings = load_settings(command, environ={})

        assert settings.verify_keys == ()
        assert "forged" not in settings.store_url.get_secret_value()

    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_that_others_can_write_is_refused(self, mode: int) -> None:
        self._write(mode=mode)

        self._refused("can be written by others")

    def test_of_somebody_else_is_refused(self) -> None:
        theirs = list(os.stat_result(self._write().stat()))
        theirs[stat.ST_UID] = os.geteuid() + 1

        assert unsafe(os.stat_result(theirs), secret=False) == "belongs to another user"

    def test_that_is_a_link_is_refused(self) -> None:
        self._write().rename("elsewhere")
        Path(".env").symlink_to("elsewhere")

        self._refused("cannot be read")

    def test_that_is_a_pipe_or_a_folder_is_refused_without_waiting(self) -> None:
        os.mkfifo(".env", 0o600)
        self._refused("no regular file")
        Path(".env").unlink()
        Path(".env").mkdir(0o700)
        self._refused("no regular file")

    def test_with_a_line_that_cannot_be_read_is_refused_without_showing_it(self) -> None:
        self._write("ESG_MIN_CELL=12\ns3cr3t value\n")

        with pytest.raises(SettingsWrong) as caught:
            load_settings(environ={})

        assert "line 2" in str(caught.value)
        assert "s3cr3t" not in str(caught.value)

    def test_a_broken_value_is_told_with_its_source(self) -> None:
        self._write("ESG_API_RATE_LIMIT=0\n")

        self._refused(r"ESG_API_RATE_LIMIT holds '0' \(\.env\); wanted: greater than 0")

    def test_a_broken_secret_in_the_environment_does_not_fall_back_to_it(self) -> None:
        self._write("ESG_API_KEY=from-the-file\n")

        settings = load_settings(environ={"ESG_API_KEY": "two\nlines"}, tolerant=True)

        assert settings.api_key is None
        assert settings.sources()["ESG_API_KEY"] == "default"


def test_a_file_of_root_that_all_may_read_is_a_mounted_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.touch()
    mounted = list(file.stat())
    mounted[stat.ST_UID], mounted[stat.ST_MODE] = 0, stat.S_IFREG | 0o444
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert unsafe(os.stat_result(mounted)) == ""
    mounted[stat.ST_UID] = 1000
    assert unsafe(os.stat_result(mounted)) == "can be read by others (chmod 600)"


def test_a_tolerant_load_does_not_run_what_prod_refuses(production: dict[str, str]) -> None:
    settings: Settings = load_settings(environ={**production, "ESG_API_AUTH": "none"}, tolerant=True)

    with pytest.raises(SettingsWrong, match="ESG_API_AUTH is none"):
        settings.require("run")
