"""The tables. A change here needs a revision in `migrations/versions`; a test compares the two.

Every name begins with `esg_`, because a firm may give Dagster's own tables the same database (there
is a `runs` and an `alembic_version` among those). Rows of the history are only ever added, which triggers
hold (revision 0004): none is changed, and one is removed only after a row of PRUNINGS that says so. Those
of alerts are changed too, as incidents and deliveries go on.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

PREFIX = "esg_"
VERSION_TABLE = "esg_alembic_version"
REVISION = "0004"
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
    sa.Index(None, "recorded_at"),
)

FIGURES = sa.Table(
    "esg_figures",
    METADATA,
    sa.Column("publication_id", sa.ForeignKey(PUBLICATIONS.c.id), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("report_date", sa.Date, nullable=False),
    sa.Column("value", sa.Double),  # null: withheld
    sa.Column("recorded_at", UtcDateTime),  # null: with its publication
    sa.Index(None, "name", "report_date", "publication_id", "value"),  # a trend reads nothing else
)

DETAILS = sa.Table(
    "esg_report_details",
    METADATA,
    sa.Column("publication_id", sa.ForeignKey(PUBLICATIONS.c.id), primary_key=True),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
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
    sa.Index(None, "started_at"),
)

CHAIN_HEAD = sa.Table(
    "esg_chain_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("restored", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Index(None, "restored", "sequence"),
    sa.Index(None, "sequence"),
)

PRUNINGS = sa.Table(
    "esg_prunings",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("what", sa.String(32), nullable=False),  # figures, runs or alerts
    sa.Column("publication_id", sa.ForeignKey(PUBLICATIONS.c.id), index=True),  # of figures only
    sa.Column("before", UtcDateTime),  # of runs and alerts: what is older went
    sa.Column("counts", sa.JSON, nullable=False),  # removed rows by table
    sa.Column("totals", sa.JSON, nullable=False),  # of runs: what they added up to, by status
    sa.Index(None, "what", "before"),
)

INCIDENTS = sa.Table(
    "esg_incidents",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(255), nullable=False, unique=True),
    # The key that it began with, and the how many-th incident of that key it is.
    sa.Column("cause", sa.String(255), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("environment", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("report_date", sa.Date),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("resolved_at", UtcDateTime),
    sa.Column("occurrences", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("unwell", sa.JSON, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.UniqueConstraint("cause", "number"),
    sa.Index(None, "environment", "resolved_at"),
    sa.Index(None, "environment", "opened_at"),
)

EVIDENCE = sa.Table(
    "esg_evidence",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("environment", sa.String(64), nullable=False),
    sa.Column("evidence", sa.String(250), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    # Of a recovery only: since when it holds, and what is well.
    sa.Column("well_at", UtcDateTime),
    sa.Column("recovery", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("environment", "evidence"),
    sa.Index(None, "environment", "well_at"),
)

MESSAGES = sa.Table(
    "esg_messages",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident_id", sa.ForeignKey(INCIDENTS.c.id), nullable=False),
    sa.Column("environment", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("audience", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("incident", sa.JSON, nullable=False),  # as it was when the message was queued
    sa.Column("queued_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcDateTime),  # null: nothing is left to do
    sa.Column("claimed_by", sa.String(128), nullable=False),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("refused_at", UtcDateTime),
    sa.Column("why", sa.Text, nullable=False),
    sa.UniqueConstraint("incident_id", "channel", "audience", "state"),
    sa.Index(None, "environment", "channel", "next_at"),
    sa.Index(None, "environment", "refused_at"),
)

BOOKMARKS = sa.Table(
    "esg_bookmarks",
    METADATA,
    sa.Column("environment", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
