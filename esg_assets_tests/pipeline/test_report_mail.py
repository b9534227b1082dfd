"""From a run in Dagster to the readers' mail at a real server: both sensors, the outbox and SMTP."""

import logging
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from esg_assets import alert_choice, composition
from esg_assets.adapters.notifiers import chart_picture
from esg_assets.alert_delivery import alert_delivery_sensor, deliver_due, new_deliverer
from esg_assets.core.alerts.ports import Channel, Outbox
from esg_assets.core.alerts.routes import EMAIL, Routes
from esg_assets.core.ratings import Reply
from esg_assets.detection.sensor import alert_detection_sensor
from esg_assets_tests.notifiers.mail_servers import HOST, MailServer, mail_server
from esg_assets_tests.pipeline.house import DAY, Config, House, accounts

READERS = "readers@example.com"
WHY = {"esg/reason": "the provider mended its data", "esg/requested_by": "an analyst"}
ALL: Config = {"esg_ratings": {"refresh": "all"}}
COUNT = 40
A_MINUTE = timedelta(minutes=1)


@dataclass
class Office:
    """The house with its readers, and a history, an outbox and channels as settings make them."""

    house: House

    @property
    def outbox(self) -> Outbox:
        return alert_choice.outbox(self.house.settings)

    @property
    def channels(self) -> Sequence[Channel]:
        return alert_choice.channels(self.house.settings)

    @property
    def routes(self) -> Routes:
        return alert_choice.routes(self.house.settings)

    def run(
        self, failing: int = 0, tags: Mapping[str, str] | None = None, config: Config | None = None
    ) -> None:
        """A night on which the provider refuses so many accounts."""
        refused = {f"ACC-{n:05d}": [Reply(422)] for n in range(failing)}
        self.house.answers(refused)
        self.house.run(tags=tags, config=config)

    def tick(self) -> str:
        """Both sensors, as the daemon ticks them; gives what the delivery says."""
        resources = {
            "history": composition.history(self.house.settings),
            "settings": self.house.settings,
            "outbox": self.outbox,
            "channels": self.channels,
            "routes": self.routes,
        }
        with dg.build_sensor_context(instance=self.house.instance, resources=resources) as context:
            alert_detection_sensor(context)
            told = alert_delivery_sensor(context)
        assert isinstance(told, dg.SkipReason)
        return str(told.skip_message)

    def later(self, minutes: int) -> None:
        """A delivery after so many minutes."""
        now = datetime.now(UTC) + minutes * A_MINUTE
        deliver_due(self.outbox, self.channels, self.routes, new_deliverer(), lambda: now)


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def office(house: House, server: MailServer) -> Office:
    server.mails.clear()
    server.recipients.clear()
    house.source.rows = accounts(COUNT)
    house.source.past = {DAY - timedelta(days=1): house.source.rows}
    _set(house, server.port)
    house.overrides["history"] = composition.history(house.settings)
    return Office(house)


def _set(house: House, port: int) -> None:
    house.settings = house.settings.model_copy(
        update={
            "database_url": SecretStr(f"sqlite:///{house.home}/history.sqlite"),
            "smtp_url": SecretStr(f"smtp://{HOST}:{port}"),
            "alert_email_from": ["esg@example.com"],
            "alert_email_business": [READERS],
            "site_url": "https://esg.example.com",
        }
    )


def letters(server: MailServer) -> list[EmailMessage]:
    """Mails about reports, without those about alerts."""
    return [mail for mail in server.mails if " rated, " in str(mail["Subject"])]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_publication_is_told_once_and_its_correction_once_more(office: Office, server: MailServer) -> None:
    office.run()
    assert office.tick() == "delivered 1 by email"
    for _ in range(3):
        office.tick()
    (first,) = server.mails
    assert server.recipients == [(READERS,)]
    assert str(first["Subject"]).startswith(f"[ESG report dev] {DAY}: 100.0% rated, 0 failed, mean score ")
    assert text_of(first).startswith("COMPLETE: ESG report of 15 January 2026.")
    assert "This is the first report: there is none to compare it with." in text_of(first)
    assert f"https://esg.example.com/reports/{DAY}/index.html" in text_of(first)

    office.run(failing=1, tags=WHY, config=ALL)
    for _ in range(3):
        office.tick()
    _, second = letters(server)
    subject = str(second["Subject"])
    assert subject.startswith(f"[ESG report dev] WARNING CORRECTION {DAY}: 97.5% rated, 1 failed")
    assert second["References"] == first["Message-ID"]
    told = text_of(second)
    assert told.startswith("COMPLETE with a warning, a CORRECTION: ESG report of 15 January 2026, version 2.")
    assert "This corrects version 1. Why: the provider mended its data." in told
    assert "an analyst" not in told
    assert "40 -> 39" in told
    assert re.search(r"^Head of the chain, for auditors: \d+:[0-9a-f]{64}$", told, re.MULTILINE)
    for mail in letters(server):
        assert "ACC-" not in mail.as_string()
        assert "Müller" not in text_of(mail)


def test_a_run_that_publishes_nothing_new_tells_nobody(office: Office, server: MailServer) -> None:
    office.run()
    office.tick()
    office.run()
    office.tick()
    assert len(letters(server)) == 1


def test_a_partial_report_says_so_first_and_a_blocked_one_is_told_by_its_alert_alone(
    office: Office, server: MailServer
) -> None:
    office.run(failing=30)
    office.tick()
    assert office.house.published() is None
    assert letters(server) == []
    assert [str(mail["Subject"]) for mail in server.mails] == [
        f"[ESG report dev] ERROR: Scores of many accounts are missing, {DAY}"
    ]

    office.run(failing=4, config=ALL)
    office.tick()
    (partial,) = letters(server)
    assert str(partial["Subject"]).startswith(f"[ESG report dev] PARTIAL {DAY}: 90.0% rated, 4 failed")
    assert text_of(partial).startswith("PARTIAL: ESG report of 15 January 2026.")


def test_while_the_server_is_down_the_mail_waits_and_arrives_once_when_it_is_back(office: Office) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    _set(office.house, port)
    office.run()
    said = office.tick()
    assert "email did not take a message: The mail server cannot be reached" in said
    assert said.endswith("still waiting: 1 by email")

    with mail_server(port=port) as back:
        for minutes in (1, 2, 3):
            office.later(minutes)
    (mail,) = back.mails
    assert "100.0% rated" in str(mail["Subject"])
    assert office.outbox.waiting(datetime.now(UTC)).pending == {}


def test_a_deliverer_that_dies_after_handing_over_repeats_the_very_same_mail(
    office: Office, server: MailServer
) -> None:
    office.run()
    resources = {"history": composition.history(office.house.settings), "settings": office.house.settings}
    resources |= {"outbox": office.outbox, "routes": office.routes}
    with dg.build_sensor_context(instance=office.house.instance, resources=resources) as context:
        alert_detection_sensor(context)
    message = office.outbox.claim("dies", datetime.now(UTC), lease_seconds=60, channels=(EMAIL,))
    assert message is not None
    (mails,) = office.channels
    mails.deliver(message)

    office.later(0)
    assert len(server.mails) == 1, "its lease has not run out"
    office.later(2)
    first, repeat = server.mails
    assert first["Message-ID"] == repeat["Message-ID"]
    assert text_of(first) == text_of(repeat)


def test_a_chart_that_cannot_be_drawn_keeps_no_mail_back(
    office: Office, server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chart_picture._drawn.cache_clear()
    monkeypatch.setattr(chart_picture, "_PROGRAM", Path("/dev/null/nothing.py"))
    office.run()
    with caplog.at_level(logging.WARNING, "esg_assets"):
        assert office.tick() == "delivered 1 by email"
    (mail,) = server.mails
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    assert "goes out without it." in caplog.text
    (kept,) = office.outbox.receipts(f"esg/dev/{DAY}/report_ready/1")
    assert kept.receipt.endswith(", without its chart")


def test_without_addresses_of_readers_nothing_waits(office: Office, server: MailServer) -> None:
    office.house.settings = office.house.settings.model_copy(update={"alert_email_business": []})
    office.run()
    assert office.tick() == "nothing was due"
    assert server.mails == []
