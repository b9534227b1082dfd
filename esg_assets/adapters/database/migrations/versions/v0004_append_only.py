"""Rows of the history are only added: triggers hold it; what removes old ones is entered first.

Besides: when figures came that were added later than their publication, and indexes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Whether a row may go, as a condition on OLD; "" if none ever may.
_MAY_GO = {
    "esg_publications": "",
    "esg_figures": "EXISTS (SELECT 1 FROM esg_prunings WHERE publication_id = OLD.publication_id)",
    "esg_report_details": "EXISTS (SELECT 1 FROM esg_prunings WHERE publication_id = OLD.publication_id)",
    "esg_runs": "EXISTS (SELECT 1 FROM esg_prunings WHERE what = 'runs' AND before > OLD.started_at)",
    "esg_chain_head": "",
    "esg_prunings": "",
}


def upgrade() -> None:
    op.create_table(
        "esg_prunings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("publication_id", sa.Integer),
        sa.Column("before", sa.DateTime(timezone=True)),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("totals", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["esg_publications.id"], name="esg_prunings_publication_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="esg_prunings_pkey"),
    )
    op.create_index("esg_prunings_publication_id_idx", "esg_prunings", ["publication_id"])
    op.create_index("esg_prunings_what_before_idx", "esg_prunings", ["what", "before"])
    op.add_column("esg_figures", sa.Column("recorded_at", sa.DateTime(timezone=True)))
    op.drop_index("esg_figures_name_report_date_idx", "esg_figures")
    op.create_index(
        "esg_figures_name_report_date_publication_id_value_idx",
        "esg_figures",
        ["name", "report_date", "publication_id", "value"],
    )
    op.create_index("esg_publications_recorded_at_idx", "esg_publications", ["recorded_at"])
    op.create_index("esg_runs_started_at_idx", "esg_runs", ["started_at"])
    op.create_index("esg_chain_head_restored_sequence_idx", "esg_chain_head", ["restored", "sequence"])
    op.create_index("esg_chain_head_sequence_idx", "esg_chain_head", ["sequence"])
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        _sqlite_triggers()
    elif dialect == "postgresql":
        _postgresql_triggers()


def _sqlite_triggers() -> None:
    for table, may_go in _MAY_GO.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is only added to'); END"
        unless = f"WHEN NOT {may_go} " if may_go else ""
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {unless}{refuse}")


def _postgresql_triggers() -> None:
    op.execute(
        "CREATE FUNCTION esg_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$"
    )
    for table, may_go in _MAY_GO.items():
        refuse = "EXECUTE FUNCTION esg_only_added_to()"
        # A condition of a trigger may not look into tables, so a function of its own does.
        if may_go:
            op.execute(
                f"CREATE FUNCTION {table}_may_go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {may_go} THEN RETURN OLD; END IF; "
                "RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
                "END $$"
            )
        remove = f"EXECUTE FUNCTION {table}_may_go()" if may_go else refuse
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {remove}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse}")
