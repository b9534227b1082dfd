"""The exporter: what it says of an installation, that it names nobody, and that nothing makes it fall."""

import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from esg_assets import dagster_metrics, exporter
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.core.alerts.incidents import Observation
from esg_assets.core.alerts.kinds import RUN_FAILED
from esg_assets.core.alerts.routes import DEFAULT, DEVELOPERS, EMAIL, Routes, Target
from esg_assets.core.central_time import CENTRAL
from esg_assets.core.metrics.catalogue import Sample
from esg_assets.core.ratings import Reply
from esg_assets.definitions import build_defs
from esg_assets.exporter import Exporter, Source, registry_of
from esg_assets.run_records import record_ended_runs
from esg_assets_tests.pipeline.house import DAY, House, house_on_disk


def lines(collector: Exporter) -> list[str]:
    return [line for line in scraped(collector).splitlines() if not line.startswith("#")]


def scraped(collector: Exporter) -> str:
    return generate_latest(registry_of(collector)).decode()


def value(found: Sequence[str], start: str) -> float:
    """Of the one line that begins so."""
    (line,) = [line for line in found if line.startswith(start)] or pytest.fail(f"no {start}")
    return float(line.rpartition(" ")[2])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A pipeline whose history and alerts are in the database that the exporter reads."""
    with house_on_disk(tmp_path) as made:
        made.overrides["history"] = SqlHistory(made.settings.database_url.get_secret_value())
        yield made


def recorded(house: House) -> SqlHistory:
    history = house.overrides["history"]
    assert isinstance(history, SqlHistory)
    record_ended_runs(house.instance, history, None)
    return history


@pytest.fixture
def in_force(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    monkeypatch.setenv("DAGSTER_HOME", str(house.home))
    with exporter.exporter(house.settings) as made:
        yield made


def test_a_night_is_told_without_naming_an_account_and_promtool_likes_it(
    house: House, in_force: Exporter, programs: Mapping[str, Path]
) -> None:
    house.answers({"ACC-00003": [Reply(404)], "ACC-00007": [Reply(422)]})
    assert house.run().success
    recorded(house)
    text = scraped(in_force)
    found = [line for line in text.splitlines() if not line.startswith("#")]
    assert value(found, "esg_up{") == 1
    assert value(found, 'esg_report_accounts{env="dev",status="SUCCESS"}') == 10
    assert value(found, 'esg_last_run_accounts{env="dev",outcome="failed"}') == 1
    assert value(found, 'esg_last_run_failure_ratio{env="dev"}') == pytest.approx(1 / 12)
    assert value(found, 'esg_last_run_status{env="dev",status="published"}') == 1
    assert value(found, 'esg_runs_total{env="dev",status="published"}') == 1
    assert value(found, 'esg_source_requests_total{env="dev"}') == 12
    assert value(found, 'esg_asset_check_passed{check="failure_rate",env="dev",severity="ERROR"}') == 0
    assert value(found, 'esg_dagster_runs{env="dev",status="success"}') == 1
    assert [line for line in found if "esg_last_run_call_duration_seconds" in line]
    assert "ACC-" not in text
    assert not re.search(r"M.ller", text)
    # ESG_MIN_CELL is 10, and 10 accounts were rated: means may be seen, cells of fewer may not.
    assert [line for line in found if line.startswith('esg_score_mean{env="dev"')]
    assert not [line for line in found if line.startswith("esg_primary_focus_accounts") and "0.0" not in line]
    checked = subprocess.run(
        [programs["promtool"], "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_failed_night_is_told_although_nothing_was_published(house: House, in_force: Exporter) -> None:
    house.answers(otherwise=lambda _account, _as_of: Reply(401))
    assert not house.run().success
    recorded(house)
    found = lines(in_force)
    assert value(found, 'esg_last_run_status{env="dev",status="failed"}') == 1
    assert value(found, 'esg_last_run_success{env="dev"}') == 0
    today = datetime.now(CENTRAL).date()
    assert value(found, f'esg_report_published{{env="dev",report_date="{today}"}}') == 0
    assert not [line for line in found if line.startswith("esg_last_success_timestamp_seconds")]


def test_alerts_that_wait_are_told(house: House, in_force: Exporter) -> None:
    outbox = SqlOutbox(house.settings.database_url.get_secret_value(), house.settings.env)
    at = datetime.now(UTC) - timedelta(minutes=20)
    routes = Routes(DEFAULT, frozenset({Target(EMAIL, DEVELOPERS)}))
    outbox.record([Observation(RUN_FAILED, "run:1:failed", at, DAY)], routes, at)
    found = lines(in_force)
    assert value(found, 'esg_alert_outbox_pending{channel="email",env="dev"}') == 1
    assert value(found, 'esg_alert_outbox_oldest_age_seconds{env="dev"}') == pytest.approx(1200, abs=30)
    assert value(found, 'esg_alert_incidents_open{env="dev",kind="run_failed",severity="ERROR"}') == 1


def test_a_locked_database_costs_its_metrics_and_never_the_scrape(
    house: House, in_force: Exporter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exporter, "BUSY_SECONDS", 0.05)
    path = house.settings.database_url.get_secret_value().removeprefix("sqlite:///")
    recorded(house)
    locked = sqlite3.connect(path, isolation_level=None)
    locked.execute("PRAGMA locking_mode=EXCLUSIVE")
    locked.execute("BEGIN EXCLUSIVE")
    try:
        for scrapes in (1, 2):
            found = lines(in_force)
            assert value(found, "esg_up{") == 0
            assert value(found, 'esg_source_up{env="dev",source="history"}') == 0
            assert value(found, 'esg_source_up{env="dev",source="dagster"}') == 1
            assert value(found, 'esg_scrape_errors_total{env="dev",source="history"}') == scrapes
            assert not [line for line in found if line.startswith(("esg_runs_total", "esg_report"))]
    finally:
        locked.close()
    told = [record.getMessage() for record in caplog.records if record.name == "esg_assets.exporter"]
    assert len(told) == 2, told  # history and alerts, once each, however often they are asked
    assert all("SQLITE_BUSY" in text for text in told)
    assert value(lines(in_force), "esg_up{") == 1


def test_an_installation_without_a_database_is_told_as_such_and_none_is_made(
    house: House, in_force: Exporter
) -> None:
    path = Path(house.settings.database_url.get_secret_value().removeprefix("sqlite:///"))
    path.rename(path.with_suffix(".away"))
    found = lines(in_force)
    assert value(found, 'esg_source_up{env="dev",source="history"}') == 0
    assert not path.exists()


def test_a_source_that_hangs_is_not_asked_again_until_it_has_ended() -> None:
    asked, goes_on = [0], threading.Event()

    def hangs() -> Sequence[Sample]:
        asked[0] += 1
        assert goes_on.wait(30)
        return [Sample("esg_last_run_success", 1)]

    slow = Source("history", hangs, seconds=0.05)
    collector = Exporter("dev", [slow, Source("alerts", lambda: [Sample("esg_reports_overdue", 0)])])
    for errors in (1, 2):
        found = lines(collector)
        assert value(found, 'esg_scrape_errors_total{env="dev",source="history"}') == errors
        assert value(found, 'esg_reports_overdue{env="dev"}') == 0
    assert asked == [1]
    goes_on.set()
    assert slow._thread is not None
    slow._thread.join(30)
    assert value(lines(collector), 'esg_last_run_success{env="dev"}') == 1


def test_an_unexpected_error_of_a_source_is_told_by_type_and_place_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks() -> Sequence[Sample]:
        raise ValueError("ACC-00001")

    assert value(lines(Exporter("dev", [Source("dagster", breaks)])), "esg_up{") == 0
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("reading metrics of dagster: ValueError: ")
    assert "ACC-" not in told


def test_checks_that_are_exported_are_those_of_the_definitions(house: House) -> None:
    defined = {
        (key.asset_key.to_user_string(), key.name)
        for key in build_defs(house.settings).resolve_asset_graph().asset_check_keys
    }
    assert defined == {(asset, name) for asset, names in dagster_metrics.CHECKS.items() for name in names}


def test_ticks_are_told_of_what_is_on_and_daemons_that_are_wanted(house: House, in_force: Exporter) -> None:
    from dagster._core.scheduler.instigation import (  # noqa: PLC0415 - no public names
        InstigatorStatus,
        TickData,
        TickStatus,
    )
    from dagster._daemon.types import DaemonHeartbeat  # noqa: PLC0415
    from dagster_shared.error import SerializableErrorInfo  # noqa: PLC0415

    error = SerializableErrorInfo("broken", [], None)
    now = datetime.now(UTC).timestamp()
    for daemon in ("SENSOR", "NO_LONGER_WANTED"):
        house.instance.add_daemon_heartbeat(DaemonHeartbeat(now - 5, daemon, None, None))
    state = sensor_state(house, "stale_runs_sensor", InstigatorStatus.DECLARED_IN_CODE)
    sensor_state(house, "run_records_sensor", InstigatorStatus.STOPPED)
    for at, status in ((now - 90, TickStatus.SKIPPED), (now - 30, TickStatus.FAILURE)):
        house.instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=state.name,
                instigator_type=state.instigator_type,
                status=status,
                timestamp=at,
                selector_id=state.selector_id,
                error=error if status is TickStatus.FAILURE else None,
            )
        )
    found = lines(in_force)
    of = '{env="dev",sensor="stale_runs_sensor"}'
    assert value(found, f"esg_sensor_last_tick_timestamp_seconds{of}") == pytest.approx(now - 30)
    assert value(found, f"esg_sensor_last_good_tick_timestamp_seconds{of}") == pytest.approx(now - 90)
    assert value(found, f"esg_sensor_pause_limit_seconds{of}") == 600
    assert "run_records_sensor" not in "".join(found)
    (heartbeat,) = [line for line in found if "heartbeat_timestamp" in line]
    assert 'daemon="sensor"' in heartbeat


def sensor_state(house: House, name: str, status: Any) -> Any:
    from dagster._core.remote_origin import (  # noqa: PLC0415 - no public names
        RegisteredCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import (  # noqa: PLC0415
        InstigatorState,
        InstigatorType,
        SensorInstigatorData,
    )

    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("esg_assets"), "__repository__"), name
    )
    state = InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData())
    return house.instance.add_instigator_state(state)
