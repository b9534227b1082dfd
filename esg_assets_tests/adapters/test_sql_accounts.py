"""The SQL account source on real SQLite and real PostgreSQL."""

import itertools
import re
import sqlite3
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from esg_assets.adapters.account_sources import SqlAccountSource
from esg_assets.core.errors import AccessDenied, EsgError, NoHistory, SettingsWrong, SourceUnavailable

DAY = date(2026, 1, 14)
SECRET = "S3CRET"
DATED = "SELECT account_id, status FROM active_accounts WHERE opened_on <= :as_of ORDER BY account_id"


def fill(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE active_accounts "
            "(account_id VARCHAR(64), status TEXT, market_value NUMERIC(20, 4), opened_on DATE)"
        )
        insert = sa.text("INSERT INTO active_accounts VALUES (:id, 'active', 12.5, :opened)")
        for i, opened in enumerate(["2026-01-01", "2026-01-14", "2026-01-15"]):
            day = opened if url.startswith("sqlite") else date.fromisoformat(opened)
            connection.execute(insert, {"id": f"{SECRET}0{i}", "opened": day})


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'accounts.db'}"
    else:
        url = str(request.getfixturevalue("postgres_database_url"))
    fill(url)
    return url


def read(source: SqlAccountSource, as_of: date | None = None) -> list[Mapping[str, object]]:
    return list(itertools.chain.from_iterable(source.read(as_of)))


def refusal(error: type[EsgError], url: str, query: str = "SELECT * FROM active_accounts") -> str:
    """What reading is refused with; never with a value, and with nothing of the library behind it."""
    with pytest.raises(error) as raised:
        read(SqlAccountSource(url, query))
    text = str(raised.value)
    assert SECRET not in text
    assert url not in text
    assert raised.value.__context__ is None
    return text


def ids(rows: list[Mapping[str, object]]) -> list[object]:
    return [row["account_id"] for row in rows]


def test_the_default_query_reads_every_column(database: str) -> None:
    rows = read(SqlAccountSource(database))
    assert ids(rows) == [f"{SECRET}00", f"{SECRET}01", f"{SECRET}02"]
    assert rows[0].keys() == {"account_id", "status", "market_value", "opened_on"}
    assert Decimal(str(rows[0]["market_value"])) == Decimal("12.5")


def test_a_dated_query_serves_past_dates_and_the_day_of_today(database: str) -> None:
    source = SqlAccountSource(database, DATED, today=lambda: date(2026, 1, 15))
    assert ids(read(source, DAY)) == [f"{SECRET}00", f"{SECRET}01"]
    assert ids(read(source, date(2025, 12, 31))) == []
    assert ids(read(source)) == [f"{SECRET}00", f"{SECRET}01", f"{SECRET}02"]


def test_a_query_without_a_date_keeps_no_history(database: str) -> None:
    with pytest.raises(NoHistory, match=":as_of"):
        read(SqlAccountSource(database), DAY)


def test_a_colon_of_sqls_own_is_no_parameter(postgres_database_url: str) -> None:
    fill(postgres_database_url)
    query = "SELECT account_id::text AS account_id FROM active_accounts WHERE opened_on = :as_of ::date"
    assert ids(read(SqlAccountSource(postgres_database_url, query), DAY)) == [f"{SECRET}01"]


def test_rows_come_in_batches_as_the_server_sends_them(database: str) -> None:
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12001) SELECT i FROM n"
    )
    sizes = [len(batch) for batch in SqlAccountSource(database, numbers).read(None)]
    assert sizes == [5000, 5000, 2001]


def test_a_reading_that_is_given_up_leaves_the_database_free(database: str) -> None:
    next(iter(SqlAccountSource(database).read(None)))
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE active_accounts")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM nowhere",
        "SELECT S3CRET FROM active_accounts",
        "SELEC",
        "INSERT INTO active_accounts VALUES ('x', 'active', 1, NULL) RETURNING *",
        "SELECT account_id, status AS account_id FROM active_accounts",
    ],
)
def test_a_query_that_cannot_be_run_is_a_wrong_setting(database: str, query: str) -> None:
    if query.startswith("INSERT") and database.startswith("sqlite"):
        refusal(SourceUnavailable, database, query)  # SQLITE_READONLY: the same as a folder without rights
    else:
        assert "ESG_ACCOUNTS_QUERY" in refusal(SettingsWrong, database, query)
    assert len(read(SqlAccountSource(database))) == 3


def test_nothing_can_be_written(postgres_database_url: str) -> None:
    fill(postgres_database_url)
    engine = sa.create_engine(postgres_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION sly() RETURNS TEXT LANGUAGE sql AS "
            "$$ DELETE FROM active_accounts RETURNING account_id $$"
        )
    assert "25006" in refusal(SettingsWrong, postgres_database_url, "SELECT sly() AS account_id")


def test_a_wrong_password_is_denied(postgres_database_url: str) -> None:
    url = re.sub(r":[^:@/]+@", f":{SECRET}@", postgres_database_url)
    assert "user and password" in refusal(AccessDenied, url)


def test_a_table_that_the_user_may_not_read_is_denied(postgres_database_url: str) -> None:
    fill(postgres_database_url)
    engine = sa.create_engine(postgres_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS accounts_reader")
        connection.exec_driver_sql("CREATE ROLE accounts_reader LOGIN PASSWORD 'S3CRET'")
    url = re.sub(r"postgres:[^:@/]+@", f"accounts_reader:{SECRET}@", postgres_database_url)
    assert "42501" in refusal(AccessDenied, url)


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    refusal(SourceUnavailable, "postgresql+psycopg://u:S3CRET@127.0.0.1:9/db")
    path = tmp_path / "nothing.db"
    assert "no such file" in refusal(SourceUnavailable, f"sqlite:///{path}")
    assert not path.exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"S3CRET" * 1000)
    refusal(SourceUnavailable, f"sqlite:///{tmp_path / 'x.db'}")


def test_text_that_is_no_utf_8_does_not_get_into_the_message(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE active_accounts (account_id TEXT)")
    connection.execute("INSERT INTO active_accounts VALUES (CAST(x'533343524554ff' AS TEXT))")
    connection.commit()
    connection.close()
    refusal(SourceUnavailable, f"sqlite:///{tmp_path / 'x.db'}")


@pytest.mark.parametrize(
    ("url", "query", "part"),
    [
        ("nodatabase://u:S3CRET@h/d", "SELECT 1", "not installed"),
        ("sqlite+nodriver:///S3CRET", "SELECT 1", "not installed"),
        ("S3CRET", "SELECT 1", "can be read"),
        ("postgresql+psycopg://u:S3CRET@h:x/d", "SELECT 1", "can be read"),
        ("sqlite://", "SELECT :S3CRET", "no other than :as_of"),
    ],
)
def test_a_wrong_setting_shows_before_anything_is_opened(url: str, query: str, part: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_ACCOUNTS_(URL|QUERY) .*Wanted: ") as raised:
        SqlAccountSource(url, query)
    assert part in str(raised.value)
    assert SECRET not in str(raised.value)
    assert raised.value.__context__ is None
