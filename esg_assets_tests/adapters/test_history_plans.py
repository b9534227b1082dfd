"""Ten years of days and a thousand backfilled dates: no query of people or of the night reads a whole table.

The statements are those that the code itself sends, explained by the database that holds the rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.opening import open_database
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.core.alerts.routes import CHANNELS
from esg_assets.core.trend_figures import NAMES
from esg_assets_tests import long_history
from esg_assets_tests.long_history import DAYS, FIRST, RECORDED
from esg_assets_tests.servers import postgres_database

LAST = FIRST + timedelta(days=DAYS - 1)
LATE = RECORDED + timedelta(days=DAYS + 1_000)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        found = f"sqlite:///{tmp_path_factory.mktemp('history')}/history.sqlite"
        long_history.fill(found, others=long_history.OTHERS[:2])
        yield found
        return
    with postgres_database(request.getfixturevalue("postgres_url")) as found:
        long_history.fill(found, others=long_history.OTHERS[:2])
        yield found


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is sent to any database meanwhile: text and parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        sent.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def plans(url: str, ask: Callable[[], object]) -> list[str]:
    """What reads a table in the plan of each SELECT that `ask` sends, with the index it goes by."""
    with statements() as sent:
        ask()
    with open_database(url).connect() as connection:
        found: list[str] = []
        for statement, parameters in [
            one for one in sent if one[0].startswith("SELECT") and "esg_" in one[0]
        ]:
            if "esg_alembic_version" in statement:
                continue
            if connection.dialect.name == "sqlite":
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                found += [
                    row[3] if "USING" in row[3] else row[3].replace("SEARCH", "SCAN")  # for a least value
                    for row in rows
                    if row[3].startswith(("SCAN", "SEARCH"))
                ]
            else:
                explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                found += _reads(explained.scalar_one()[0]["Plan"])
    assert found, "nothing was explained"
    return found


def _reads(node: dict[str, Any]) -> Iterator[str]:
    if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Heap Scan":
        name = node.get("Index Name", node.get("Relation Name", ""))
        kind = "SCAN" if node["Node Type"] == "Seq Scan" else "SEARCH"
        yield f"{kind} {name}"
    for child in node.get("Plans", []):
        yield from _reads(child)


NARROW: dict[str, Callable[[SqlHistory], object]] = {
    "the trend of a month": lambda history: history.trend(NAMES, LAST - timedelta(days=30)),
    "the newest version of a date": lambda history: history.latest(LAST),
    "the report before": lambda history: history.latest_before(LAST),
    "every version of a date": lambda history: history.versions(LAST),
    "what was said then": lambda history: history.said_at(LAST, LATE),
    "what was published lately": lambda history: history.recorded_since(LATE - timedelta(days=3)),
    "dates published lately": lambda history: history.published_dates(LAST - timedelta(days=30)),
    "runs of late": lambda history: history.runs_since(LATE - timedelta(days=3)),
    "runs of a date": lambda history: history.runs_of(LAST),
}


@pytest.mark.parametrize("name", NARROW)
def test_what_asks_for_few_rows_reads_no_table_whole(url: str, name: str) -> None:
    history = SqlHistory(url)
    assert [line for line in plans(url, lambda: NARROW[name](history)) if line.startswith("SCAN ")] == []


def test_the_chain_s_head_is_the_first_row_of_an_index(url: str) -> None:
    read = plans(url, SqlHistory(url).head)
    assert all("esg_chain_head_sequence_idx" in line or line.startswith("SEARCH ") for line in read), read


def test_the_trend_of_everything_reads_figures_by_their_index_alone(url: str) -> None:
    history = SqlHistory(url)
    found = history.trend(NAMES, date.min)
    assert (len(found), {len(past.figures) for past in found}) == (DAYS, {len(NAMES)})
    read = plans(url, lambda: history.trend(NAMES, date.min))
    figures = [line for line in read if "figures" in line]
    assert len(figures) == len(NAMES)
    assert all("esg_figures_name_report_date_publication_id_value_idx" in line for line in figures), figures


def test_what_is_due_in_the_outbox_is_found_by_an_index(url: str) -> None:
    outbox = SqlOutbox(url, "test")

    def claim() -> object:
        return outbox.claim("somebody", LATE, lease_seconds=9, channels=sorted(CHANNELS))

    if url.startswith("postgresql"):
        fill_outbox(url)
    assert [line for line in plans(url, claim) if line.startswith("SCAN ")] == []


def fill_outbox(url: str) -> None:
    """Ten thousand delivered messages: PostgreSQL reads a table of a few rows whole, rightly."""
    with open_database(url).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO esg_incidents SELECT n, 'i' || n, 'i' || n, 1, 'test', 'run_failed', 'ERROR', NULL, "
            "'', now(), now(), now(), 1, '', '{}', '[]', '{}' FROM generate_series(1, 10000) n"
        )
        connection.exec_driver_sql(
            "INSERT INTO esg_messages SELECT n, n, 'test', 'email', 'developers', 'open', '{}', now(), 1, "
            "NULL, '', NULL, now(), 'taken', NULL, '' FROM generate_series(1, 10000) n"
        )
        connection.exec_driver_sql("ANALYZE")
