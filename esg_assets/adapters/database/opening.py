"""Opening the database: the engine, SQLite's file and settings, and translated errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from esg_assets.adapters.database import migrate
from esg_assets.core.errors import SettingsWrong, StoreUnavailable

BUSY_SECONDS = 30
CONNECT_SECONDS = 10


def open_database(url: str, *, busy_seconds: float | None = None, read_only: bool = False) -> sa.Engine:
    """An engine on an up-to-date database; connections are opened for each use, so nothing to close.

    A SQLite file is made 0600, in a folder 0700 where there is none. Transactions that write are begun
    on `writing(engine)`.

    Args:
        url: ESG_DATABASE_URL.
        busy_seconds: how long a SQLite database may be locked before it counts as unavailable; by
            default BUSY_SECONDS.
        read_only: make and change nothing; the database itself refuses whatever would write.

    Raises:
        SettingsWrong: this is no URL of a database that is installed, or the database was made by a
            later version of this package.
        StoreUnavailable: also when it is to be read only, and was not made yet or by an earlier version.
    """
    with translated("opening the history database"):
        engine = _engine(url, BUSY_SECONDS if busy_seconds is None else busy_seconds)
        if read_only:
            return _for_reading(engine)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        migrate.upgrade(engine)
    return engine


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Database errors as ours: what was being done and the error's code, never statements or values."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(
            f"{doing} failed ({_code(error)}) and changed nothing; see that the database of "
            "ESG_DATABASE_URL is up, has room and lets us in, then run again"
        ) from None


@contextmanager
def reading(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    """A connection to read with. Raises StoreUnavailable, which says what was being done."""
    with translated(doing), engine.connect() as connection:
        yield connection


@contextmanager
def changing(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    """A transaction that writes: kept on a clean exit, undone after an exception. Errors as `reading`."""
    with translated(doing), writing(engine).begin() as connection:
        yield connection


def _code(error: SQLAlchemyError | OSError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    for name in ("sqlite_errorname", "sqlstate", "strerror"):
        if found := getattr(cause, name, None):
            return str(found)
    if "certificate" in str(cause) or "SSL" in str(cause):  # libpq says it in its text alone
        return "no TLS could be agreed on: certificate, authority or host name"
    return type(cause).__name__


def _engine(url: str, busy_seconds: float) -> sa.Engine:
    wanted = "ESG_DATABASE_URL must be a database URL such as postgresql+psycopg://user@host/name"
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        arguments: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            _require_file(parsed)
            arguments = {"timeout": busy_seconds}
        elif parsed.drivername == "postgresql+psycopg":
            wanted_of_libpq = {
                "connect_timeout": CONNECT_SECONDS,
                "ssl_min_protocol_version": "TLSv1.2",
                "gssencmode": "disable",  # it would go before TLS, whatever sslmode says
            }
            arguments = {name: value for name, value in wanted_of_libpq.items() if name not in parsed.query}
        return sa.create_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    except (ArgumentError, ValueError):  # an unknown dialect; a port that is no number
        raise SettingsWrong(f"{wanted}; it holds something else") from None
    except ImportError:
        raise SettingsWrong(f"{wanted}; the driver of this one is not installed") from None


def _require_file(url: sa.URL) -> None:
    if not url.database or url.database == ":memory:" or url.query:
        raise SettingsWrong(
            "ESG_DATABASE_URL must name a SQLite file (sqlite:////folder/history.sqlite), without options: "
            "a database in memory would forget everything"
        )


def _prepare_sqlite(engine: sa.Engine) -> None:
    path = Path(engine.url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the database file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    sa.event.listen(engine, "connect", _settings)
    sa.event.listen(engine, "begin", _begin)


def _for_reading(engine: sa.Engine) -> sa.Engine:
    path = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _settings)
        sa.event.listen(engine, "connect", _refuse_writing)
        sa.event.listen(engine, "begin", _begin)
    if (engine.dialect.name == "sqlite" and not path.exists()) or not migrate.is_up_to_date(engine):
        raise StoreUnavailable(
            "opening the history database to read: it is not there yet, or is as another version of "
            "esg_assets left it; `esg-assets status` makes it or brings it up to date, unless a later "
            "version made it: then install that one"
        )
    return engine.execution_options(postgresql_readonly=True)


def _refuse_writing(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _settings(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin` does
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: sa.Connection) -> None:
    if statement := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(statement)


def writing(engine: sa.Engine) -> sa.Engine:
    """`engine` for transactions that write.

    In SQLite they take the write lock at once: one that reads first and then writes is refused,
    instead of waiting, when another has written meanwhile.
    """
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def for_writing(connection: sa.Connection) -> sa.Connection:
    """`connection`, whose transactions from here on are as those of `writing`."""
    return connection.execution_options(begin="BEGIN IMMEDIATE")
