"""The history's revisions: from every earlier one with rows in it, and what triggers refuse."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from esg_assets.adapters.database import migrate, models, opening
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.opening import open_database
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.core.history import ChainHead, PublishedReport, RunRecord, RunTotals
from esg_assets.core.ratings import Status

DAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 12, 30, 0, 123456, tzinfo=UTC)
COUNTS = {Status.SUCCESS: 90, Status.NOT_RATED: 7, Status.FAILED: 3}
PUBLISHED = PublishedReport(DAY, 1, 5, "5" * 64, "run", COUNTS, DAY - timedelta(days=1), "2026-01-14")
FIGURES = {"accounts": 100.0, "overall_score.mean": 52.3, "letter.AAA": None}
RUN = RunRecord("run", DAY, "published", NOW, NOW, 7, 1, 0, 0.5, version=1, figures={"p99_seconds": 0.8})

ROWS = {
    "0001": """
        INSERT INTO esg_publications VALUES
        (7, '2026-01-15', 1, 5, '{digest}', '{now}', 'run', 90, 7, 3, '2026-01-14', '2026-01-14',
        FALSE, '', '');
        INSERT INTO esg_figures VALUES
        (7, 'accounts', '2026-01-15', 100), (7, 'overall_score.mean', '2026-01-15', 52.3),
        (7, 'letter.AAA', '2026-01-15', NULL);
        INSERT INTO esg_runs VALUES
        (7, 'run', '2026-01-15', 'published', '{now}', '{now}', '{now}', 7, 1, 0, 0.5, '', 1,
        '{"p99_seconds": 0.8}');
        INSERT INTO esg_chain_head VALUES (7, 5, '{digest}', FALSE, '{now}')""",
    "0002": """
        INSERT INTO esg_incidents VALUES
        (7, 'report_late:2026-01-15', 'report_late:2026-01-15', 1, 'test', 'report_late', 'ERROR',
        '2026-01-15', '', '{now}', '{now}', NULL, 1, '', '{}', '["report_late"]', '{}');
        INSERT INTO esg_bookmarks VALUES ('test', 'seen', 'up to here')""",
    "0003": """INSERT INTO esg_report_details VALUES (7, '{now}', '{"checks": [1]}')""",
    "0004": """
        INSERT INTO esg_prunings VALUES
        (7, '{now}', 'runs', NULL, '2020-01-01 00:00:00.000000', '{}', '{}')""",
}
"""What to put in as soon as a database is at a revision, by revision, oldest first; the words of then."""


def at_revision(url: str, revision: str) -> None:
    """A database as a version of then left it, with rows; PostgreSQL's session writes UTC."""
    engine = opening._engine(url, 5)
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").parent.mkdir()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
        for each in [name for name in ROWS if name <= revision]:
            alembic.command.upgrade(migrate.config(connection), each)
            rows = ROWS[each].replace("{digest}", "5" * 64).replace("{now}", "2026-01-15 12:30:00.123456")
            for statement in rows.split(";"):
                connection.exec_driver_sql(statement)


def test_every_revision_has_rows_here(url: str) -> None:
    with open_database(url).connect() as connection:
        script = ScriptDirectory.from_config(migrate.config(connection))
    assert [each.revision for each in script.walk_revisions()][::-1] == list(ROWS)


@pytest.mark.parametrize("revision", list(ROWS))
def test_from_every_revision_the_figures_come_over_as_they_were(url: str, revision: str) -> None:
    at_revision(url, revision)
    history = SqlHistory(url, lambda: NOW + timedelta(days=1))
    found = history.latest(DAY)
    assert found is not None
    assert (found.published, found.figures, found.recorded_at) == (PUBLISHED, FIGURES, NOW)
    said = history.said_at(DAY, NOW)
    assert said is not None
    assert said.past == found
    assert history.runs_of(DAY) == [RUN]
    assert history.run_totals() == RunTotals({"published": 1}, 7, 1, 0, 0.5)
    assert history.head() == ChainHead(5, "5" * 64)
    assert history.details(PUBLISHED) == ({"checks": [1]} if revision >= "0003" else None)
    outbox = SqlOutbox(url, "test")
    opened = [incident.key for incident in outbox.open_incidents()]
    assert opened == (["report_late:2026-01-15"] if revision >= "0002" else [])
    assert outbox.bookmark("seen") == ("up to here" if revision >= "0002" else "")
    with open_database(url).connect() as connection:
        alembic.command.check(migrate.config(connection))
    if revision < "0003":  # what is new can be added to what is old
        history.record_details(PUBLISHED, {"checks": []})
        assert history.details(PUBLISHED) == {"checks": []}


ONLY_ADDED_TO = ["esg_publications", "esg_figures", "esg_report_details", "esg_runs", "esg_chain_head"]
CHANGES = [
    *(f"UPDATE {table} SET recorded_at = recorded_at" for table in ONLY_ADDED_TO),
    "UPDATE esg_figures SET value = 1 WHERE name = 'accounts'",
    *(f"DELETE FROM {table}" for table in [*ONLY_ADDED_TO[1:], ONLY_ADDED_TO[0]]),
]


def test_the_database_itself_refuses_to_change_or_remove_what_was_said(url: str) -> None:
    at_revision(url, "0003")
    engine = opening.writing(open_database(url))
    refused = [statement for statement in CHANGES if _is_refused(engine, statement)]
    assert refused == CHANGES
    if engine.dialect.name == "postgresql":
        assert _is_refused(engine, f"TRUNCATE {', '.join([*ONLY_ADDED_TO, 'esg_prunings'])}")
    found = SqlHistory(url).latest(DAY)
    assert found is not None
    assert found.figures == FIGURES


def test_materializing_again_adds_no_row_and_a_correction_adds_its_own(url: str) -> None:
    history = SqlHistory(url, lambda: NOW)
    for _ in range(3):
        history.record_publication(PUBLISHED, FIGURES)
        history.record_details(PUBLISHED, {"checks": []})
    assert _counts(url) == [1, 3, 1]
    corrected = PublishedReport(DAY, 2, 8, "8" * 64, "other", COUNTS, DAY, "2026-01-14", "jo", "late data")
    history.record_publication(corrected, {**FIGURES, "accounts": 101.0})
    assert _counts(url) == [2, 6, 1]
    assert [past.figures["accounts"] for past in history.versions(DAY)] == [100.0, 101.0]


def _counts(url: str) -> Sequence[int]:
    tables = [models.PUBLICATIONS, models.FIGURES, models.DETAILS]
    with open_database(url).connect() as connection:
        return [connection.scalar(sa.select(sa.func.count()).select_from(each)) or 0 for each in tables]


def _is_refused(engine: sa.Engine, statement: str) -> bool:
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    except sa.exc.IntegrityError as error:
        return "only added to" in str(error.orig)
    return False
