"""One suite for the port `Channel`: every adapter against a real conversation, and the fake.

What each channel says and to whom is in the tests of each; here is what the delivery may rely on.
"""

import contextlib
import logging
import socket
import time
import traceback
from pathlib import Path

import pytest

from esg_assets.adapters.logs import install
from esg_assets.adapters.notifiers import bounds
from esg_assets.alert_delivery import CHANNEL_SECONDS
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.kinds import DRILL, PUBLISHED
from esg_assets.core.alerts.routes import APPRISE, CHANNELS, EMAIL, HEARTBEAT, MONITORS
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import FOREIGN
from esg_assets_tests.notifiers.material import message
from esg_assets_tests.notifiers.subjects import SECRETS, SUBJECTS, Subject
from esg_assets_tests.raw_server import Talk, raw_server
from esg_assets_tests.tls_servers import server_context


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, ca: Path) -> Subject:
    server, made = SUBJECTS[request.param]
    return made(request.getfixturevalue(server), ca)


def an_alert(subject: Subject) -> Message:
    """A message that this channel has something to tell of."""
    if subject.channel.name == HEARTBEAT:
        return message(kind=PUBLISHED, audience=MONITORS, channel=HEARTBEAT, facts={"published": 1})
    return message(channel=subject.channel.name)


def test_every_channel_of_the_routes_is_here() -> None:
    assert set(SUBJECTS) >= set(CHANNELS)


def test_what_a_channel_takes_is_shown_and_has_a_receipt(subject: Subject) -> None:
    receipt = subject.channel.deliver(an_alert(subject))

    assert receipt
    assert len(subject.shown()) == 1
    assert subject.channel.name in CHANNELS


def test_a_repeat_has_the_same_identity_and_another_message_has_another(subject: Subject) -> None:
    for _ in range(2):
        subject.channel.deliver(an_alert(subject))

    assert len(set(subject.shown())) == 1
    if subject.channel.name not in {HEARTBEAT, APPRISE}:  # one has no identity, the other costs a process
        subject.channel.deliver(
            message(channel=subject.channel.name, key="esg/prod/-/drill", kind=DRILL, date=None)
        )
        assert len(set(subject.shown())) == 2


def test_a_busy_channel_takes_the_same_message_later(subject: Subject) -> None:
    subject.orders.append(subject.busy)  # type: ignore[arg-type] # each subject's own kind
    with pytest.raises(ChannelUnavailable) as caught:
        subject.channel.deliver(an_alert(subject))
    if b"retry-after" in str(subject.busy).lower().encode():
        assert caught.value.retry_after_seconds == 17

    subject.channel.deliver(an_alert(subject))
    assert len(subject.shown()) >= 1


def test_a_message_that_a_channel_calls_malformed_is_refused_for_good(subject: Subject) -> None:
    if subject.refusing is None:
        # Apprise does not say why, and a ping has nothing that could be malformed.
        assert subject.channel.name in {APPRISE, HEARTBEAT}
        return
    subject.orders.append(subject.refusing)  # type: ignore[arg-type] # as above
    with pytest.raises(ChannelRefused):
        subject.channel.deliver(an_alert(subject))


def _says_nothing(connection: socket.socket, _: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.recv(1)


def _drips(connection: socket.socket, _: bytes) -> None:
    """Sends a byte now and then, for much longer than anybody waits; each arrives in time for itself."""
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
        for _time in range(60):
            connection.sendall(b"y")
            time.sleep(0.05)


@pytest.mark.parametrize("talk", [_says_nothing, _drips])
def test_a_service_that_hangs_or_drips_is_left_in_time(talk: Talk, subject: Subject) -> None:
    tls = None if subject.channel.name == EMAIL else server_context()
    with raw_server(talk, tls) as server:
        began = time.monotonic()
        with pytest.raises(ChannelUnavailable):
            subject.towards(server.port, 0.5).deliver(an_alert(subject))
        assert time.monotonic() - began < 2


def test_a_service_that_is_not_there_is_unavailable(subject: Subject) -> None:
    with pytest.raises(ChannelUnavailable):
        subject.towards(9, 2).deliver(an_alert(subject))


def test_a_delivery_ends_before_the_five_seconds_that_the_sensor_gives_it() -> None:
    assert bounds.SECONDS < CHANNEL_SECONDS == 5


@pytest.mark.parametrize("fault", ["busy", "refusing", "gone"])
def test_nothing_of_urls_keys_or_foreign_texts_is_told_or_logged(
    fault: str, subject: Subject, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    order = {"busy": subject.busy, "refusing": subject.refusing}.get(fault)
    if order is None and fault != "gone":
        return  # not every channel knows a refusal, see above
    install()
    caplog.set_level(logging.DEBUG)
    channel = subject.towards(9, 2) if fault == "gone" else subject.channel
    if order is not None:
        subject.orders.append(order)  # type: ignore[arg-type] # as above
    told = ""
    try:
        told = channel.deliver(an_alert(subject))
    except (ChannelUnavailable, ChannelRefused) as error:
        told = "".join(traceback.format_exception(error))

    printed = capfd.readouterr()
    for text in (told, caplog.text, printed.out, printed.err):
        for secret in (*SECRETS, FOREIGN, "://127.0.0.1"):
            assert secret not in text
