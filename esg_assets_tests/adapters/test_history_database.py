"""The history's database: its file, its revisions, first openings at once, and what errors tell."""

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from esg_assets.adapters.database import migrate, models, opening
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.opening import open_database
from esg_assets.core.errors import SettingsWrong, StoreUnavailable
from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.ratings import Status
from esg_assets_tests.processes import line_from, python_process
from esg_assets_tests.servers import free_ports

DAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
PUBLISHED = PublishedReport(DAY, 1, 5, "5" * 64, "run", dict.fromkeys(Status, 1), DAY, "2026-01-15")
RUN = RunRecord("run", DAY, "published", NOW, NOW, calls=7, figures={"p99_seconds": 0.8})

TABLES = {
    *("esg_publications", "esg_figures", "esg_report_details", "esg_runs", "esg_chain_head", "esg_prunings"),
    *("esg_incidents", "esg_evidence", "esg_messages", "esg_bookmarks"),
    models.VERSION_TABLE,
}


def test_the_tables_are_those_of_the_models_even_beside_dagster_s(url: str) -> None:
    engine = open_database(url)
    with opening.writing(engine).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (id INTEGER)")
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    with engine.connect() as connection:
        options = {"version_table": models.VERSION_TABLE, "include_name": migrate.is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, models.METADATA) == []
        assert set(sa.inspect(connection).get_table_names()) == {*TABLES, "runs", "alembic_version"}


def test_the_newest_revision_is_the_one_that_the_models_name(url: str) -> None:
    engine = open_database(url)
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(migrate.config(connection))
    assert script.get_heads() == [models.REVISION]


def test_an_up_to_date_database_opens_without_loading_alembic(url: str) -> None:
    open_database(url)
    program = (
        "import sys; from esg_assets.adapters.database.history import SqlHistory; "
        "SqlHistory(sys.argv[1]).head(); print('alembic' in sys.modules)"
    )
    with python_process(program, url) as process:
        assert line_from(process) == "False"


def test_processes_that_open_a_new_database_at_once_all_get_it(url: str) -> None:
    program = """if True:
        import sys
        import alembic.command
        from esg_assets.adapters.database.history import SqlHistory
        from esg_assets.core.history import ChainHead
        print("ready", flush=True)
        sys.stdin.readline()
        SqlHistory(sys.argv[1]).remember_head(ChainHead(int(sys.argv[2]), "a" * 64))
        print("done", flush=True)
    """
    with (
        python_process(program, url, "1") as first,
        python_process(program, url, "2") as second,
        python_process(program, url, "3") as third,
    ):
        processes = (first, second, third)
        assert [line_from(process) for process in processes] == ["ready"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [line_from(process) for process in processes] == ["done"] * 3
    head = SqlHistory(url).head()
    assert head is not None
    assert head.sequence == 3


def test_a_revision_that_fails_leaves_nothing_behind_and_can_be_tried_again(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE esg_chain_head (in_the_way INTEGER)")
    with pytest.raises(StoreUnavailable, match="opening the history database failed"):
        open_database(url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == ["esg_chain_head"]
        connection.exec_driver_sql("DROP TABLE esg_chain_head")
    assert SqlHistory(url).head() is None


def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    engine = open_database(url)
    with opening.writing(engine).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {models.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(SettingsWrong, match="made by a later version of esg_assets"):
        open_database(url)


def test_a_database_that_is_to_be_read_only_is_not_made(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="it is not there yet"):
        open_database(url, read_only=True)
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).parent.exists()


def test_a_history_that_is_read_only_reads_and_cannot_write(url: str) -> None:
    SqlHistory(url).record_run(RUN)
    reader = SqlHistory(url, read_only=True)
    assert reader.runs_since(NOW) == [RUN]
    with pytest.raises(StoreUnavailable, match="recording the run of 2026-01-15 failed") as caught:
        reader.record_run(replace(RUN, run_id="another"))
    assert "SQLITE_READONLY" in str(caught.value) or "25006" in str(caught.value)
    assert SqlHistory(url).run_totals().runs == {"published": 1}


def test_a_run_is_recorded_once_for_each_state_and_never_altered(url: str) -> None:
    central = timezone(timedelta(hours=-6))
    history = SqlHistory(url, lambda: NOW.astimezone(central))
    history.record_run(replace(RUN, status="failed", ended_at=None, version=None))
    history.record_run(replace(RUN, version=2))
    history.record_run(replace(RUN, version=3, calls=0))
    with open_database(url).connect() as connection:
        rows = connection.execute(sa.select(models.RUNS).order_by(models.RUNS.c.id)).mappings().all()
    assert [(row["status"], row["ended_at"], row["version"], row["calls"]) for row in rows] == [
        ("failed", None, None, 7),
        ("published", NOW, 2, 7),
    ]
    assert {row["recorded_at"] for row in rows} == {NOW}
    assert rows[0]["figures"] == {"p99_seconds": 0.8}


def test_figures_are_kept_under_the_date_too(tmp_path: Path) -> None:
    history = SqlHistory(f"sqlite:///{tmp_path}/history.sqlite")
    history.record_publication(PUBLISHED, {"accounts": 3, "letter.AAA": None})
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        query = "SELECT report_date, value FROM esg_figures WHERE name = 'accounts' AND report_date >= '2026'"
        assert connection.execute(query).fetchall() == [("2026-01-15", 3.0)]
    connection.close()


def test_a_sqlite_file_and_its_folder_are_ours_alone(tmp_path: Path) -> None:
    history = SqlHistory(f"sqlite:///{tmp_path}/home/history.sqlite")
    history.record_run(RUN)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home").iterdir()}
    assert modes.keys() >= {"history.sqlite", "history.sqlite.lock"}
    assert set(modes.values()) == {0o600}
    with sqlite3.connect(tmp_path / "home" / "history.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    history = SqlHistory(f"sqlite:///{tmp_path}/history.sqlite")
    history.record_publication(PUBLISHED, {"accounts": 3})
    writer = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert history.published_dates(DAY) == [DAY]
        with pytest.raises(StoreUnavailable, match=r"recording the run of 2026-01-15 failed \(SQLITE_BUSY\)"):
            history.record_run(RUN)
    finally:
        writer.close()
    history.record_run(RUN)


def test_an_error_tells_what_was_done_and_its_code_but_no_value(url: str) -> None:
    history = SqlHistory(url)
    with opening.writing(open_database(url)).begin() as connection:
        connection.exec_driver_sql("DROP TABLE esg_figures")
    with pytest.raises(StoreUnavailable) as caught:
        history.record_publication(replace(PUBLISHED, reason="a-reason-to-hide"), {"hidden.name": 77.7})
    text = str(caught.value)
    assert text.startswith("recording version 1 of the report of 2026-01-15 failed (")
    assert "SQLITE_ERROR" in text or "42P01" in text
    assert not [word for word in ("hide", "hidden", "77.7", "INSERT") if word in text]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert history.latest(DAY + timedelta(days=1)) is None  # neither the publication nor its figures


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_stays_secret() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StoreUnavailable, match="opening the history database failed") as caught:
        SqlHistory(f"postgresql://esg:hunter2@127.0.0.1:{port}/esg")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_password_is_unavailable_and_names_the_code(postgres_url: str) -> None:
    user, _, host = postgres_url.rpartition("@")
    with pytest.raises(StoreUnavailable) as caught:
        SqlHistory(f"{user.rpartition(':')[0]}:wrong@{host}")
    assert "wrong" not in str(caught.value)


def test_a_disk_without_room_for_the_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match=r"opening the history database failed \(Not a directory\)"):
        SqlHistory(f"sqlite:///{tmp_path}/file/home/history.sqlite")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailable, match=r"\(SQLITE_NOTADB\)"):
        SqlHistory(f"sqlite:///{tmp_path}/history.sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "postgresql://esg:hunter2@host:port/x",
        "nosuch://esg:hunter2@host/x",
        "mysql+pymysql://esg:hunter2@host/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.sqlite?mode=memory",
        "sqlite://host/x.sqlite",
    ],
)
def test_a_url_that_cannot_be_a_history_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsWrong, match="ESG_DATABASE_URL must") as caught:
        open_database(url)
    assert "hunter2" not in str(caught.value)
