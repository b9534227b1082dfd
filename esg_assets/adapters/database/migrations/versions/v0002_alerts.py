"""Incidents, the evidence of them, the messages about them, and how far detectors have looked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "esg_incidents",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("cause", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("report_date", sa.Date),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.Column("occurrences", sa.Integer, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("unwell", sa.JSON, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="esg_incidents_pkey"),
        sa.UniqueConstraint("key", name="esg_incidents_key_key"),
        sa.UniqueConstraint("cause", "number", name="esg_incidents_cause_number_key"),
    )
    op.create_index(
        "esg_incidents_environment_resolved_at_idx", "esg_incidents", ["environment", "resolved_at"]
    )
    op.create_index("esg_incidents_environment_opened_at_idx", "esg_incidents", ["environment", "opened_at"])
    op.create_table(
        "esg_evidence",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("evidence", sa.String(250), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("well_at", sa.DateTime(timezone=True)),
        sa.Column("recovery", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="esg_evidence_pkey"),
        sa.UniqueConstraint("environment", "evidence", name="esg_evidence_environment_evidence_key"),
    )
    op.create_index("esg_evidence_environment_well_at_idx", "esg_evidence", ["environment", "well_at"])
    op.create_table(
        "esg_messages",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("incident_id", sa.Integer, nullable=False),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("audience", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("incident", sa.JSON, nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_by", sa.String(128), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True)),
        sa.Column("why", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["esg_incidents.id"], name="esg_messages_incident_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="esg_messages_pkey"),
        sa.UniqueConstraint(
            "incident_id",
            "channel",
            "audience",
            "state",
            name="esg_messages_incident_id_channel_audience_state_key",
        ),
    )
    op.create_index(
        "esg_messages_environment_channel_next_at_idx", "esg_messages", ["environment", "channel", "next_at"]
    )
    op.create_index("esg_messages_environment_refused_at_idx", "esg_messages", ["environment", "refused_at"])
    op.create_table(
        "esg_bookmarks",
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("environment", "name", name="esg_bookmarks_pkey"),
    )
