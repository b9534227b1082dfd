"""Detection of the machinery: sensors and schedules, the daemon, the outbox, and the detection itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo

from esg_assets import alert_delivery, cli_runs, resources, schedules
from esg_assets.alert_resources import ALERTING
from esg_assets.core.alerts.kinds import Severity
from esg_assets.definitions import build_defs
from esg_assets.detection import machinery, watch_detection
from esg_assets.detection.sensor import alert_detection_sensor
from esg_assets_tests.pipeline.house import DAY, House, house_on_disk
from esg_assets_tests.pipeline.test_schedule import at, publish
from esg_assets_tests.pipeline.watched import EVERYWHERE, Watched

NOON = at(DAY, 12)
MINUTE = timedelta(minutes=1)
STALE = "stale_runs_sensor"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with house_on_disk(tmp_path) as house:
        yield Watched(house)


def switched_on(
    house: House, name: str, since: datetime, status: str = "DECLARED_IN_CODE"
) -> InstigatorState:
    """As the daemon notes what is on by default, or what somebody has switched."""
    origin = RemoteInstigatorOrigin(cli_runs._origin().repository_origin, name)
    if name.endswith("_schedule"):
        kind: InstigatorType = InstigatorType.SCHEDULE
        data: object = ScheduleInstigatorData(schedules.CRON, since.timestamp())
    else:
        kind, data = (
            InstigatorType.SENSOR,
            SensorInstigatorData(last_sensor_start_timestamp=since.timestamp()),
        )
    state = InstigatorState(origin, kind, InstigatorStatus[status], data)  # type: ignore[arg-type]
    house.instance.add_instigator_state(state)
    return state


def ticked(house: House, state: InstigatorState, moment: datetime, status: str = "SKIPPED") -> None:
    house.instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=state.name,
            instigator_type=state.instigator_type,
            status=TickStatus[status],
            timestamp=moment.timestamp(),
            selector_id=state.selector_id,
            error=SerializableErrorInfo("it failed", [], None) if status == "FAILURE" else None,
        )
    )


def beat(house: House, moment: datetime, *kinds: str) -> None:
    for kind in kinds or ("SENSOR", "SCHEDULER"):
        house.instance.add_daemon_heartbeat(DaemonHeartbeat(moment.timestamp(), kind, "a daemon"))


def looks(watched: Watched, since: datetime, minutes: int, *, from_daemon: bool = True) -> None:
    """A look at every minute."""
    for minute in range(minutes + 1):
        watched.look(since + minute * MINUTE, from_daemon=from_daemon)


def test_what_is_named_here_is_what_ticks(watched: Watched) -> None:
    defs = build_defs(watched.house.settings).get_repository_def()
    names = {each.name for each in defs.sensor_defs} | {each.name for each in defs.schedule_defs}
    assert set(machinery.LONGEST_PAUSE) == names
    assert machinery.DELIVERY == alert_delivery.NAME


def test_a_sensor_that_does_not_tick_is_told_and_a_tick_ends_it(watched: Watched) -> None:
    state = switched_on(watched.house, STALE, NOON - timedelta(days=2))
    ticked(watched.house, state, NOON)
    looks(watched, NOON, 13)
    assert watched.open() == []
    looks(watched, NOON + 14 * MINUTE, 2)
    incident = watched.incident("sensor_silent", None, STALE)
    assert (incident.severity, incident.facts["last_tick"]) == (Severity.ERROR, "2026-01-15T18:00:00+00:00")
    ticked(watched.house, state, NOON + 17 * MINUTE)
    watched.look(NOON + 18 * MINUTE, from_daemon=True)
    assert watched.open() == []
    assert watched.keys() == [f"-/sensor_silent/{STALE}"]


def test_a_sensor_whose_ticks_fail_is_told_though_it_ticks(watched: Watched) -> None:
    state = switched_on(watched.house, STALE, NOON - timedelta(days=2))
    ticked(watched.house, state, NOON)
    for minute in range(1, 15):
        ticked(watched.house, state, NOON + minute * MINUTE, "FAILURE")
    looks(watched, NOON + 14 * MINUTE, 3)
    facts = watched.incident("sensor_silent", None, STALE).facts
    assert facts["note"] == "It ticks, but its ticks fail: 10 or more so far."


def test_a_schedule_whose_tick_failed_warns_at_once_and_is_an_error_when_the_next_one_fails(
    watched: Watched,
) -> None:
    state = switched_on(watched.house, schedules.NAME, at(DAY, 4))
    watched.outbox.keep_bookmark("detection.in_service_since", "2026-01-16")
    ticked(watched.house, state, at(DAY, 5), "FAILURE")
    watched.look(at(DAY, 5, 1), from_daemon=True)
    assert watched.incident("sensor_silent", None, schedules.NAME).severity is Severity.WARN
    ticked(watched.house, state, at(DAY, 5, 30), "FAILURE")
    watched.look(at(DAY, 5, 31), from_daemon=True)
    assert watched.incident("sensor_silent", None, schedules.NAME).severity is Severity.ERROR
    ticked(watched.house, state, at(DAY, 6))
    watched.look(at(DAY, 6, 1), from_daemon=True)
    assert watched.open() == []


def test_a_schedule_may_rest_at_night(watched: Watched) -> None:
    state = switched_on(watched.house, schedules.NAME, at(DAY, 4))
    watched.outbox.keep_bookmark("detection.in_service_since", "2026-02-16")
    ticked(watched.house, state, at(DAY, 23, 30))
    looks(watched, at(DAY, 23, 30) + timedelta(hours=6), 10)
    assert watched.keys() == []
    looks(watched, at(DAY, 23, 30) + timedelta(hours=7), 4)
    assert watched.open() == [f"-/sensor_silent/{schedules.NAME}"]


def test_what_somebody_has_switched_off_is_not_missed(watched: Watched) -> None:
    switched_on(watched.house, STALE, NOON - timedelta(days=2), "STOPPED")
    looks(watched, NOON, 20)
    assert watched.keys() == []


def test_switching_off_a_silent_sensor_ends_its_incident(watched: Watched) -> None:
    state = switched_on(watched.house, STALE, NOON - timedelta(days=2))
    looks(watched, NOON, 4)
    assert watched.open() == [f"-/sensor_silent/{STALE}"]
    watched.house.instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))
    watched.look(NOON + 5 * MINUTE, from_daemon=True)
    assert watched.open() == []


def test_a_daemon_that_comes_back_after_a_night_is_no_alert(watched: Watched) -> None:
    """`dagster dev` was closed in the evening: at the first look everything is old."""
    state = switched_on(watched.house, STALE, NOON - timedelta(days=2))
    ticked(watched.house, state, NOON - timedelta(hours=12))
    beat(watched.house, NOON - timedelta(hours=12))
    watched.look(NOON - timedelta(hours=12), from_daemon=True)
    watched.look(NOON, from_daemon=True)
    beat(watched.house, NOON + MINUTE)
    ticked(watched.house, state, NOON + MINUTE)
    looks(watched, NOON + MINUTE, 8)
    assert watched.keys() == []


def test_a_dead_daemon_is_seen_by_whoever_looks_from_outside_and_told_once(watched: Watched) -> None:
    for name in machinery.LONGEST_PAUSE:
        state = switched_on(watched.house, name, NOON - timedelta(days=2))
        ticked(watched.house, state, NOON)
    watched.outbox.keep_bookmark("detection.in_service_since", "2026-02-16")
    beat(watched.house, NOON)
    watched.look(NOON + 9 * MINUTE)
    assert watched.open() == []
    looks(watched, NOON + 11 * MINUTE, 30, from_daemon=False)
    assert watched.open() == ["-/daemon_silent"]
    assert watched.incident("daemon_silent").facts["last_tick"] == "2026-01-15T18:00:00+00:00"
    beat(watched.house, NOON + 60 * MINUTE)
    watched.look(NOON + 61 * MINUTE)
    assert "-/daemon_silent" not in watched.open()


def test_one_thread_of_the_daemon_that_is_silent_is_told_by_its_name(watched: Watched) -> None:
    beat(watched.house, NOON, "SCHEDULER")
    for minute in range(10, 16):
        beat(watched.house, NOON + minute * MINUTE, "SENSOR")
        watched.look(NOON + minute * MINUTE, from_daemon=True)
    assert watched.open() == ["-/daemon_silent/SCHEDULER"]
    beat(watched.house, NOON + 16 * MINUTE)
    watched.look(NOON + 16 * MINUTE, from_daemon=True)
    assert watched.open() == []


def test_a_daemon_that_is_forgotten_is_not_missed_any_more(watched: Watched) -> None:
    beat(watched.house, NOON)
    watched.look(NOON + 11 * MINUTE)
    assert watched.open() == ["-/daemon_silent"]
    watched.house.instance.wipe_daemon_heartbeats()
    watched.look(NOON + 12 * MINUTE)
    assert watched.open() == []


def test_a_host_that_never_had_a_daemon_misses_none(watched: Watched) -> None:
    looks(watched, NOON, 30, from_daemon=False)
    assert watched.keys() == []


def test_an_outbox_that_does_not_drain_is_told_over_whatever_channel_works(watched: Watched) -> None:
    watched.delivers = False
    publish(watched.house.history, DAY)
    (published,) = watched.house.history.publications
    watched.house.history.publications[0] = replace(published, recorded_at=NOON)
    looks(watched, NOON + MINUTE, 20)
    incident = watched.incident("outbox_stuck")
    assert incident.facts == {"pending": 1, "minutes": 19, "channel": "heartbeat"}
    watched.deliver(NOON + 22 * MINUTE)
    watched.look(NOON + 23 * MINUTE)
    assert watched.open() == []


# --- the detection itself -------------------------------------------------------------------------


def test_each_look_leaves_no_evidence_when_nothing_happens(watched: Watched) -> None:
    state = switched_on(watched.house, STALE, NOON - timedelta(days=2))
    ticked(watched.house, state, NOON)
    beat(watched.house, NOON)
    watched.look(NOON, from_daemon=True)
    before = len(watched.outbox._seen)
    looks(watched, NOON + MINUTE, 5)
    assert len(watched.outbox._seen) == before


def test_the_delivery_sees_that_the_detection_fails(watched: Watched) -> None:
    state = switched_on(watched.house, machinery.DETECTION, NOON - timedelta(days=2))
    ticked(watched.house, state, NOON)
    for minute in range(1, 10):
        ticked(watched.house, state, NOON + minute * MINUTE, "FAILURE")
        watch_detection(watched.house.instance, watched.outbox, EVERYWHERE, NOON + minute * MINUTE)
    assert watched.open() == [f"-/sensor_silent/{machinery.DETECTION}"]
    ticked(watched.house, state, NOON + 10 * MINUTE)
    watch_detection(watched.house.instance, watched.outbox, EVERYWHERE, NOON + 10 * MINUTE)
    assert watched.open() == []


def test_what_one_detector_cannot_see_the_others_tell_and_the_tick_fails(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = watched.house

    def broken(*_: object) -> None:
        raise KeyError("ACC-00001")

    monkeypatch.setattr(house.history, "recorded_since", broken)
    run = house.instance.create_run_for_job(
        house.defs().resolve_job_def("nightly_esg_report"), remote_job_origin=cli_runs._origin()
    )
    house.instance.report_run_failed(run)
    given = {
        "history": house.history,
        "outbox": watched.outbox,
        "routes": EVERYWHERE,
        "settings": house.settings,
    }
    with (
        dg.build_sensor_context(instance=house.instance, resources=given) as context,
        pytest.raises(dg.Failure, match="looking at the dates: an unexpected KeyError at") as caught,
    ):
        alert_detection_sensor(context)
    assert "ACC-" not in str(caught.value)
    assert watched.open() == ["-/run_failed/nightly_esg_report"]


def test_the_sensor_ticks_with_wrong_settings(esg_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESG_API_URL", "ftp://nowhere")
    monkeypatch.setenv("ESG_REPORT_DEADLINE", "tomorrow")
    monkeypatch.setenv("ESG_ALERT_ROUTES", "{ERROR: {nobody: [pigeon]}}")
    settings = resources.SettingsResource()
    given = {
        "settings": settings,
        "history": resources.HistoryResource(settings=settings),
        **{key: kind(settings=settings) for key, kind in ALERTING.items()},
    }
    with (
        house_on_disk(esg_home.parent / "cwd") as house,
        dg.build_sensor_context(instance=house.instance, resources=given) as context,
    ):
        reason = alert_detection_sensor(context)
    assert isinstance(reason, dg.SkipReason)
    told = "runs looked at: 0; seen unwell: 0, well: 0; incidents changed: 0, ended: 0"
    assert reason.skip_message == told
    assert alert_detection_sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert alert_detection_sensor.minimum_interval_seconds == 30
