"""Mail in conversations with real SMTP servers."""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import DRILL, FORECAST_LATE
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.notifiers.mail_servers import HOST, MailServer, mail_server
from esg_assets_tests.notifiers.material import AT, PLACES, message
from esg_assets_tests.raw_server import RawServer, raw_server, sends
from esg_assets_tests.tls_servers import BAD_SERVERS, server_context

LOGIN = ("relay-user", "p@ss word/ä")
URL_LOGIN = "relay-user:p%40ss%20word%2F%C3%A4"
DEV = ("one@example.com", "two@example.com")


def channel(
    port: int, *, scheme: str = "smtp", login: str = "", ca: Path | None = None, seconds: float = 5
) -> EmailChannel:
    return EmailChannel(
        f"{scheme}://{login + '@' if login else ''}{HOST}:{port}",
        sender="esg@example.com",
        recipients={DEVELOPERS: DEV, BUSINESS: ("readers@example.com",)},
        places=PLACES,
        ca=ca,
        seconds=seconds,
    )


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_a_plain_relay_gets_text_and_html_for_every_address_of_the_audience(relay: MailServer) -> None:
    receipt = channel(relay.port).deliver(message())

    assert receipt.startswith("250, 2 of 2 addresses, message ")
    assert relay.recipients == [DEV]
    (mail,) = relay.mails
    assert mail["To"] == "one@example.com, two@example.com"
    assert mail["From"] == "ESG report prod <esg@example.com>"
    assert mail["Subject"] == "[ESG report prod] ERROR: Run failed, 2026-11-24"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    assert parsedate_to_datetime(mail["Date"]) == message().queued_at
    assert mail.get_content_type() == "multipart/alternative"
    text, html = parts(mail)
    for each in (text, html):
        assert "no good answer for 1,800 s (ESG_API_OUTAGE_SECONDS)" in each
        assert "esg-assets run --date 2026-11-24" in each
        assert "https://docs.example.com/operations#run-failed" in each
    assert 'style="' in html
    assert "http-equiv" not in html
    assert "<script" not in html
    assert "src=" not in html
    assert len(html) < 100_000, "Gmail cuts longer ones"


def test_business_gets_its_own_words_at_its_own_address(relay: MailServer) -> None:
    channel(relay.port).deliver(message(audience=BUSINESS))

    assert relay.recipients == [("readers@example.com",)]
    text, html = parts(relay.mails[0])
    for each in (text, html):
        assert "There is no report of 24 November 2026 yet." in each
        assert "esg-assets" not in each
        assert "dagster" not in each


def test_an_audience_without_an_address_is_not_told_and_says_so(relay: MailServer) -> None:
    with pytest.raises(ChannelUnavailable, match="No mail address is set for monitors"):
        channel(relay.port).deliver(message(audience="monitors"))
    assert relay.mails == []


def test_open_worse_and_resolved_of_one_incident_form_a_thread(relay: MailServer) -> None:
    one = channel(relay.port)
    for state in State:
        one.deliver(message(state))

    opened, worse, resolved = relay.mails
    assert opened["References"] is None
    assert worse["References"] == worse["In-Reply-To"] == opened["Message-ID"]
    assert resolved["References"] == opened["Message-ID"]
    assert len({mail["Message-ID"] for mail in relay.mails}) == 3
    assert opened["Message-ID"].endswith("@example.com>")
    assert "esg/prod" not in opened["Message-ID"]


def test_a_repeat_is_the_same_mail_to_the_byte_but_for_the_boundary(relay: MailServer) -> None:
    for _ in range(2):
        channel(relay.port).deliver(message())

    first, second = (mail.as_bytes().replace(mail.get_boundary("").encode(), b"=") for mail in relay.mails)
    assert first == second


def test_a_warning_is_not_marked_as_important_and_a_drill_says_so_first(relay: MailServer) -> None:
    channel(relay.port).deliver(message(kind=FORECAST_LATE))
    channel(relay.port).deliver(message(kind=DRILL))

    warning, drill = relay.mails
    assert warning["Importance"] is None
    assert drill["Subject"] == "[ESG report prod] DRILL: nothing is wrong, and nobody has to act"
    assert parts(drill)[0].startswith("DRILL: nothing is wrong, and nobody has to act.")


def test_text_of_ours_is_no_html(relay: MailServer) -> None:
    channel(relay.port).deliver(message(facts={"note": "a <b> & </td> \" '"}))

    assert "a &lt;b&gt; &amp; &lt;/td&gt;" in parts(relay.mails[0])[1]


def test_starttls_with_a_login(ca: Path) -> None:
    with mail_server(starttls=server_context(), login=LOGIN) as server:
        receipt = channel(server.port, scheme="smtp+starttls", login=URL_LOGIN, ca=ca).deliver(message())

    assert receipt.startswith("250")
    assert server.logins == [LOGIN]
    assert server.encrypted == ["TLSv1.3"]


def test_tls_from_the_first_byte_without_a_login(ca: Path) -> None:
    with mail_server(tls=server_context()) as server:
        channel(server.port, scheme="smtps", ca=ca).deliver(message())

    assert len(server.mails) == 1


def test_a_wrong_password_is_tried_again_later_and_not_told(
    ca: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        mail_server(starttls=server_context(), login=LOGIN) as server,
        pytest.raises(ChannelUnavailable, match=r"refuses the login \(535\); see ESG_SMTP_URL") as caught,
    ):
        channel(server.port, scheme="smtp+starttls", login="relay-user:hunter22", ca=ca).deliver(message())
    assert server.mails == []
    assert "hunter22" not in str(caught.value)


def test_a_server_without_starttls_gets_neither_mail_nor_password(relay: MailServer, ca: Path) -> None:
    with pytest.raises(ChannelUnavailable, match="does not offer what ESG_SMTP_URL wants"):
        channel(relay.port, scheme="smtp+starttls", login=URL_LOGIN, ca=ca).deliver(message())
    assert relay.mails == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("bad", [name for name in BAD_SERVERS if name != "wants a client certificate"])
def test_a_server_that_cannot_prove_who_it_is_gets_nothing(scheme: str, bad: str, ca: Path) -> None:
    context = BAD_SERVERS[bad]()
    with _impostor(scheme, context) as server:
        with pytest.raises(
            ChannelUnavailable, match=r"no TLS connection could be agreed on|cannot be reached"
        ):
            channel(server.port, scheme=scheme, login=URL_LOGIN, ca=ca).deliver(message())
        if isinstance(server, MailServer):
            assert server.mails == []
            assert server.logins == []


def _impostor(
    scheme: str, context: ssl.SSLContext
) -> contextlib.AbstractContextManager[MailServer | RawServer]:
    if scheme == "smtps":
        return raw_server(sends(b"220 hello\r\n"), context)
    return mail_server(starttls=context, login=LOGIN)


@pytest.mark.parametrize(
    "answer", ["451 4.3.0 SECRET-FOREIGN-TEXT", "550 SECRET-FOREIGN-TEXT", "550 5.7.60 SECRET"]
)
def test_a_mail_that_may_be_taken_later_is_kept(relay: MailServer, answer: str) -> None:
    relay.answers.append(answer)
    with pytest.raises(ChannelUnavailable, match=rf"does not take the mail \({answer[:3]}\)") as caught:
        channel(relay.port).deliver(message())
    assert "SECRET" not in str(caught.value)

    channel(relay.port).deliver(message())
    assert len(relay.mails) == 1


@pytest.mark.parametrize("answer", ["554 5.6.0 SECRET-FOREIGN-TEXT", "552 5.3.4 too big"])
def test_a_mail_that_the_server_calls_malformed_is_given_up(relay: MailServer, answer: str) -> None:
    relay.answers.append(answer)
    with pytest.raises(ChannelRefused, match="malformed") as caught:
        channel(relay.port).deliver(message())
    assert "SECRET" not in str(caught.value)


def test_a_wrong_address_beside_a_right_one_stands_in_the_receipt(relay: MailServer) -> None:
    relay.refused[DEV[1]] = "550 5.1.1 no such user"

    assert channel(relay.port).deliver(message()).startswith("250, 1 of 2 addresses")
    assert relay.recipients == [(DEV[0],)]


def test_wrong_addresses_alone_and_a_wrong_sender_are_tried_again_when_settings_are_right(
    relay: MailServer,
) -> None:
    relay.refused = dict.fromkeys(DEV, "550 5.1.1 no such user SECRET")
    with pytest.raises(ChannelUnavailable, match=r"refuses every address \(550\); see ESG_ALERT_EMAIL_DEV"):
        channel(relay.port).deliver(message())
    relay.sender_answer = "553 5.7.1 SECRET"
    with pytest.raises(ChannelUnavailable, match=r"refuses the sender \(553\); see ESG_ALERT_EMAIL_FROM"):
        channel(relay.port).deliver(message())


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with raw_server(lambda connection, _: None) as server:
        began = time.monotonic()
        with pytest.raises(ChannelUnavailable, match=r"did not answer within 0\.5 s|cannot be reached"):
            channel(server.port, seconds=0.5).deliver(message())
        assert time.monotonic() - began < 1.5


def test_a_greeting_without_end_is_not_read_to_its_end() -> None:
    listener = socket.create_server((HOST, 0))
    broken_off = threading.Event()

    def greet() -> None:
        connection, _ = listener.accept()
        try:
            while True:
                connection.sendall(b"220-hello\r\n" * 1000)
        except OSError:
            broken_off.set()
        finally:
            connection.close()

    greeter = threading.Thread(target=greet)
    greeter.start()
    with listener, pytest.raises(ChannelUnavailable, match="cannot be reached, or broke off"):
        channel(listener.getsockname()[1]).deliver(message())
    assert broken_off.wait(5)
    greeter.join(5)


def test_a_server_that_is_slow_to_say_goodbye_has_the_mail_all_the_same(
    relay: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(smtp: SMTP, arg: str) -> None:
        await asyncio.sleep(3)

    monkeypatch.setattr(SMTP, "smtp_QUIT", slow)
    began = time.monotonic()
    channel(relay.port, seconds=2).deliver(message())

    assert time.monotonic() - began < 1.5
    assert len(relay.mails) == 1


def test_a_look_tries_login_sender_and_addresses_and_sends_nothing(relay: MailServer, ca: Path) -> None:
    assert channel(relay.port).look() == "the mail server takes mail without a login for 3 addresses"
    relay.refused["readers@example.com"] = "550 no"
    with pytest.raises(ChannelUnavailable, match=r"refuses 1 of 3 addresses \(550\)"):
        channel(relay.port).look()
    relay.sender_answer = "553 no"
    with pytest.raises(ChannelUnavailable, match=r"refuses ESG_ALERT_EMAIL_FROM \(553\)"):
        channel(relay.port).look()
    assert relay.mails == []


def test_dates_are_of_the_queueing_in_central_time(relay: MailServer) -> None:
    channel(relay.port).deliver(message())

    assert relay.mails[0]["Date"] == "Tue, 24 Nov 2026 05:07:20 -0600"
    assert AT.hour == 11
