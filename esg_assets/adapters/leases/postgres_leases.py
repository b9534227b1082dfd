"""Leases of many hosts: session advisory locks of PostgreSQL, each on a connection of its own."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import make_url

from esg_assets.adapters.leases.waiting import busy_message, take
from esg_assets.core.errors import LeaseBusy, StoreUnavailable
from esg_assets.core.ports import HeldLease

_log = logging.getLogger(__name__)

_TABLE = """
CREATE TABLE IF NOT EXISTS esg_lease_holders (
    name text PRIMARY KEY,
    holder text NOT NULL,
    held_since timestamptz NOT NULL DEFAULT now()
)
"""
_UPSERT = """
INSERT INTO esg_lease_holders (name, holder) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, held_since = now()
"""
# The server notices within a minute that a host has vanished, not in the two hours of its default.
_SESSION = """
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
SET idle_session_timeout = 0; SET statement_timeout = 30000
"""
_CLIENT = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "esg_assets lease",
}


@dataclass(frozen=True)
class PostgresLease:
    """A lease that is held."""

    previous_holder: str


class PostgresLeases:
    """One connection for each lease that is held; the server frees it when the connection ends.

    Needs PostgreSQL 14, a direct connection or one pooled by session (a pool by transaction would
    share the lock), and the right to create the table esg_lease_holders once.
    """

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql")
        # GSSAPI would go before TLS, whatever sslmode says.
        wanted = {"ssl_min_protocol_version": "TLSv1.2", "gssencmode": "disable"}
        plain = plain.update_query_dict({n: value for n, value in wanted.items() if n not in plain.query})
        self._url = plain.render_as_string(hide_password=False)

    @contextlib.contextmanager
    def hold(self, name: str, holder: str, *, wait_seconds: float = 0.0) -> Iterator[HeldLease]:
        """Hold the lease `name` as `holder` for the length of the block. Raises LeaseBusy."""
        with contextlib.ExitStack() as held:
            with _errors_of(name):
                connection = psycopg.connect(self._url, autocommit=True, **_CLIENT)  # type: ignore[arg-type]  # libpq's own options, by name
                held.callback(_closed, connection, name)
                connection.execute(_SESSION)
                take(lambda: _locked(connection, name), wait_seconds, lambda: _busy(connection, name))
                _make_table(connection)
                previous = _holder(connection, name)
                connection.execute(_UPSERT, (name, holder))
            yield PostgresLease(previous)


def _lock_number(name: str) -> int:
    """64 bits of a digest: other users of advisory locks in this database get in nobody's way."""
    digest = hashlib.sha256(f"esg_assets lease {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _locked(connection: psycopg.Connection, name: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_lock_number(name),)).fetchone()
    return row is not None and bool(row[0])


def _make_table(connection: psycopg.Connection) -> None:
    if not _table_there(connection):
        # Two that create it at once: without this the second fails in spite of IF NOT EXISTS.
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_lock_number("its table"),))
            connection.execute(_TABLE)


def _table_there(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT to_regclass('esg_lease_holders') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


def _holder(connection: psycopg.Connection, name: str) -> str:
    if not _table_there(connection):
        return ""
    row = connection.execute("SELECT holder FROM esg_lease_holders WHERE name = %s", (name,)).fetchone()
    return "" if row is None else str(row[0])


def _busy(connection: psycopg.Connection, name: str) -> LeaseBusy:
    return busy_message(name, _holder(connection, name))


def _closed(connection: psycopg.Connection, name: str) -> None:
    """End the connection and with it the lease."""
    lost = connection.closed
    if not lost:
        try:
            # The server ends a closed connection a moment later; until then the next would be refused.
            connection.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error:
            lost = True
    connection.close()
    if lost:
        # Nothing is undone: what must happen once (a publication) does not rest on leases alone.
        _log.warning("The connection that held the lease %s was lost while it was held.", name)


@contextlib.contextmanager
def _errors_of(name: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error:
        # The text holds host and user.
        raise StoreUnavailable(
            f"The lease {name} could not be asked for: the database did not answer, or refused. "
            "Look whether it is up and ESG_DATABASE_URL is right."
        ) from None
