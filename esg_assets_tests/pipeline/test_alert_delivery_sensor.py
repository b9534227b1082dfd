"""The sensor that delivers: what it says in its tick, and that it ticks with wrong settings."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.alert_delivery import alert_delivery_sensor
from esg_assets.alert_resources import ALERTING
from esg_assets.core.alerts.routes import EMAIL, PAGERDUTY
from esg_assets.resources import SettingsResource
from esg_assets_tests.fake_channels import ScriptedChannel
from esg_assets_tests.fake_outbox import MemoryOutbox
from esg_assets_tests.pipeline.test_alert_delivery import DOWN, ROUTES, seen


def test_the_sensor_says_in_its_tick_what_it_delivered_and_what_waits() -> None:
    outbox = MemoryOutbox()
    outbox.record([seen(1)], ROUTES, datetime.now(UTC))
    resources = {
        "outbox": outbox,
        "channels": [ScriptedChannel(PAGERDUTY), ScriptedChannel(EMAIL, [DOWN])],
        "routes": ROUTES,
    }
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources=resources) as context,
    ):
        reason = alert_delivery_sensor(context)
    assert isinstance(reason, dg.SkipReason)
    assert reason.skip_message == (
        "delivered 1 by pagerduty; email did not take a message: the service answered 503; "
        "still waiting: 1 by email, 1 by slack"
    )
    assert alert_delivery_sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert alert_delivery_sensor.minimum_interval_seconds == 15


def test_the_sensor_ticks_with_wrong_settings_and_leaves_out_what_they_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("ESG_API_URL", "ftp://nowhere")
    monkeypatch.setenv("ESG_ALERT_EMAIL_DEV", "dev@example.org")
    monkeypatch.setenv("ESG_SMTP_URL", "smtp://127.0.0.1:1")  # and no ESG_ALERT_EMAIL_FROM
    monkeypatch.setenv("ESG_ALERT_ROUTES", "{ERROR: {nobody: [pigeon]}}")
    resources = {
        "settings": SettingsResource(),
        **{key: kind(settings=SettingsResource()) for key, kind in ALERTING.items()},
    }
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, resources=resources) as context,
    ):
        reason = alert_delivery_sensor(context)
    assert isinstance(reason, dg.SkipReason)
    assert reason.skip_message == "nothing was due"
