"""The machinery that has to go round: sensors, schedules, the daemon, and the outbox itself.

Only what is meant to run is missed: a sensor or schedule that somebody has switched off is not, and
neither is a daemon on a host that never had one. What is well again ends its incident.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from dagster._core.scheduler.instigation import (  # what the instance lists; no public name
    InstigatorState,
    InstigatorType,
    TickStatus,
)

from esg_assets import forgetting, schedules, sensors, site_upkeep, working_window
from esg_assets.core.alerts.incidents import Facts, Observation, Recovery
from esg_assets.core.alerts.kinds import (
    DAEMON_SILENT,
    OUTBOX_STUCK,
    SENSOR_SILENT,
    Kind,
    Severity,
)
from esg_assets.detection.marks import Marks
from esg_assets.detection.scene import Found, Seen, Surroundings

BOOKMARK, WATCH_BOOKMARK = "detection.machinery", "detection.watch"
DETECTION, DELIVERY = "alert_detection_sensor", "alert_delivery_sensor"

LONGEST_PAUSE = {
    DETECTION: timedelta(minutes=5),
    DELIVERY: timedelta(minutes=5),
    sensors.NAME: timedelta(minutes=10),
    sensors.RECORDING: timedelta(minutes=10),
    site_upkeep.NAME: timedelta(minutes=30),
    schedules.NAME: timedelta(hours=7),  # it rests from 23:30 to 05:00, an hour longer in one night a year
    f"{working_window.ARCHIVE}_schedule": timedelta(hours=26),
    f"{forgetting.FORGET}_schedule": timedelta(hours=26),
}
"""What of ours ticks, and how long after a good tick its silence is a fault."""

HEARTBEAT = timedelta(minutes=10)
"""Every thread of the daemon says each half minute that it lives, unless it is in the middle of something."""

OUTBOX = timedelta(minutes=15)

_MANY = 10

PERSISTS = timedelta(minutes=3)
"""After a start of the daemon everything is old for a moment."""


def look(scene: Surroundings) -> Found:
    """What of the machinery stands still, and what goes again."""
    marks = Marks(scene, BOOKMARK)
    seen: list[Seen] = list(_outbox(scene, marks))
    dead = list(_daemon(scene, marks))
    seen += dead
    if not any(isinstance(one, Observation) and not one.subject for one in dead):
        seen += _automation(scene, marks, LONGEST_PAUSE)
    return Found(seen, {BOOKMARK: marks.kept()})


def look_at_detection(scene: Surroundings) -> Found:
    """Whether the sensor that looks at everything goes round itself."""
    marks = Marks(scene, WATCH_BOOKMARK)
    seen = list(_automation(scene, marks, {DETECTION: LONGEST_PAUSE[DETECTION]}))
    return Found(seen, {WATCH_BOOKMARK: marks.kept()})


def _daemon(scene: Surroundings, marks: Marks) -> Iterator[Seen]:
    required = set(scene.instance.get_required_daemon_types())
    beats = {
        kind: datetime.fromtimestamp(beat.timestamp, UTC)
        for kind, beat in scene.instance.get_daemon_heartbeats().items()
        if kind in required
    }
    silent = {kind for kind, at in beats.items() if scene.now - at > HEARTBEAT}
    if beats and silent == set(beats) and not scene.from_daemon:
        yield _observed(DAEMON_SILENT, "", max(beats.values()), scene, "daemon")
        return
    forgotten = {one.subject for one in scene.open_incidents if one.kind == DAEMON_SILENT} - set(beats)
    for kind in sorted({*beats, *forgotten}):
        if kind not in silent:
            yield from _well(scene, DAEMON_SILENT, kind, f"daemon:{kind}")
        elif scene.now - marks.since(kind) >= PERSISTS:
            yield _observed(DAEMON_SILENT, kind, beats[kind], scene, f"daemon:{kind}")


def _automation(scene: Surroundings, marks: Marks, pauses: Mapping[str, timedelta]) -> Iterator[Seen]:
    for state in scene.automation:
        longest = pauses.get(state.name)
        if longest is None:
            continue
        good = _last_good_tick(scene, state)
        failures = _failures_since(scene, state, good)
        name = f"sensor:{state.name}"
        if state.instigator_type is InstigatorType.SCHEDULE and failures:
            # Its next tick is half an hour away: said at once, and again as an error if that fails too.
            severity = Severity.WARN if failures == 1 else None
            count = min(failures, 2)
            yield _observed(SENSOR_SILENT, state.name, good, scene, f"{name}:{count}", severity, failures)
        elif scene.now - good <= longest:
            yield from _well(scene, SENSOR_SILENT, state.name, name)
        elif scene.now - marks.since(state.name) >= PERSISTS:
            yield _observed(SENSOR_SILENT, state.name, good, scene, name, None, failures)
    on = {state.name for state in scene.automation}
    for name in sorted(set(pauses) - on):
        yield from _well(scene, SENSOR_SILENT, name, f"sensor:{name}")


def _last_good_tick(scene: Surroundings, state: InstigatorState) -> datetime:
    """The latest tick that did not fail, or else when it was switched on."""
    good = scene.instance.get_ticks(
        state.instigator_origin_id,
        state.selector_id,
        limit=1,
        statuses=[TickStatus.SUCCESS, TickStatus.SKIPPED],
    )
    data = state.instigator_data
    started = getattr(data, "last_sensor_start_timestamp", None) or getattr(data, "start_timestamp", None)
    latest = max(started or 0.0, good[0].timestamp if good else 0.0)
    return datetime.fromtimestamp(latest, UTC)


def _failures_since(scene: Surroundings, state: InstigatorState, good: datetime) -> int:
    failed = scene.instance.get_ticks(
        state.instigator_origin_id,
        state.selector_id,
        after=good.timestamp(),
        limit=_MANY,
        statuses=[TickStatus.FAILURE],
    )
    return len(failed)


def _outbox(scene: Surroundings, marks: Marks) -> Iterator[Seen]:
    waiting = scene.outbox.waiting(scene.now)
    if waiting.oldest is None or scene.now - waiting.oldest <= OUTBOX:
        yield from _well(scene, OUTBOX_STUCK, "", "outbox")
        return
    if scene.now - marks.since("outbox") < PERSISTS:
        return  # whoever delivers may only just have come back
    most = max(sorted(waiting.pending), key=lambda channel: waiting.pending[channel], default="")
    minutes = int((scene.now - waiting.oldest).total_seconds() // 60)
    facts: Facts = {"pending": sum(waiting.pending.values()), "minutes": minutes, "channel": most}
    evidence = f"outbox:{waiting.oldest.isoformat()}"
    yield Observation(OUTBOX_STUCK, evidence, scene.now, facts=facts)


def _observed(
    kind: Kind,
    subject: str,
    last: datetime,
    scene: Surroundings,
    name: str,
    severity: Severity | None = None,
    failures: int = 0,
) -> Observation:
    minutes = int((scene.now - last).total_seconds() // 60)
    facts: dict[str, int | float | str] = {
        "last_tick": last.isoformat(timespec="seconds"),
        "minutes": minutes,
    }
    if failures:
        facts["note"] = (
            f"It ticks, but its ticks fail: {failures}{' or more' if failures == _MANY else ''} so far."
        )
    return Observation(
        kind,
        f"{name}:{last.timestamp():.0f}",
        scene.now,
        subject=subject,
        severity=severity,
        facts=facts,
    )


def _well(scene: Surroundings, kind: Kind, subject: str, name: str) -> Iterator[Recovery]:
    """Only where something is open: else every look would leave evidence for ever."""
    for incident in scene.open_incidents:
        if incident.kind == kind and incident.subject == subject:
            evidence = f"{name}:well:{scene.now.isoformat()}"
            yield Recovery(evidence, scene.now, frozenset({kind.name}), subject=subject)
