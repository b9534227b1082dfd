"""Reading settings: types, layers, and messages that say everything at once."""

import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ratings import Metric
from esg_assets.settings import KeyRef, Settings, VerifyKey, load_settings


def load(**variables: str) -> Settings:
    """Settings from these variables alone, in `test`."""
    return load_settings(environ={"ESG_ENV": "test", **variables}, dotenv=None)


def wrong(**variables: str) -> str:
    """The message that these variables are refused with."""
    with pytest.raises(SettingsWrong) as caught:
        load(**variables)
    return str(caught.value)


def test_stores_and_database_default_to_dagsters_home(tmp_path: Path) -> None:
    settings = load(DAGSTER_HOME=str(tmp_path))

    assert settings.store_url.get_secret_value() == f"{tmp_path}/store"
    assert settings.work_url.get_secret_value() == f"{tmp_path}/work"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/history.sqlite"


def test_without_a_home_the_stores_are_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load().store_url.get_secret_value() == f"{tmp_path}/.dagster/store"


def test_values_are_parsed_into_their_types(tmp_path: Path) -> None:
    settings = load(
        ESG_METRICS="waci:t/MUSD:lower, women_on_board:%:higher",
        ESG_FIRST_DATE="2025-02-28",
        ESG_REPORT_DEADLINE="06:30",
        ESG_ALERT_EMAIL_DEV="a@example.com, b@example.com",
        ESG_REPORT_RECIPIENTS="/keys/one.pem, aws-kms://arn:aws:kms:us-east-2:123456789012:key/abc",
        ESG_VERIFY_KEYS="/keys/a.pub.pem@1-99,/keys/b.pub.pem@100,/keys/c.pub.pem",
    )

    assert settings.metrics == (Metric("waci", "t/MUSD", "lower"), Metric("women_on_board", "%", "higher"))
    assert settings.first_date == date(2025, 2, 28)
    assert settings.report_deadline == time(6, 30)
    assert settings.alert_email_dev == ("a@example.com", "b@example.com")
    assert settings.report_recipients == (
        KeyRef(path=Path("/keys/one.pem")),
        KeyRef(arn="arn:aws:kms:us-east-2:123456789012:key/abc"),
    )
    assert settings.verify_keys == (
        VerifyKey(Path("/keys/a.pub.pem"), 1, 99),
        VerifyKey(Path("/keys/b.pub.pem"), 100),
        VerifyKey(Path("/keys/c.pub.pem")),
    )


def test_what_is_shown_can_be_set_again() -> None:
    variables = {
        "ESG_METRICS": "waci:t/MUSD:lower,women:%:higher",
        "ESG_FIRST_DATE": "2025-02-28",
        "ESG_REPORT_DEADLINE": "06:30",
        "ESG_ALERT_EMAIL_DEV": "a@example.com,b@example.com",
        "ESG_VERIFY_KEYS": "/keys/a.pem@1-99,/keys/b.pem@100,/keys/c.pem",
        "ESG_API_RATE_LIMIT": "12.5",
        "ESG_API_URL": "https://esg.example.com/base",
    }

    shown = load(**variables).shown()

    assert {name: shown[name] for name in variables} == variables


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("ESG_ENV", "production", "'dev', 'test' or 'prod'"),
        ("ESG_API_RATE_LIMIT", "0", "greater than 0"),
        ("ESG_API_RATE_LIMIT", "inf", "finite"),
        ("ESG_API_RATE_LIMIT", "fast", "valid number"),
        ("ESG_API_BURST", "1.5", "valid integer"),
        ("ESG_FAILURE_RATE_WARN", "1.01", "less than or equal to 1"),
        ("ESG_FAILURE_RATE_WARN", "nan", "finite"),
        ("ESG_MIN_COVERAGE_PCT", "101", "less than or equal to 100"),
        ("ESG_RETENTION_YEARS", "9999", "less than or equal to 100"),
        ("ESG_HISTORY_YEARS", "9999", "less than or equal to 100"),
        ("ESG_RUN_RECORD_DAYS", "30", "greater than or equal to 90"),
        ("ESG_FIRST_DATE", "20260101", "YYYY-MM-DD"),
        ("ESG_FIRST_DATE", "2026-02-30", "YYYY-MM-DD"),
        ("ESG_REPORT_DEADLINE", "7:00", "HH:MM"),
        ("ESG_REPORT_DEADLINE", "24:00", "HH:MM"),
        ("ESG_API_AUTH", "basic", "'oauth2'"),
        ("ESG_API_URL", "esg.example.com", "an https:// URL"),
        ("ESG_API_URL", "ftp://esg.example.com", "an https:// URL"),
        ("ESG_API_URL", "http://esg.example.com", "plain http is accepted on loopback only"),
        ("ESG_API_URL", "http://localhost.example.com", "plain http is accepted on loopback only"),
        ("ESG_API_URL", "https://esg.example.com\\@127.0.0.1", "backslashes"),
        ("ESG_API_URL", "https://esg.example.com/?key=x", "without query"),
        ("ESG_API_URL", "https://esg.example.com:port", "a URL"),
        ("ESG_ACCOUNTS_URL", "http://accounts.example.com", "plain http is accepted on loopback only"),
        ("ESG_ACCOUNTS_URL", "/data/accounts.xlsx", ".csv or .parquet"),
        ("ESG_ACCOUNTS_URL", "s3://bucket/accounts.json", ".csv or .parquet"),
        ("ESG_ACCOUNTS_URL", "file:///data/accounts.csv", "a path"),
        ("ESG_STORE_URL", "https://bucket.example.com", "s3://bucket/prefix"),
        ("ESG_DATABASE_URL", "/var/lib/history.db", "SQLAlchemy URL"),
        ("ESG_SMTP_URL", "mail.example.com:25", "smtp+starttls://"),
        ("ESG_METRICS", "waci", "name:unit:higher|lower"),
        ("ESG_METRICS", "Waci:t:lower", "names [a-z]"),
        ("ESG_METRICS", "waci:t:lower,waci:kg:lower", "each metric once"),
        ("ESG_METRICS", "reason:x:lower", "no column of the report"),
        ("ESG_ALERT_EMAIL_DEV", "devs", "mail addresses"),
        ("ESG_REPORT_RECIPIENTS", "aws-kms://my-key", "aws-kms://ARN"),
        ("ESG_WORKING_KEY", "gcp-kms://x", "aws-kms://ARN"),
        ("ESG_VERIFY_KEYS", "/keys/a.pem@9-3", "FILE[@FIRST[-LAST]]"),
        ("ESG_VERIFY_KEYS", "s3://keys/a.pem", "FILE[@FIRST[-LAST]]"),
        ("ESG_ACCOUNTS_MAPPING", "{fields: {a: nowhere}}", "our fields"),
        ("ESG_ACCOUNTS_MAPPING", "/missing/mapping.yaml", "a readable YAML file"),
        ("ESG_API_MAPPING", "just text", "a YAML mapping"),
        ("ESG_API_MAPPING", "{a: [}", "valid YAML (line 1"),
        ("ESG_ALERT_ROUTES", "{critical: email}", "severity: {audience: [channel"),
        ("ESG_API_CA_BUNDLE", "/missing/ca.pem", "a PEM file that exists"),
        ("ESG_API_KEY", "two\nlines", "one line"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_with_what_is_wanted(name: str, value: str, wanted: str) -> None:
    message = wrong(**{name: value})

    assert message.startswith(f"{name} holds ")
    assert wanted in message
    assert "Value error" not in message


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "https://esg.example.com/base"],
)
def test_loopback_may_be_plain_and_anything_else_must_be_https(url: str) -> None:
    assert load(ESG_API_URL=url + "/").api_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://accounts.example.com",
        "postgresql+psycopg://user:pw@db.example.com/accounts",
        "sqlite:///accounts.db",
        "data/accounts.csv",
        "s3://bucket/accounts.PARQUET",
        "gs://bucket/accounts.csv",
    ],
)
def test_every_kind_of_account_source_is_accepted(url: str) -> None:
    accepted = load(ESG_ACCOUNTS_URL=url).accounts_url

    assert accepted is not None
    assert accepted.get_secret_value() == url


def test_yaml_is_read_from_a_file_or_from_the_variable_itself(tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("active: [OPEN]\nfields: {acct: account_id}\n")

    of_file = load(ESG_ACCOUNTS_MAPPING=str(file)).accounts_mapping
    inline = load(ESG_ACCOUNTS_MAPPING="{fields: {acct: account_id}, active: [OPEN]}").accounts_mapping

    assert of_file is not None
    assert inline is not None
    assert of_file.data == inline.data == {"active": ["OPEN"], "fields": {"acct": "account_id"}}
    assert of_file.canonical == inline.canonical
    assert (of_file.path, inline.path) == (file, None)


def test_several_faults_are_listed_in_one_message() -> None:
    message = wrong(ESG_API_RATE_LIMIT="0", ESG_FIRST_DATE="soon", ESG_API_URL="http://esg.example.com")

    assert message.startswith("3 settings are wrong or missing:")
    for name in ("ESG_API_RATE_LIMIT", "ESG_FIRST_DATE", "ESG_API_URL"):
        assert message.count(f"  {name} holds ") == 1


def test_an_empty_variable_counts_as_not_set() -> None:
    settings = load(ESG_API_RATE_LIMIT="", ESG_API_KEY=" ")

    assert settings.api_rate_limit == 50
    assert settings.api_key is None
    assert settings.sources()["ESG_API_RATE_LIMIT"] == "default"


def test_failure_rates_must_ascend() -> None:
    assert "ESG_FAILURE_RATE_WARN, _ERROR and _BLOCK hold 0.2, 0.05 and 0.5" in wrong(
        ESG_FAILURE_RATE_WARN="0.2"
    )


def test_a_mail_server_needs_a_sender() -> None:
    assert "ESG_ALERT_EMAIL_FROM" in wrong(ESG_SMTP_URL="smtp://127.0.0.1:25")


def test_a_client_certificate_needs_its_key(tmp_path: Path) -> None:
    certificate = tmp_path / "client.pem"
    certificate.touch()

    assert "ESG_API_CLIENT_CERT_KEY" in wrong(ESG_API_CLIENT_CERT=str(certificate))


def test_a_token_for_accounts_without_a_way_to_use_it_is_refused() -> None:
    message = wrong(ESG_ACCOUNTS_URL="https://accounts.example.com", ESG_ACCOUNTS_TOKEN="abc")

    assert "ESG_ACCOUNTS_AUTH is none although ESG_ACCOUNTS_TOKEN is set" in message


def test_a_slip_in_a_name_is_told() -> None:
    settings = load(ESG_API_RATELIMIT="5", ESG_OURS="x")

    assert settings.unknown == ("ESG_API_RATELIMIT (did you mean ESG_API_RATE_LIMIT?)", "ESG_OURS")


def test_a_tolerant_load_keeps_the_faults_until_something_wants_to_run() -> None:
    settings = load_settings(
        environ={"ESG_API_RATE_LIMIT": "0", "ESG_FIRST_DATE": "2025-01-01"}, tolerant=True
    )

    assert settings.api_rate_limit == 50
    assert settings.first_date == date(2025, 1, 1)
    assert [fault.setting for fault in settings.faults] == ["ESG_API_RATE_LIMIT"]
    with pytest.raises(SettingsWrong, match="ESG_API_RATE_LIMIT holds '0'"):
        settings.require("run")


def test_settings_by_themselves_look_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESG_API_RATE_LIMIT", "7")
    monkeypatch.setenv("API_RATE_LIMIT", "7")

    assert Settings().api_rate_limit == 50
    assert Settings(api_rate_limit="9").api_rate_limit == 9


def test_importing_the_settings_reads_no_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ESG_ENV=prod\n")
    program = "import esg_assets.settings; print('fine')"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"ESG_ENV": "nonsense"},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"fine\n"
