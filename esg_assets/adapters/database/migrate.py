"""Bringing a database to the newest revision, whoever opens it first.

A new revision is written by `alembic.command.revision(config(connection), message, autogenerate=True)`
on a database that is at the newest one. There is no way back down: the history is only added to.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database.models import METADATA, PREFIX, REVISION, VERSION_TABLE
from esg_assets.core.errors import SettingsWrong

_ADVISORY_LOCK = 0x6573675F686973  # "esg_his": any number that nobody else in the database uses
_ONE_THREAD = threading.Lock()  # alembic keeps its context in a module


def is_up_to_date(engine: sa.Engine) -> bool:
    """Whether there is nothing to upgrade. Raises SQLAlchemyError."""
    return _revision(engine) == REVISION


def upgrade(engine: sa.Engine) -> None:
    """Make the tables, or bring them up to date; waits for another process that does so.

    All of it is one transaction: a failure leaves the database as it was.

    Raises:
        SettingsWrong: the database was made by a later version of this package.
        SQLAlchemyError.
    """
    if is_up_to_date(engine):
        return
    with _ONE_THREAD, _alone(engine.url):
        if engine.dialect.name == "sqlite":
            # Kept in the file; readers and the one writer then do not wait for each other. It cannot
            # change within a transaction.
            with engine.connect().execution_options(begin="") as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            _run(connection)


def config(connection: sa.Connection) -> Any:
    """Alembic's configuration for this package's revisions on `connection`."""
    from alembic.config import Config  # noqa: PLC0415 - a third of a second that most openings do not need

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def configure(context: Any) -> None:
    """Configure alembic's context for our tables; called by migrations/env.py."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        include_name=is_ours,
        render_as_batch=True,  # SQLite alters a table by making a new one
    )


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table of the database is one of ours; the database may be Dagster's too."""
    return kind != "table" or (name or "").startswith(PREFIX)


def _run(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    try:
        command.upgrade(config(connection), "head")
    except CommandError:  # the only one an upgrade to the head can end in: an unknown revision
        raise SettingsWrong(
            "opening the history database: it was made by a later version of esg_assets than this one "
            f"(which knows revisions up to {REVISION}); install that version, or let ESG_DATABASE_URL "
            "name another database"
        ) from None


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        version = sa.column("version_num", sa.String)
        return connection.scalar(sa.select(version).select_from(sa.table(VERSION_TABLE)))


@contextmanager
def _alone(url: sa.URL) -> Iterator[None]:
    """No other process of this host opens the same new SQLite file meanwhile.

    SQLite's own waiting does not cover the change of the journal mode.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    lock = os.open(f"{url.database}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
