"""What is shown of a report beside its figures: checks, changes, the settings behind the figures."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "esg_report_details",
        sa.Column("publication_id", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["esg_publications.id"],
            name="esg_report_details_publication_id_fkey",
        ),
        sa.PrimaryKeyConstraint("publication_id", name="esg_report_details_pkey"),
    )
