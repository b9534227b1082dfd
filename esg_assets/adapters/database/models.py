"""The tables. A change here needs a revision in `migrations/versions`; a test compares the two.

Every name begins with `esg_`, because a firm may give Dagster's own tables the same database (there
is a `runs` and an `alembic_version` among those). Rows are only ever added.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

PREFIX = "esg_"
VERSION_TABLE = "esg_alembic_version"
REVISION = "0001"
"""The newest revision, so that opening an up-to-date database need not load alembic."""

METADATA = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: UTC in the database (SQLite drops time zones), with its time zone in Python."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """The instant in UTC. Raises ValueError for one without a time zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """The instant in UTC, with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


PUBLICATIONS = sa.Table(
    "esg_publications",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("report_date", sa.Date, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("head_sha256", sa.String(64), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("success", sa.Integer, nullable=False),
    sa.Column("not_rated", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("accounts_as_of", sa.String(64), nullable=False),
    sa.Column("current_accounts", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # The digest is part of it: after a restore from a backup, a version can be published anew.
    sa.UniqueConstraint("report_date", "version", "head_sha256"),
)

FIGURES = sa.Table(
    "esg_figures",
    METADATA,
    sa.Column("publication_id", sa.ForeignKey(PUBLICATIONS.c.id), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("report_date", sa.Date, nullable=False),
    sa.Column("value", sa.Double),  # null: withheld
    sa.Index(None, "name", "report_date"),
)

RUNS = sa.Table(
    "esg_runs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("report_date", sa.Date, nullable=False, index=True),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("refusals", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("version", sa.Integer),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.UniqueConstraint("run_id", "report_date", "status"),
)

CHAIN_HEAD = sa.Table(
    "esg_chain_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("restored", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
)
