"""Dagster and the history on PostgreSQL: no canary in any row of any table, and a planted one is found."""

from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

from esg_assets_tests.canaries.ground import prepared
from esg_assets_tests.canaries.suite import MODES, numbered, search
from esg_assets_tests.pipeline.house import PROJECT

DRIVEN = (
    "a night on which all goes well, every logger at DEBUG",
    "an exception of ratings_parts.append",
    "an exception of composition:account_source",
    "an exception group of summary_metadata:summary_text",
)


def rows(url: str) -> dict[str, str | bytes]:
    """Every row of every table as text, by table."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    found: dict[str, str | bytes] = {}
    with engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            name = engine.dialect.identifier_preparer.quote(table)
            cells = connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall()
            found[f"table {table}"] = "\n".join(str(cell) for row in cells for cell in row)
    engine.dispose()
    return found


@pytest.mark.proof
@pytest.mark.server
def test_no_row_of_postgresql_holds_a_canary(tmp_path: Path, postgres_database_url: str) -> None:
    # SQLAlchemy 2.1 takes psycopg 3 for "postgresql", with which Dagster's NOTIFY fails.
    plain = postgres_database_url.replace("postgresql+psycopg://", "postgresql+psycopg2://")
    driven = list(numbered(mode for mode in MODES if mode.name in DRIVEN))
    assert len(driven) == len(DRIVEN)
    with prepared(tmp_path) as ground:
        config = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
        config["storage"] = {"postgres": {"postgres_url": plain}}
        (ground.inputs / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        database = type(ground.house.settings.database_url)(postgres_database_url)
        ground.house.settings = ground.house.settings.model_copy(update={"database_url": database})
        with dg.DagsterInstance.from_config(str(ground.inputs)) as instance:
            ground.house.instance = instance
            for mode, canary in driven:
                mode.drive(ground, canary)
            ground.texts |= rows(postgres_database_url)
            assert "STEP_FAILURE" in str(ground.texts["table event_logs"])
            assert "overall_score.mean" in str(ground.texts)
            assert not search(ground, driven)
            who = driven[0][1].ids[3]
            instance.add_run_tags(instance.get_runs()[0].run_id, {"who": who})
            ground.texts |= rows(postgres_database_url)
            assert {hit.leak.needle for hit in search(ground, driven)} == {who}
