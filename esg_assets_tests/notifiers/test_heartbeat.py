"""Pings to the outside service that notices silence: which, and with what."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel, ping_of
from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import (
    DAEMON_SILENT,
    DRILL,
    FORECAST_LATE,
    GIVEN_UP,
    KINDS,
    PUBLISHED,
    REPORT_LATE,
    RUN_FAILED,
    RUN_KILLED,
    RUN_TIMED_OUT,
    Kind,
    Severity,
)
from esg_assets.core.alerts.routes import HEARTBEAT, MONITORS
from esg_assets.core.errors import ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import FOREIGN, Heartbeat
from esg_assets_tests.notifiers.material import DAY, HEAD, message
from esg_assets_tests.raw_server import answer

GOOD = {"published": 1, "version": 2, "head": HEAD}


def about(kind: Kind, state: State = State.OPEN, **changed: object) -> Message:
    return message(state, kind, audience=MONITORS, channel=HEARTBEAT, **changed)


def test_a_publication_is_a_ping_with_date_version_and_head(heartbeat: Heartbeat, ca: Path) -> None:
    receipt = HeartbeatChannel(heartbeat.url, ca=ca).deliver(about(PUBLISHED, facts=GOOD))

    assert receipt == "200, ping"
    assert heartbeat.paths == [Heartbeat.PATH]
    assert heartbeat.bodies == [
        f"INFO report_published\nenvironment prod\nreport 2026-11-24\nversion 2\nhead {HEAD}".encode()
    ]


@pytest.mark.parametrize(
    "kind", [RUN_FAILED, RUN_KILLED, RUN_TIMED_OUT, REPORT_LATE, GIVEN_UP], ids=lambda k: k.name
)
def test_what_keeps_todays_report_away_is_a_failure_and_its_end_is_not_told(
    kind: Kind, heartbeat: Heartbeat, ca: Path
) -> None:
    one = HeartbeatChannel(heartbeat.url, ca=ca)

    assert one.deliver(about(kind)) == "200, ping/fail"
    assert one.deliver(about(kind, State.RESOLVED)).startswith("no ping")
    assert heartbeat.paths == [f"{Heartbeat.PATH}/fail"]


def test_a_check_counts_only_if_nothing_was_published_because_of_it() -> None:
    check = KINDS["failure_rate"]

    assert ping_of(about(check, facts={"blocks_publication": 1})) == "/fail"
    assert ping_of(about(check, facts={"blocks_publication": 0})) is None


@pytest.mark.parametrize(
    "quiet",
    [
        about(DAEMON_SILENT),
        about(FORECAST_LATE),
        about(RUN_FAILED, facts={"published": 1}),
        about(RUN_FAILED, date=DAY - timedelta(days=1)),
        about(PUBLISHED, date=date(2026, 10, 1), facts=GOOD),
    ],
    ids=["machinery", "a warning", "a correction that failed", "an earlier date", "a backfill"],
)
def test_what_is_not_about_todays_report_neither_cries_nor_calms(quiet: Message) -> None:
    assert ping_of(quiet) is None


def test_today_is_that_of_central_time() -> None:
    late = message().incident.opened_at.replace(hour=3)  # 21:00 on the day before in Chicago

    assert ping_of(about(PUBLISHED, opened_at=late, facts=GOOD)) is None
    assert ping_of(about(PUBLISHED, opened_at=late, date=DAY - timedelta(days=1), facts=GOOD)) == ""


def test_a_forecast_that_became_a_missing_report_is_a_failure() -> None:
    assert ping_of(about(FORECAST_LATE, State.WORSE, severity=Severity.ERROR)) == "/fail"


def test_a_drill_is_a_note_that_changes_nothing(heartbeat: Heartbeat, ca: Path) -> None:
    HeartbeatChannel(heartbeat.url, ca=ca).deliver(about(DRILL))

    assert heartbeat.paths == [f"{Heartbeat.PATH}/log"]
    assert heartbeat.bodies[0].startswith(b"DRILL drill")


def test_a_query_of_the_address_stays_behind_the_path(heartbeat: Heartbeat, ca: Path) -> None:
    heartbeat.orders.append(answer(200, b"OK"))
    HeartbeatChannel(f"{heartbeat.url}/?key=1", ca=ca).deliver(about(RUN_FAILED))

    assert heartbeat.paths == [f"{Heartbeat.PATH}/fail?key=1"]


@pytest.mark.parametrize("said", [b"OK (not found)", b"OK (rate limited)"])
def test_a_200_that_does_not_count_the_ping_is_tried_again(
    said: bytes, heartbeat: Heartbeat, ca: Path
) -> None:
    heartbeat.orders.append(answer(200, said))

    with pytest.raises(ChannelUnavailable, match="did not count the ping; see ESG_HEARTBEAT_URL"):
        HeartbeatChannel(heartbeat.url, ca=ca).deliver(about(PUBLISHED, facts=GOOD))


def test_an_address_that_is_not_known_is_tried_again_when_somebody_has_mended_it(
    heartbeat: Heartbeat, ca: Path
) -> None:
    with pytest.raises(ChannelUnavailable, match="answered 404; see ESG_HEARTBEAT_URL") as caught:
        HeartbeatChannel(f"{heartbeat.server.url}/ping/wrong", ca=ca).deliver(about(PUBLISHED, facts=GOOD))
    assert FOREIGN not in str(caught.value)
