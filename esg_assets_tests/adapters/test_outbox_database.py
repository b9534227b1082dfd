"""The outbox's database: its revision, its indexes, what errors tell, and deliverers in processes."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from esg_assets.adapters.database import message_queries, migrate, models, opening
from esg_assets.adapters.database import outbox as database_outbox
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.opening import open_database
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.core.alerts.incidents import Observation, Recovery
from esg_assets.core.alerts.kinds import RUN_FAILED, SENSOR_SILENT
from esg_assets.core.alerts.routes import (
    CHANNELS,
    DEFAULT,
    DEVELOPERS,
    EMAIL,
    HEARTBEAT,
    MONITORS,
    PAGERDUTY,
    Routes,
    Target,
)
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.history import ChainHead
from esg_assets_tests.processes import line_from, python_process

NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
DAY = date(2026, 11, 24)
ROUTES = Routes(
    DEFAULT,
    frozenset({Target(PAGERDUTY, DEVELOPERS), Target(EMAIL, DEVELOPERS), Target(HEARTBEAT, MONITORS)}),
)


def silent(number: int) -> Observation:
    return Observation(SENSOR_SILENT, f"silent:{number}", NOW, subject=f"sensor {number}")


def test_a_database_of_the_revision_before_is_upgraded_and_keeps_its_rows(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        command.upgrade(migrate.config(connection), "0001")
        assert not sa.inspect(connection).has_table("esg_messages")
        row = {"sequence": 7, "sha256": "7" * 64, "restored": False, "recorded_at": NOW}
        connection.execute(models.CHAIN_HEAD.insert(), row)
    outbox = SqlOutbox(url, "test")
    outbox.record([silent(1)], ROUTES, NOW)
    assert SqlHistory(url).head() == ChainHead(7, "7" * 64)
    assert len(outbox.open_incidents()) == 1


def test_alembic_finds_nothing_left_to_do(url: str) -> None:
    engine = open_database(url)
    with opening.writing(engine).begin() as connection:
        command.check(migrate.config(connection))  # raises if a revision is missing


def test_what_is_due_is_found_by_an_index_and_not_by_reading_every_message(url: str) -> None:
    outbox = SqlOutbox(url, "test")
    outbox.record([silent(number) for number in range(200)], ROUTES, NOW)
    engine = open_database(url)
    query = message_queries.due("test", CHANNELS, early=False).params(now=NOW)
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    with opening.writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE esg_messages")
            connection.exec_driver_sql("UPDATE esg_messages SET next_at = NULL WHERE id > 10")
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = "\n".join(connection.scalars(sa.text(f"EXPLAIN {text}")))
            assert "Seq Scan" not in plan
        else:
            plan = "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
            assert "SCAN esg_messages" not in plan
            assert "SCAN before" not in plan
        assert "esg_messages_environment_channel_next_at_idx" in plan


def test_environments_in_one_database_leave_each_other_alone(url: str) -> None:
    here, there = SqlOutbox(url, "prod"), SqlOutbox(url, "test")
    here.record([silent(1)], ROUTES, NOW)
    here.keep_bookmark("runs", "1")
    assert there.claim("a", NOW, lease_seconds=60, channels=CHANNELS) is None
    assert list(there.open_incidents()) == list(there.incidents_since(NOW)) == []
    assert there.bookmark("runs") == ""
    assert there.waiting(NOW).pending == {}
    there.record([silent(1)], ROUTES, NOW)
    assert [len(outbox.open_incidents()) for outbox in (here, there)] == [1, 1]


def test_a_number_that_is_not_finite_keeps_no_alert_back(url: str) -> None:
    outbox = SqlOutbox(url, "test")
    seen = Observation(RUN_FAILED, "run:1", NOW, DAY, facts={"share": float("nan"), "limit": float("inf")})
    outbox.record([seen], ROUTES, NOW)
    assert outbox.open_incidents()[0].facts == {"share": "nan", "limit": "inf"}


def test_an_incident_of_a_kind_that_a_later_version_knows_is_still_told(url: str) -> None:
    outbox = SqlOutbox(url, "test")
    outbox.record([silent(1)], ROUTES, NOW)
    with opening.writing(open_database(url)).begin() as connection:
        held = connection.scalar(sa.select(models.MESSAGES.c.incident))
        assert held is not None
        values = {"incident": {**held, "kind": "moon_missing", "kinds": ["moon_missing"]}}
        connection.execute(models.MESSAGES.update().values(values))
    message = outbox.claim("a", NOW, lease_seconds=60, channels=CHANNELS)
    assert message is not None
    assert (message.incident.kind.name, message.incident.kind.title) == ("moon_missing", "moon missing")


def test_a_batch_that_fails_leaves_nothing_and_can_be_recorded_again(url: str) -> None:
    outbox = SqlOutbox(url, "test")
    engine = open_database(url)
    with opening.writing(engine).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE esg_messages RENAME TO away")
    with pytest.raises(StoreUnavailable, match="recording 2 alerts failed") as caught:
        outbox.record([silent(1), silent(2)], ROUTES, NOW)
    assert "sensor" not in str(caught.value)
    with opening.writing(engine).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO esg_messages")
    assert list(outbox.open_incidents()) == []
    assert len(outbox.record([silent(1), silent(2)], ROUTES, NOW)) == 2


def test_a_locked_database_is_unavailable_before_the_tick_is_over(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_outbox, "BUSY_SECONDS", 0.05)
    outbox = SqlOutbox(url, "test")
    with opening.writing(open_database(url)).begin() as other:
        if other.dialect.name == "postgresql":
            other.execute(sa.select(sa.func.pg_advisory_xact_lock(database_outbox._ADVISORY_LOCK)))
        with pytest.raises(StoreUnavailable, match=r"recording 1 alerts failed \((SQLITE_BUSY|55P03)\)"):
            outbox.record([silent(1)], ROUTES, NOW)
        assert list(outbox.open_incidents()) == []
    assert len(outbox.record([silent(1)], ROUTES, NOW)) == 1


def test_two_processes_that_deliver_never_send_one_message_twice(url: str) -> None:
    outbox = SqlOutbox(url, "test")
    well = Recovery("well", NOW + timedelta(seconds=1), frozenset({SENSOR_SILENT.name}))
    outbox.record([*(silent(number) for number in range(20)), well], ROUTES, NOW)
    program = """if True:
        import json, sys
        from datetime import UTC, datetime
        from esg_assets.adapters.database.outbox import SqlOutbox
        from esg_assets.core.alerts.routes import CHANNELS
        outbox, now = SqlOutbox(sys.argv[1], "test"), datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
        print("ready", flush=True)
        sys.stdin.readline()
        sent = []
        while (message := outbox.claim(sys.argv[2], now, lease_seconds=60, channels=CHANNELS)) is not None:
            if not sent:  # both are at it before either goes on
                print("claimed", flush=True)
                sys.stdin.readline()
            sent.append(message.identity)
            outbox.delivered(message, sys.argv[2], now, "taken")
        print(json.dumps(sent), flush=True)
    """
    with python_process(program, url, "a") as first, python_process(program, url, "b") as second:
        processes = (first, second)
        for said in ("ready", "claimed"):
            assert [line_from(process) for process in processes] == [said] * 2
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
        sent = [json.loads(line_from(process)) for process in processes]
    counts = Counter(identity for each in sent for identity in each)
    # One of them may have found nothing free for a moment and ended, so the other has the rest or it waits.
    left = outbox.waiting(NOW).pending
    assert set(counts.values()) == {1}
    assert len(counts) + sum(left.values()) == 20 * 3 * 2
    assert all(sent)
