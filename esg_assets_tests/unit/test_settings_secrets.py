"""Secrets of the settings: where they come from, and that they are never shown."""

import logging
import traceback
from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import SECRETS, Settings, load_settings, variable_of
from esg_assets.settings.masking import mask_url

SECRET = "s3cr3t-w0rd"
URLS = {
    "accounts_url": f"postgresql+psycopg://{SECRET}-user:{SECRET}@db.example.com:5432/book?sslpassword={SECRET}",
    "store_url": "s3://bucket/prefix",
    "work_url": "s3://bucket/work",
    "database_url": f"postgresql://u:{SECRET}@db.example.com/history?password={SECRET}#{SECRET}",
    "api_proxy": f"https://{SECRET}:{SECRET}@proxy.example.com:3128",
    "smtp_url": f"smtps://{SECRET}:{SECRET}@mail.example.com:465",
    "slack_webhook_url": f"https://hooks.slack.com/services/T0/B0/{SECRET}",
    "heartbeat_url": f"https://hc-ping.com/{SECRET}",
    "metrics_push_url": f"https://u:{SECRET}@push.example.com/metrics?token={SECRET}",
    "otel_exporter_otlp_headers": f"Authorization=Bearer%20{SECRET}",
}


def all_secrets() -> dict[str, str]:
    """A value with the secret word in it for every setting that is secret."""
    values = {variable_of(name): URLS.get(name, SECRET) for name in SECRETS}
    return {
        "ESG_ENV": "test",
        "ESG_ALERT_EMAIL_FROM": "a@example.com",
        "ESG_ACCOUNTS_AUTH": "bearer",
        **values,
    }


def test_no_secret_shows_in_any_form_of_the_settings() -> None:
    settings = load_settings(environ=all_secrets(), dotenv=None)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == SECRET

    for text in (
        repr(settings),
        str(settings),
        str(settings.model_dump()),
        settings.model_dump_json(),
        str(settings.shown()),
        str(settings.sources()),
        f"{settings.database_url} {settings.database_url!r}",
    ):
        assert SECRET not in text


def test_urls_keep_scheme_host_and_path() -> None:
    shown = load_settings(environ=all_secrets(), dotenv=None).shown()

    assert shown["ESG_ACCOUNTS_URL"] == "postgresql+psycopg://db.example.com:5432/book"
    assert shown["ESG_DATABASE_URL"] == "postgresql://db.example.com/history"
    assert shown["ESG_STORE_URL"] == "s3://bucket/prefix"
    assert shown["ESG_SMTP_URL"] == "smtps://mail.example.com:465"
    # A webhook's path is the secret.
    assert shown["ESG_SLACK_WEBHOOK_URL"] == "https://hooks.slack.com/********"
    assert shown["ESG_API_KEY"] == "********"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{SECRET}@host/db",
        f"postgresql://user:pa/{SECRET}@host/db",
        f"postgresql://user:pa?{SECRET}@host/db",
        f"postgresql://user:pa#{SECRET}@host/db",
        f"postgresql://user@corp:pa/{SECRET}@host/db",
        f"postgresql://user:p@{SECRET}@host/db",
        f"postgresql://user:{SECRET}[@host/db",
        f"https://host/path?token={SECRET}",
        f"https://host/path?mail=a@{SECRET}",
        f"https://host/path;token={SECRET}",
        f"https://host#{SECRET}",
        f"https://host\\@{SECRET}",
        f"user:{SECRET}@host/db",
        f"file.csv?{SECRET}",
        f"not a scheme {SECRET}://host",
    ],
)
def test_whatever_a_password_is_made_of_it_is_masked(url: str) -> None:
    assert SECRET not in mask_url(url)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_refused_secret_is_not_in_the_message_nor_in_the_traceback(name: str) -> None:
    values = all_secrets() | {variable_of(name): f"{SECRET}\n\x01 ://{SECRET}@"}

    with pytest.raises(SettingsWrong) as caught:
        load_settings(environ=values, dotenv=None)

    assert variable_of(name) in str(caught.value)
    everything = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in everything
    # Not even what debuggers and error reporters follow.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_credentials_in_a_plain_url_are_refused_and_not_shown() -> None:
    with pytest.raises(SettingsWrong) as caught:
        load_settings(
            environ={"ESG_ENV": "test", "ESG_API_URL": f"https://u:{SECRET}@esg.example.com"}, dotenv=None
        )

    assert "ESG_API_URL holds https://esg.example.com" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_direct_construction_does_not_tell_either() -> None:
    with pytest.raises(SettingsWrong) as caught:
        Settings(api_key=f"{SECRET}\n")

    assert SECRET not in repr(caught.value)
    assert caught.value.__context__ is None


def test_pydantics_debug_log_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "1")
    with caplog.at_level(logging.DEBUG):
        load_settings(environ=all_secrets(), dotenv=None)

    assert "ESG" in caplog.text or "Layer" in caplog.text
    assert SECRET not in caplog.text


class TestFiles:
    """`X_FILE` stands for a secret X."""

    def test_a_secret_is_read_from_a_file_without_its_last_line_break(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text(f"{SECRET}\n")
        file.chmod(0o600)

        settings = load_settings(environ={"ESG_API_KEY_FILE": str(file)}, dotenv=None)

        assert settings.api_key is not None
        assert settings.api_key.get_secret_value() == SECRET
        assert settings.sources()["ESG_API_KEY"] == f"file {file} (environment)"

    def test_others_must_not_be_able_to_read_it(self, tmp_path: Path) -> None:
        self._refused(tmp_path, 0o644, "can be read by others")

    def test_others_must_not_be_able_to_write_it(self, tmp_path: Path) -> None:
        self._refused(tmp_path, 0o620, "can be written by others")

    def _refused(self, folder: Path, mode: int, why: str) -> None:
        file = folder / "token"
        file.write_text(SECRET)
        file.chmod(mode)
        with pytest.raises(SettingsWrong) as caught:
            load_settings(environ={"ESG_API_KEY_FILE": str(file)}, dotenv=None)
        assert why in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_a_folder_an_empty_file_and_a_missing_one_are_refused(self, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.touch(mode=0o600)
        for path, why in (
            (tmp_path, "no regular file"),
            (empty, "is empty"),
            (tmp_path / "x", "cannot be read"),
        ):
            with pytest.raises(SettingsWrong, match=why):
                load_settings(environ={"ESG_API_KEY_FILE": str(path)}, dotenv=None)

    def test_a_secret_in_place_of_its_files_name_is_not_shown(self) -> None:
        with pytest.raises(SettingsWrong) as caught:
            load_settings(environ={"ESG_API_KEY_FILE": SECRET}, dotenv=None)

        assert SECRET not in str(caught.value)

    def test_value_and_file_together_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsWrong, match="not both"):
            load_settings(environ={"ESG_API_KEY": "x", "ESG_API_KEY_FILE": str(tmp_path)}, dotenv=None)

    def test_what_is_no_secret_cannot_stand_in_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsWrong, match="only settings that are secret"):
            load_settings(environ={"ESG_API_CLIENT_ID_FILE": str(tmp_path)}, dotenv=None)
