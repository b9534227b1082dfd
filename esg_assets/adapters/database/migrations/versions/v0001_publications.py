"""Publications with their cleared figures, runs, and the chain's head."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "esg_publications",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("report_date", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("head_sha256", sa.String(64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("success", sa.Integer, nullable=False),
        sa.Column("not_rated", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("accounts_as_of", sa.String(64), nullable=False),
        sa.Column("current_accounts", sa.Boolean, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="esg_publications_pkey"),
        sa.UniqueConstraint(
            "report_date",
            "version",
            "head_sha256",
            name="esg_publications_report_date_version_head_sha256_key",
        ),
    )
    op.create_table(
        "esg_figures",
        sa.Column("publication_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("report_date", sa.Date, nullable=False),
        sa.Column("value", sa.Double),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["esg_publications.id"], name="esg_figures_publication_id_fkey"
        ),
        sa.PrimaryKeyConstraint("publication_id", "name", name="esg_figures_pkey"),
    )
    op.create_index("esg_figures_name_report_date_idx", "esg_figures", ["name", "report_date"])
    op.create_table(
        "esg_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("report_date", sa.Date, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="esg_runs_pkey"),
        sa.UniqueConstraint("run_id", "report_date", "status", name="esg_runs_run_id_report_date_status_key"),
    )
    op.create_index("esg_runs_report_date_idx", "esg_runs", ["report_date"])
    op.create_table(
        "esg_chain_head",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("restored", sa.Boolean, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="esg_chain_head_pkey"),
    )
