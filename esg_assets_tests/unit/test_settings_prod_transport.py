"""What ESG_ENV=prod wants of connections that no client of ours makes by itself: databases, mail, clouds."""

from pathlib import Path

import pytest
from psycopg import pq

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import load_settings
from esg_assets.settings.database_transport import LIBPQ_VARIABLES

PASSWORD = "s3cr3t-w0rd"


def wrong(environment: str = "prod", **variables: str) -> str:
    """The message that these variables are refused with; "" if they are not."""
    base = {"ESG_ENV": environment, "ESG_ALERT_EMAIL_FROM": "esg@example.com"}
    try:
        load_settings(environ={**base, **variables}, dotenv=None)
    except SettingsWrong as error:
        text = str(error)
    else:
        text = ""
    assert PASSWORD not in text
    return text


GOOD = [
    f"postgresql+psycopg://u:{PASSWORD}@db.example.com/history?sslmode=verify-full",
    "postgresql://db.example.com/history?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    "postgresql+psycopg2://db.example.com/history?sslmode=verify-full",
    "postgresql+psycopg:///history?host=h1:5432&host=h2:5432&sslmode=verify-full",
    "postgresql+psycopg:///history?host=/run/postgresql",
    "postgresql+psycopg://u@/history?host=/run/postgresql&port=5433",
    "postgresql+psycopg://db.example.com/history?sslmode=verify-full&ssl_min_protocol_version=TLSv1.3",
    "sqlite:////srv/history.sqlite",
]
BAD = [
    f"postgresql+psycopg://u:{PASSWORD}@db.example.com/history",
    "postgresql://db.example.com/history?sslmode=prefer",
    "postgresql://db.example.com/history?sslmode=require",
    "postgresql://db.example.com/history?sslmode=verify-ca",
    "postgresql://db.example.com/history?sslmode=VERIFY-FULL",
    "postgresql://db.example.com/history?sslmode=disable&sslmode=verify-full",
    "postgresql://db.example.com/history?sslmode=verify-full&sslmode=disable",
    "postgresql://db.example.com/history?SSLMODE=verify-full",
    "postgresql://db.example.com/history#sslmode=verify-full",
    "postgresql://127.0.0.1/history",
    "postgresql://localhost/history",
    "postgresql:///history",  # libpq would look at PGHOST
    "postgresql:///history?host=/run/postgresql&host=db.example.com",
    "postgresql:///history?host=/run/postgresql,db.example.com",
    "postgresql:///history?host=/run/postgresql&hostaddr=192.0.2.1",
    "postgresql:///history?host=/run/postgresql&service=elsewhere",
    "postgresql://db.example.com/history?host=/run/postgresql",
    "postgresql+pg8000://db.example.com/history?sslmode=verify-full",
    "postgresql+asyncpg://db.example.com/history?sslmode=verify-full",
    "postgres://db.example.com/history",
    "postgresql://h1:5432,h2:5432/history?sslmode=verify-full",  # SQLAlchemy wants hosts in the query
    "postgresql://db.example.com/history?sslmode=verify-full&ssl_min_protocol_version=TLSv1",
    "postgresql://db.example.com/history?sslmode=verify-full&sslkeylogfile=/tmp/keys",
    "postgresql://db.example.com/history?sslmode=verify-full&gssencmode=prefer",
]


@pytest.mark.parametrize("name", ["ESG_DATABASE_URL", "ESG_ACCOUNTS_URL"])
@pytest.mark.parametrize("url", GOOD)
def test_postgresql_by_verified_tls_or_a_socket_is_accepted(name: str, url: str) -> None:
    assert wrong(**{name: url}) == ""


@pytest.mark.parametrize("name", ["ESG_DATABASE_URL", "ESG_ACCOUNTS_URL"])
@pytest.mark.parametrize("url", BAD)
def test_postgresql_by_anything_less_is_refused_in_prod_alone(name: str, url: str) -> None:
    assert f"{name} leads to PostgreSQL without verified TLS" in wrong(**{name: url})
    assert wrong("test", **{name: url}) == ""


WHOLE = (
    "postgresql+psycopg://u@db.example.com:5432/history?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    "&hostaddr=192.0.2.1&options=-cjit=off&sslnegotiation=postgres&sslcert=c&sslkey=k&sslcertmode=allow"
    "&sslcrl=l&sslcrldir=d&sslsni=1&channel_binding=prefer&gssencmode=disable&service=s"
)
HARMLESS = {
    "PGPASSWORD": "who we are, shown to a server that is verified",
    "PGPASSFILE": "the same",
    "PGCONNECT_TIMEOUT": "ours stands in every connection",
    "PGSSLMINPROTOCOLVERSION": "ours stands in every connection",
    "PGSSLMAXPROTOCOLVERSION": "not below the least",
    "PGSSLCOMPRESSION": "libpq ignores it",
    "PGCLIENTENCODING": "psycopg sets its own",
    "PGAPPNAME": "a name for people",
    "PGREQUIREPEER": "wants more of the server, never less",
    "PGREQUIREAUTH": "the same",
    "PGKRBSRVNAME": "of Kerberos, which is a way to sign in to a server that is verified",
    "PGGSSLIB": "the same",
    "PGGSSDELEGATION": "the same",
    "PGTARGETSESSIONATTRS": "picks one of the hosts that are named",
    "PGLOADBALANCEHOSTS": "the same",
    "PGMINPROTOCOLVERSION": "of PostgreSQL's own protocol inside TLS",
    "PGMAXPROTOCOLVERSION": "the same",
}


@pytest.mark.parametrize("name", LIBPQ_VARIABLES)
def test_no_variable_of_libpq_changes_in_prod_where_a_connection_leads(name: str) -> None:
    for setting in ("ESG_DATABASE_URL", "ESG_ACCOUNTS_URL"):
        least = (
            "postgresql:///?host=/run/postgresql"
            if name != "PGHOST"
            else "postgresql:///?sslmode=verify-full"
        )
        told = wrong(**{setting: least, name: PASSWORD})
        assert f"{name} is set, and would change where or how {setting} connects" in told
        assert f"{LIBPQ_VARIABLES[name]}=" in told
        assert wrong(**{setting: WHOLE, name: PASSWORD}) == ""
        assert wrong(**{setting: least, name: ""}) == ""
        assert wrong(**{setting: "sqlite:////srv/history.sqlite", name: PASSWORD}) == ""
        assert name not in wrong("test", **{setting: least, name: PASSWORD})


def test_every_variable_that_libpq_knows_was_thought_of() -> None:
    known = {
        each.envvar.decode(): each.keyword.decode() for each in pq.Conninfo.get_defaults() if each.envvar
    }
    assert {name: option for name, option in known.items() if name not in HARMLESS} == dict(LIBPQ_VARIABLES)


@pytest.mark.parametrize("command", ["", "report verify", "report decrypt"])
def test_no_secret_of_a_connection_is_written_down_in_prod(command: str, tmp_path: Path) -> None:
    environ = {"ESG_ENV": "prod", "ESG_STORE_URL": str(tmp_path), "SSLKEYLOGFILE": "/tmp/keys.log"}
    with pytest.raises(SettingsWrong, match=r"SSLKEYLOGFILE is set: .* ESG_ENV=prod wants it unset"):
        load_settings(command, environ=environ, dotenv=None)


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        (f"smtps://u:{PASSWORD}@mail.example.com:465", True),
        (f"smtp+starttls://u:{PASSWORD}@mail.example.com:587", True),
        ("smtp://mail.example.com", False),
        ("smtp://127.0.0.1:25", False),
        ("SMTP://mail.example.com", False),
        ("smtp+plain://mail.example.com", False),
        ("smtp+starttls://mail.example.com?verify=false", False),
        ("smtps://mail.example.com/?tls=off", False),
        ("smtps://mail.example.com#verify=false", False),
    ],
)
def test_mail_goes_by_tls_in_prod(url: str, accepted: bool) -> None:
    assert (wrong(ESG_SMTP_URL=url) == "") is accepted


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT",
        "STORAGE_EMULATOR_HOST",
    ],
)
@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "HTTP://s3.example.com", "127.0.0.1:9000"])
def test_a_clouds_endpoint_is_https_in_prod(name: str, url: str) -> None:
    assert f"{name} is not https" in wrong(**{name: url})
    assert wrong(**{name: "https://vpce.example.com"}) == ""
    assert wrong("test", **{name: url}) == ""


def test_verify_and_decrypt_are_told_too() -> None:
    with pytest.raises(SettingsWrong, match="AWS_ENDPOINT_URL is not https"):
        load_settings("report verify", environ={"ESG_ENV": "prod", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
