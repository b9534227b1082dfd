"""Which channels settings give, who can be told over them, and what the doctor says of that."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets import alert_choice
from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.cli.channel_checks import channels_answer
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.alerts.routes import (
    BUSINESS,
    CHANNELS,
    DEFAULT,
    DEVELOPERS,
    MONITORS,
    Target,
    parse_routes,
)
from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import Settings, load_settings
from esg_assets_tests.notifiers.http_stubs import ROUTING_KEY, Heartbeat, PagerDuty, Slack
from esg_assets_tests.notifiers.mail_servers import MailServer
from esg_assets_tests.notifiers.material import message

MAIL = {
    "ESG_SMTP_URL": "smtps://relay:hunter22@mail.example.com",
    "ESG_ALERT_EMAIL_FROM": "esg@example.com",
    "ESG_ALERT_EMAIL_DEV": "dev@example.com",
    "ESG_ALERT_EMAIL_BUSINESS": "desk@example.com,risk@example.com",
}
ALL = MAIL | {
    "ESG_PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
    "ESG_SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/WEBHOOKTOKENOFTHETESTS",
    "ESG_APPRISE_URLS": "jsons://127.0.0.1/x",
    "ESG_HEARTBEAT_URL": "https://hc.example.com/ping/1",
}


def settings(**variables: str) -> Settings:
    return load_settings(environ=variables, dotenv=None, tolerant=True)


@pytest.fixture
def everything(
    relay: MailServer, pagerduty: PagerDuty, slack: Slack, heartbeat: Heartbeat, ca: Path
) -> dict[str, str]:
    """Settings of channels to servers on loopback."""
    return {
        **MAIL,
        "ESG_SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
        "ESG_PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
        "ESG_PAGERDUTY_URL": pagerduty.url,
        "ESG_SLACK_WEBHOOK_URL": slack.url,
        "ESG_HEARTBEAT_URL": heartbeat.url,
        "ESG_ALERT_CA_BUNDLE": str(ca),
    }


def test_without_settings_nobody_is_told() -> None:
    assert list(alert_choice.channels(settings())) == []
    assert alert_choice.routes(settings()).targets(Severity.ERROR) == []


def test_with_every_setting_the_default_table_is_in_force() -> None:
    full = settings(**ALL)

    assert [channel.name for channel in alert_choice.channels(full)] == list(CHANNELS)
    for severity, audiences in DEFAULT.items():
        wanted = [Target(name, who) for who, names in audiences.items() for name in names]
        assert alert_choice.routes(full).targets(severity) == wanted


def test_an_audience_without_an_address_gets_no_mail() -> None:
    some = settings(**{name: value for name, value in MAIL.items() if name != "ESG_ALERT_EMAIL_BUSINESS"})

    assert alert_choice.routes(some).targets(Severity.ERROR) == [Target("email", DEVELOPERS)]


def test_routes_of_the_setting_replace_what_they_name_and_nothing_else() -> None:
    chosen = alert_choice.routes(
        settings(**ALL, ESG_ALERT_ROUTES="WARN: {business: [email], developers: []}")
    )

    assert chosen.targets(Severity.WARN) == [Target("email", BUSINESS)]
    assert Target("pagerduty", DEVELOPERS) in chosen.targets(Severity.ERROR)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("FATAL: {developers: [email]}", "names the severity 'FATAL'"),
        ("ERROR: {managers: [email]}", "names the audience 'managers'"),
        ("ERROR: {business: [telegraph]}", "names the channel 'telegraph'"),
        ("ERROR: [email]", "severity: {audience: [channel, …]}"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_those_there_are(table: str, told: str) -> None:
    (fault,) = settings(ESG_ALERT_ROUTES=table).faults

    assert fault.setting == "ESG_ALERT_ROUTES"
    assert told in fault.text
    if "names" in told:
        assert "developers, business, monitors" in fault.text


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("smtp://relay:hunter22@mail.example.com", "smtp+starttls:// or smtps:// for a login"),
        ("smtps://relay@mail.example.com", "both user and password in it, or none"),
    ],
)
def test_a_password_that_could_be_read_on_the_way_or_half_a_login_is_refused(url: str, told: str) -> None:
    (fault,) = settings(**MAIL | {"ESG_SMTP_URL": url}).faults

    assert told in fault.text
    assert "hunter22" not in fault.text


def test_a_mail_server_without_a_sender_and_plain_mail_in_prod_are_refused() -> None:
    assert "ESG_ALERT_EMAIL_FROM" in {
        fault.setting for fault in settings(ESG_SMTP_URL=MAIL["ESG_SMTP_URL"]).faults
    }
    plain = settings(**MAIL | {"ESG_SMTP_URL": "smtp://mail.example.com", "ESG_ENV": "prod"})
    assert "ESG_SMTP_URL" in {fault.setting for fault in plain.faults}


def test_the_doctor_looks_at_every_channel_and_sends_nothing(
    everything: dict[str, str], relay: MailServer, pagerduty: PagerDuty, slack: Slack, heartbeat: Heartbeat
) -> None:
    found = list(channels_answer(settings(**everything)))

    assert [finding.state for finding in found] == ["ok"] * 4
    assert found[0].text == "email: the mail server takes mail without a login for 3 addresses"
    assert (relay.mails, pagerduty.bodies, slack.bodies, heartbeat.bodies) == ([], [], [], [])


def test_the_doctor_says_of_a_channel_that_does_not_answer_what_to_look_at(
    everything: dict[str, str],
) -> None:
    del everything["ESG_ALERT_CA_BUNDLE"]
    found = list(channels_answer(settings(**everything)))

    assert [finding.state for finding in found] == ["ok", "wrong", "wrong", "wrong"]
    assert all("ESG_ALERT_CA_BUNDLE" in finding.text for finding in found[1:])
    assert "WEBHOOKTOKEN" not in str(found)


def test_a_route_to_a_channel_that_is_not_set_up_is_warned_about() -> None:
    named = settings(**MAIL, ESG_ALERT_ROUTES="ERROR: {business: [slack]}")

    assert list(alert_choice.gaps(named)) == [
        "ESG_ALERT_ROUTES sends to business by slack, which is not set up; see ESG_SLACK_WEBHOOK_URL"
    ]


def test_prod_is_warned_when_nobody_would_be_told_and_when_nobody_outside_watches() -> None:
    bare = " ".join(alert_choice.gaps(settings(ESG_ENV="prod")))

    assert "no channel tells the developers" in bare
    assert "no channel tells the readers" in bare
    assert "set ESG_HEARTBEAT_URL" in bare
    assert list(alert_choice.gaps(settings(**ALL, ESG_ENV="prod"))) == []
    assert list(alert_choice.gaps(settings())) == []


def test_messages_lead_to_the_places_of_the_settings(relay: MailServer, everything: dict[str, str]) -> None:
    linked = settings(
        **everything, ESG_DAGSTER_URL="https://dag.example.com/", ESG_RUNBOOK_URL="https://r.example.com"
    )
    mail = next(channel for channel in alert_choice.channels(linked) if isinstance(channel, EmailChannel))
    mail.deliver(message(State.OPEN))

    assert "https://dag.example.com/runs/" in str(relay.mails[0])
    assert "https://r.example.com#run-failed" in str(relay.mails[0])


def _documented() -> Iterator[tuple[str, str, list[str]]]:
    text = Path(__file__).parents[2].joinpath("docs", "operations.md").read_text("utf-8")
    table = text.partition("<!-- routes:begin -->")[2].partition("<!-- routes:end -->")[0]
    for line in table.strip().splitlines()[2:]:
        severity, audience, channels = (cell.strip() for cell in line.strip("|").split("|"))
        yield severity, audience, re.findall(r"[a-z]+", channels)


def test_the_documented_table_is_the_default_one() -> None:
    wanted = [
        (severity.value, who, list(names))
        for severity, each in DEFAULT.items()
        for who, names in each.items()
    ]

    assert list(_documented()) == wanted


def test_what_the_table_of_the_documents_says_can_be_set() -> None:
    written: dict[str, dict[str, list[str]]] = {}
    for severity, audience, channels in _documented():
        written.setdefault(severity, {})[audience] = channels

    assert parse_routes(written) == {
        severity: {who: list(names) for who, names in each.items()} for severity, each in DEFAULT.items()
    }
    with pytest.raises(SettingsWrong):
        parse_routes({"ERROR": {MONITORS: ["pigeon"]}})
