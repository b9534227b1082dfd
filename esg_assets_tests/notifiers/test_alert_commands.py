"""`esg-assets alerts flush|test|drill`, as people use them, over real conversations."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from esg_assets import alert_drill
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.alert_choice import routes
from esg_assets.cli import main as cli
from esg_assets.core.alerts.incidents import Observation
from esg_assets.core.alerts.kinds import SENSOR_SILENT
from esg_assets.settings import load_settings
from esg_assets_tests.notifiers.http_stubs import FOREIGN, ROUTING_KEY, Heartbeat, PagerDuty, Slack
from esg_assets_tests.notifiers.mail_servers import MailServer
from esg_assets_tests.raw_server import answer

EVERYBODY = [
    ("pagerduty", "developers"),
    ("email", "developers"),
    ("slack", "developers"),
    ("email", "business"),
    ("heartbeat", "monitors"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a channel."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="ascii")
    return tmp_path


@pytest.fixture
def set_up(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    ca: Path,
    relay: MailServer,
    pagerduty: PagerDuty,
    slack: Slack,
    heartbeat: Heartbeat,
) -> None:
    """Every channel but Apprise."""
    settings = {
        "ESG_ALERT_CA_BUNDLE": str(ca),
        "ESG_SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
        "ESG_ALERT_EMAIL_FROM": "esg@example.org",
        "ESG_ALERT_EMAIL_DEV": "dev@example.org",
        "ESG_ALERT_EMAIL_BUSINESS": "readers@example.org",
        "ESG_PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
        "ESG_PAGERDUTY_URL": pagerduty.url,
        "ESG_SLACK_WEBHOOK_URL": slack.url,
        "ESG_HEARTBEAT_URL": heartbeat.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def told(capsys: pytest.CaptureFixture[str], status: int, *command: str) -> Any:
    capsys.readouterr()
    assert cli.run(["alerts", *command, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def shown(capsys: pytest.CaptureFixture[str], status: int, *command: str) -> str:
    capsys.readouterr()
    assert cli.run(["alerts", *command]) == status
    captured = capsys.readouterr()
    return captured.out + captured.err


def something_wrong(home: Path) -> None:
    now = datetime.now(UTC)
    outbox = SqlOutbox(f"sqlite:///{home}/history.sqlite", "dev")
    seen = Observation(SENSOR_SILENT, "silent", now, subject="s1")
    outbox.record([seen], routes(load_settings()), now)


@pytest.mark.usefixtures("set_up")
def test_each_channel_is_tested_and_shows_its_receipt(
    capsys: pytest.CaptureFixture[str], pagerduty: PagerDuty, relay: MailServer, heartbeat: Heartbeat
) -> None:
    found = told(capsys, 0, "test")
    sent = [(one["channel"], one["audience"], one["state"], one["why"]) for one in found["messages"]]
    assert sorted(sent) == [
        ("email", "business", "open", None),
        ("email", "developers", "open", None),
        ("heartbeat", "monitors", "open", None),
        ("pagerduty", "developers", "open", None),
        ("pagerduty", "developers", "resolved", None),
        ("slack", "developers", "open", None),
    ]
    assert found["ok"] is True
    assert all(one["receipt"] and one["delivered_at"] for one in found["messages"])
    assert pagerduty.open == set()
    assert ["DRILL" in mail["Subject"] for mail in relay.mails] == [True, True]
    assert heartbeat.paths == [f"{heartbeat.PATH}/log"]


@pytest.mark.usefixtures("set_up")
def test_one_channel_can_be_tested_alone_and_says_what_went_wrong(
    capsys: pytest.CaptureFixture[str], slack: Slack, relay: MailServer
) -> None:
    assert "Every channel took its test." in shown(capsys, 0, "test", "--channel", "slack")
    slack.orders.append(answer(500, FOREIGN.encode()))
    text = shown(capsys, 1, "test", "--channel", "slack")
    assert "NO: Slack answered 500" in text
    assert "1 of 1 messages are missing: slack did not take them." in text
    assert FOREIGN not in text
    assert relay.mails == []
    assert "is not set up" in shown(capsys, 2, "test", "--channel", "apprise")
    assert "Wanted: one of email, pagerduty" in shown(capsys, 2, "test", "--channel", "fax")


@pytest.mark.usefixtures("home")
def test_without_a_channel_there_is_nothing_to_prove(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("test", "drill"):
        assert "No alert channel is set up. Set ESG_SMTP_URL" in shown(capsys, 2, command)


@pytest.mark.usefixtures("set_up")
def test_a_drill_reaches_everybody_twice_and_its_receipts_are_kept(
    capsys: pytest.CaptureFixture[str], home: Path, pagerduty: PagerDuty, heartbeat: Heartbeat
) -> None:
    found = told(capsys, 0, "drill")
    sent = [(one["channel"], one["audience"], one["state"]) for one in found["messages"]]
    assert sorted(sent) == sorted((*who, state) for who in EVERYBODY for state in ("open", "resolved"))
    kept = SqlOutbox(f"sqlite:///{home}/history.sqlite", "dev").receipts(found["incident"])
    assert {one.receipt for one in kept} == {one["receipt"] for one in found["messages"]}
    assert (len(kept), pagerduty.open) == (10, set())
    assert set(heartbeat.paths) == {f"{heartbeat.PATH}/log"}  # it neither hides nor cries for a report


@pytest.mark.usefixtures("set_up")
def test_a_drill_fails_where_a_route_leads_to_a_channel_that_is_not_set_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESG_SLACK_WEBHOOK_URL")
    monkeypatch.setenv("ESG_ALERT_ROUTES", "ERROR: {developers: [slack]}")
    text = shown(capsys, 1, "drill")
    assert "But ESG_ALERT_ROUTES sends to developers by slack, which is not set up" in text


@pytest.mark.usefixtures("set_up")
def test_a_drill_that_is_not_acknowledged_fails_and_says_by_whom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, slack: Slack
) -> None:
    monkeypatch.setattr(alert_drill, "DRILL_SECONDS", 0.0)
    slack.orders.append(answer(500, b""))
    text = shown(capsys, 1, "drill")
    assert "2 of 10 messages are missing: slack did not acknowledge them." in text
    assert "NO: its opening was not acknowledged" in text


@pytest.mark.usefixtures("set_up")
def test_flush_delivers_what_waits_and_says_what_stays_behind(
    capsys: pytest.CaptureFixture[str], home: Path, slack: Slack, pagerduty: PagerDuty
) -> None:
    something_wrong(home)
    slack.orders.append(answer(500, b""))
    text = shown(capsys, 1, "flush")
    assert "Delivered: 2 by email, 1 by heartbeat, 1 by pagerduty." in text
    assert (
        "Not delivered: esg/dev/-/sensor_silent/s1 (open) by slack to developers: Slack answered 500" in text
    )
    assert "Still waiting: 1 by slack, the oldest since 20" in text
    assert pagerduty.open == {"esg/dev/-/sensor_silent/s1"}
    later = told(capsys, 1, "flush")
    assert later["waiting"]["pending"] == {"slack": 1}
    assert later["troubles"] == []
    found = told(capsys, 0, "flush", "--now")
    assert found["delivered"] == {"slack": 1}
    assert found["waiting"] == {"pending": {}, "oldest": None, "refused": {}}
    assert found["detected"]["runs"] == 0


@pytest.mark.usefixtures("set_up")
def test_flush_delivers_with_wrong_settings_too_and_names_them(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, slack: Slack
) -> None:
    something_wrong(home)
    monkeypatch.setenv("ESG_SMTP_URL", "hunter2")
    monkeypatch.setenv("ESG_API_RATE_LIMIT", "fast")
    text = shown(capsys, 1, "flush")
    assert "Wrong: ESG_SMTP_URL" in text
    assert "Wrong: ESG_API_RATE_LIMIT" in text
    assert "hunter2" not in text
    assert "Still waiting: 2 by email" in text
    assert len(slack.bodies) == 1


@pytest.mark.usefixtures("set_up")
def test_flush_delivers_although_nothing_can_be_looked_at(
    capsys: pytest.CaptureFixture[str], home: Path, slack: Slack
) -> None:
    something_wrong(home)
    (home / "dagster.yaml").write_text("no_such_key: 1\n", encoding="ascii")
    text = shown(capsys, 1, "flush")
    assert "Looked: at nothing." in text
    assert "Wrong: nothing was looked at: an unexpected Dagster" in text
    assert len(slack.bodies) == 1


@pytest.mark.usefixtures("set_up")
def test_what_waits_for_a_channel_that_was_taken_away_can_be_given_up(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    something_wrong(home)
    assert "is set up, so what waits for it is delivered" in shown(capsys, 2, "flush", "--give-up", "slack")
    monkeypatch.delenv("ESG_SLACK_WEBHOOK_URL")
    assert told(capsys, 1, "flush")["waiting"]["pending"] == {"slack": 1}
    found = told(capsys, 0, "flush", "--give-up", "slack")
    assert found["given_up"] == 1
    assert found["waiting"]["refused"] == {"slack": 1}
    line = "Never told: esg/dev/-/sensor_silent/s1 (open) by slack to developers, refused at 20"
    assert line in shown(capsys, 0, "flush")
