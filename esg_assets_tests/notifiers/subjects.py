"""Each channel as the contract meets it: towards a service that works, is busy, refuses, or is elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esg_assets.adapters.notifiers.apprise import AppriseChannel
from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel
from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
from esg_assets.adapters.notifiers.slack import SlackChannel
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.ports import Channel
from esg_assets.core.alerts.routes import APPRISE, DEVELOPERS, EMAIL, HEARTBEAT, PAGERDUTY, SLACK
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.fake_channels import ScriptedChannel
from esg_assets_tests.notifiers.http_stubs import (
    FOREIGN,
    ROUTING_KEY,
    Heartbeat,
    JsonService,
    PagerDuty,
    Slack,
)
from esg_assets_tests.notifiers.mail_servers import MailServer
from esg_assets_tests.notifiers.material import PLACES
from esg_assets_tests.raw_server import answer

SECRETS = (
    ROUTING_KEY,
    Slack.PATH.rpartition("/")[2],
    Heartbeat.PATH.rpartition("/")[2],
    "PASSWORDOFTHETESTS",
)


@dataclass(frozen=True)
class Subject:
    """A channel under test.

    Attributes:
        channel: towards a service that works.
        orders: what the service answers next, raw.
        busy, refusing: such answers; None where the channel does not know the case.
        shown: what the service holds: an identity for each thing that it shows.
        towards: the same channel towards another port, with so many seconds.
    """

    channel: Channel
    orders: list[bytes] | list[str]
    busy: bytes | str
    refusing: bytes | str | None
    shown: Callable[[], list[str]]
    towards: Callable[[int, float], Channel]


def _email(relay: MailServer, ca: Path) -> Subject:
    def towards(port: int, seconds: float) -> Channel:
        return EmailChannel(
            f"smtp://relay:PASSWORDOFTHETESTS@127.0.0.1:{port}"
            if port != relay.port
            else f"smtp://127.0.0.1:{port}",
            sender="esg@example.com",
            recipients={DEVELOPERS: ["dev@example.com"]},
            places=PLACES,
            ca=ca,
            seconds=seconds,
        )

    return Subject(
        towards(relay.port, 5),
        relay.answers,
        f"451 4.3.0 {FOREIGN}",
        f"554 5.6.0 {FOREIGN}",
        lambda: [mail["Message-ID"] for mail in relay.mails],
        towards,
    )


def _pagerduty(stub: PagerDuty, ca: Path) -> Subject:
    def towards(port: int, seconds: float) -> Channel:
        return PagerDutyChannel(
            ROUTING_KEY, f"https://127.0.0.1:{port}/v2/enqueue", places=PLACES, ca=ca, seconds=seconds
        )

    refusing = b'{"status": "invalid event", "message": "%s", "errors": []}' % FOREIGN.encode()
    return Subject(
        towards(stub.server.port, 5),
        stub.orders,
        answer(429, FOREIGN.encode(), retry_after="17"),
        answer(400, refusing),
        lambda: sorted(stub.open),
        towards,
    )


def _slack(stub: Slack, ca: Path) -> Subject:
    def towards(port: int, seconds: float) -> Channel:
        return SlackChannel(f"https://127.0.0.1:{port}{Slack.PATH}", places=PLACES, ca=ca, seconds=seconds)

    return Subject(
        towards(stub.server.port, 5),
        stub.orders,
        answer(429, FOREIGN.encode(), retry_after="17"),
        answer(400, b"invalid_blocks"),
        lambda: [sent["text"] for sent in stub.messages],
        towards,
    )


def _heartbeat(stub: Heartbeat, ca: Path) -> Subject:
    def towards(port: int, seconds: float) -> Channel:
        return HeartbeatChannel(f"https://127.0.0.1:{port}{Heartbeat.PATH}", ca=ca, seconds=seconds)

    return Subject(
        towards(stub.server.port, 5),
        stub.orders,
        answer(429, FOREIGN.encode(), retry_after="17"),
        None,
        lambda: list(stub.paths),
        towards,
    )


def _apprise(stub: JsonService, ca: Path) -> Subject:
    def towards(port: int, seconds: float) -> Channel:
        url = f"jsons://user:PASSWORDOFTHETESTS@127.0.0.1:{port}/x"
        return AppriseChannel(url, places=PLACES, ca=ca, seconds=max(seconds, 1))

    return Subject(
        towards(stub.server.port, 15),
        stub.orders,
        answer(503, FOREIGN.encode()),
        None,
        lambda: [body.decode() for body in stub.bodies],
        towards,
    )


def _fake(_: object, __: Path) -> Subject:
    taken: list[str] = []
    orders: list[str] = []

    def script(one: Message) -> None:
        if not orders:
            taken.append(one.identity)
            return
        order = orders.pop(0)
        raise ChannelRefused("malformed") if order == "refuse" else ChannelUnavailable("busy", 17.0)

    def towards(port: int, seconds: float) -> Channel:
        def hang(_: Message) -> None:
            raise ChannelUnavailable("It did not answer.")

        return ScriptedChannel(PAGERDUTY, [hang])

    fake = ScriptedChannel(PAGERDUTY, always=script)
    return Subject(fake, orders, "busy", "refuse", lambda: taken, towards)


SUBJECTS: Mapping[str, tuple[str, Callable[[Any, Path], Subject]]] = {
    EMAIL: ("relay", _email),
    PAGERDUTY: ("pagerduty", _pagerduty),
    SLACK: ("slack", _slack),
    HEARTBEAT: ("heartbeat", _heartbeat),
    APPRISE: ("json_service", _apprise),
    "the fake": ("tmp_path", _fake),
}
