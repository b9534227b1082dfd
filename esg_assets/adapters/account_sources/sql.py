"""Accounts from any database that SQLAlchemy reaches, by a query of the firm's own.

What the columns must hold is judged in `esg_assets.core.account_rows`. SQLAlchemy's exceptions end here:
their texts hold the URL, the statement, and sometimes a row's values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from esg_assets.core.central_time import CENTRAL
from esg_assets.core.errors import AccessDenied, EsgError, NoHistory, SettingsWrong, SourceUnavailable

DEFAULT_QUERY = "SELECT * FROM active_accounts"

_BATCH = 5_000
_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600  # PostgreSQL: for the query's beginning, and for each batch
_SQLSTATE_DENIED = ("28", "42501")  # wrong user or password; no privilege
# Syntax, unknown table or column; unknown schema; impossible value; not possible here; it writes.
_SQLSTATE_WRONG = ("42", "3F", "22", "0A", "25006")


def today_in_central_time() -> date:
    """The day that reports are dated by, at this moment."""
    return datetime.now(CENTRAL).date()


class SqlAccountSource:
    """The firm's account system as a database; only read, in one transaction, batch by batch."""

    kind = "sql"

    def __init__(
        self, url: str, query: str = DEFAULT_QUERY, today: Callable[[], date] = today_in_central_time
    ) -> None:
        """
        Args:
            url: any SQLAlchemy URL.
            query: gives the contract's columns; with `:as_of` in it, it serves past dates.
            today: the day that `:as_of` becomes when the accounts of now are asked for; by default
                the day in Central time, which reports are dated by.

        Raises:
            SettingsWrong: no such kind of database, its driver isn't installed, or the query has
                another parameter than `:as_of`.
        """
        self._engine = _engine(url)
        statement = sa.text(query)
        parameters = set(statement.compile().params)
        if not parameters <= {"as_of"}:
            raise SettingsWrong(
                "ESG_ACCOUNTS_QUERY has a parameter that nothing fills. Wanted: no other than :as_of; a "
                "colon that begins no parameter is written \\:."
            )
        self._dated = bool(parameters)
        self._statement = (
            statement.bindparams(sa.bindparam("as_of", type_=sa.Date)) if self._dated else statement
        )
        self._today = today

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        """See `esg_assets.core.ports.AccountSource.read`."""
        doing = f"Reading the accounts as of {as_of or 'now'} from the database"
        if as_of is not None and not self._dated:
            raise NoHistory(
                f"{doing}: ESG_ACCOUNTS_QUERY has no :as_of, so it only knows today's accounts. Nothing was "
                "stored. Today's date can be run; an earlier one needs a query with :as_of, or "
                "--current-accounts, and then the report says so."
            )
        parameters = {"as_of": as_of or self._today()} if self._dated else {}
        return self._read(parameters, doing)

    def _read(self, parameters: Mapping[str, date], doing: str) -> Iterator[Sequence[Mapping[str, object]]]:
        self._check_file(doing)
        try:
            with self._engine.connect() as connection:
                yield from self._batches(connection, parameters, doing)
        except exc.SQLAlchemyError as error:
            failure = _translated(error, doing)
        else:
            return
        # Raised out here, so that the library's exception doesn't come along as the context.
        raise failure

    def _batches(
        self, connection: sa.Connection, parameters: Mapping[str, date], doing: str
    ) -> Iterator[Sequence[Mapping[str, object]]]:
        dialect = connection.dialect.name
        if dialect == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
        elif dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        # yield_per: a cursor on the server where there is one, so that memory stays flat.
        with connection.execution_options(yield_per=_BATCH).execute(
            self._statement, dict(parameters)
        ) as result:
            yield from _rows(result, doing)

    def _check_file(self, doing: str) -> None:
        """SQLite would make an empty database where there is none."""
        url = self._engine.url
        if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
            return
        if not Path(url.database).is_file():
            raise SourceUnavailable(
                f"{doing}: there is no such file. Nothing was stored. Check ESG_ACCOUNTS_URL; a path that "
                "does not begin with / (sqlite:////…) is relative to the working folder."
            )


def _rows(result: sa.CursorResult[Any], doing: str) -> Iterator[Sequence[Mapping[str, object]]]:
    names = list(result.keys())
    if len(set(names)) != len(names):
        raise SettingsWrong(
            f"{doing}: ESG_ACCOUNTS_QUERY gives two columns of one name. Nothing was stored. "
            "Wanted: every column once."
        )
    for rows in result.partitions(_BATCH):
        yield [dict(zip(names, row, strict=True)) for row in rows]


def _engine(url: str) -> sa.Engine:
    """An engine that keeps no connection and hides parameters; nothing is opened yet."""
    wrong = ""
    try:
        parsed = sa.make_url(url)
        return sa.create_engine(
            parsed,
            poolclass=sa.NullPool,
            hide_parameters=True,
            connect_args=_connect_args(parsed),
        )
    except (exc.NoSuchModuleError, ImportError):
        wrong = (
            "names a database driver that is not installed. Wanted: one that is, as in postgresql+psycopg://"
        )
    except (exc.SQLAlchemyError, ValueError, TypeError):
        wrong = "holds no database URL that can be read. Wanted: dialect+driver://user:password@host/database"
    raise SettingsWrong(f"ESG_ACCOUNTS_URL {wrong}.")


def _connect_args(url: sa.URL) -> dict[str, object]:
    dialect = url.get_backend_name()
    if dialect == "postgresql":
        # Without TCP keepalive a server that is gone would be waited for until the system's two hours end.
        wanted: dict[str, object] = {
            "connect_timeout": _CONNECT_SECONDS,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "ssl_min_protocol_version": "TLSv1.2",
            "gssencmode": "disable",  # it would go before TLS, whatever sslmode says
        }
        return {name: value for name, value in wanted.items() if name not in url.query}
    return {"timeout": _CONNECT_SECONDS} if dialect == "sqlite" else {}


def _translated(error: exc.SQLAlchemyError, doing: str) -> EsgError:
    cause = error.orig if isinstance(error, exc.DBAPIError) else None
    state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
    sqlite = str(getattr(cause, "sqlite_errorname", None) or "")
    tls = "certificate" in str(cause) or "SSL" in str(cause)  # libpq says it in its text alone
    code = state or sqlite or ("TLS: certificate, authority or host name" if tls else type(error).__name__)
    # libpq tells the state of a refused connection in its text only.
    if state.startswith(_SQLSTATE_DENIED) or (not state and "authentication failed" in str(cause)):
        return AccessDenied(
            f"{doing}: the database refuses this user ({code}). Nothing was stored. "
            "Check the user and password in ESG_ACCOUNTS_URL, and what that user may read."
        )
    if (
        state.startswith(_SQLSTATE_WRONG)
        or sqlite == "SQLITE_ERROR"
        or isinstance(error, exc.ProgrammingError)
    ):
        return SettingsWrong(
            f"{doing}: the database cannot run ESG_ACCOUNTS_QUERY ({code}). Nothing was stored. "
            "Wanted: a query that gives the contract's columns; try it in the database's own client."
        )
    return SourceUnavailable(
        f"{doing}: the database could not be reached, or broke off ({code}). Nothing was stored. "
        "A later run may succeed; if it lasts, check ESG_ACCOUNTS_URL and the database."
    )
