"""Every connection of ours to a real PostgreSQL, over real TLS: whom it trusts and whom it refuses."""

import ssl
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from esg_assets.adapters.account_sources import SqlAccountSource
from esg_assets.adapters.database.opening import open_database
from esg_assets.adapters.leases import PostgresLeases
from esg_assets.core.errors import EsgError
from esg_assets_tests.postgres_tls_front import postgres_front
from esg_assets_tests.tls_servers import BAD_SERVERS, CA, HOST, client_files, pem_file, server_context


def open_history(url: str) -> None:
    with open_database(url).connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def hold_lease(url: str) -> None:
    with PostgresLeases(url).hold("partition/2026-01-15", "test"):
        pass


def read_accounts(url: str) -> None:
    query = "SELECT 'A-1' AS account_id WHERE :as_of > '2020-01-01'"
    assert [row for batch in SqlAccountSource(url, query).read(date(2026, 1, 14)) for row in batch]


CONNECTIONS: Mapping[str, Callable[[str], None]] = {
    "history": open_history,
    "lease": hold_lease,
    "accounts": read_accounts,
}


class Tried:
    """Opens one of our connections through a front that shows a certificate."""

    def __init__(self, name: str, database_url: str, bundle: Path) -> None:
        self._connect = CONNECTIONS[name]
        self._parts = urlsplit(database_url)
        self._password = str(self._parts.password)
        self._verified = f"sslmode=verify-full&sslrootcert={bundle}"
        self.secured = self.in_the_clear = 0
        self.told = ""

    def __call__(self, tls: ssl.SSLContext | None, more: str = "", host: str = HOST) -> bool:
        """Whether the connection was made; an error must be one of ours that tells nothing."""
        assert self._parts.port is not None
        with postgres_front(self._parts.port, tls) as front:
            user = f"{self._parts.username}:{self._password}"
            url = f"postgresql+psycopg://{user}@{host}:{front.port}{self._parts.path}?{self._verified}{more}"
            try:
                self._connect(url)
            except EsgError as error:
                text = str(error)
            else:
                text = ""
        self.secured, self.in_the_clear = front.secured, front.in_the_clear
        assert self._password not in text
        self.told = text
        return not text


@pytest.fixture(params=CONNECTIONS)
def tried(request: pytest.FixtureRequest, postgres_database_url: str, tmp_path: Path) -> Tried:
    bundle = pem_file(tmp_path / "ca.pem", CA.cert_pem)
    return Tried(request.param, postgres_database_url, bundle)


def test_a_firms_own_authority_is_trusted(tried: Tried) -> None:
    assert tried(server_context()), tried.told
    assert tried.secured >= 1
    assert tried.in_the_clear == 0


# libpq takes a common name for an address that the certificate has no other name for: its authority
# has signed that too.
NOT_HERE = ("the name as common name only", "wants a client certificate")


@pytest.mark.parametrize("bad", [name for name in BAD_SERVERS if name not in NOT_HERE])
def test_a_server_that_cannot_be_trusted_is_not_signed_in_to(tried: Tried, bad: str) -> None:
    assert not tried(BAD_SERVERS[bad]())
    assert tried.in_the_clear == 0


def test_a_server_by_another_name_of_the_same_machine_is_refused(tried: Tried) -> None:
    assert not tried(server_context(), host="localhost")


def test_a_wrong_authority_is_told_to_be_one(tried: Tried) -> None:
    assert not tried(BAD_SERVERS["another authority"]())
    assert "TLS" in tried.told or "lease" in tried.told  # a lease names what may be wrong in general


def test_a_server_without_tls_is_not_signed_in_to(tried: Tried) -> None:
    assert not tried(None)
    assert tried.in_the_clear == 0


def test_mutual_tls_is_possible(tried: Tried, tmp_path: Path) -> None:
    cert, key = client_files(tmp_path, CA.issue_cert("client@example.org"))
    key.chmod(0o600)  # libpq refuses another

    assert not tried(server_context(wants=CA))
    assert tried(server_context(wants=CA), f"&sslcert={cert}&sslkey={key}")


@pytest.mark.parametrize(
    ("name", "value", "bad"),
    [
        ("PGSSLMODE", "disable", "no TLS"),
        ("PGSSLMODE", "require", "another authority"),
        ("PGSSLMINPROTOCOLVERSION", "TLSv1.1", "TLS 1.1"),
    ],
)
def test_the_environment_does_not_weaken_it(
    tried: Tried, monkeypatch: pytest.MonkeyPatch, name: str, value: str, bad: str
) -> None:
    monkeypatch.setenv(name, value)

    assert not tried(None if bad == "no TLS" else BAD_SERVERS[bad]())
    assert tried.in_the_clear == 0


def test_gssapi_is_not_tried_before_tls(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGGSSENCMODE", "require")  # libpq would refuse TLS, or not know what that is

    assert tried(server_context()), tried.told
    assert tried.secured >= 1
