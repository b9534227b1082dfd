"""The outside of a trial of alerting: where messages go, and what it has seen of them.

As lists for many trials, and as real servers over TLS and SMTP.
"""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.adapters.notifiers.pagerduty import PagerDutyChannel
from esg_assets.adapters.notifiers.slack import SlackChannel
from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.ports import Channel
from esg_assets.core.alerts.routes import BUSINESS, DEVELOPERS, EMAIL, PAGERDUTY, SLACK
from esg_assets.core.alerts.wording import Places
from esg_assets.core.errors import ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import ROUTING_KEY, PagerDuty, Slack, served
from esg_assets_tests.notifiers.mail_servers import MailServer, mail_server
from esg_assets_tests.raw_server import answer
from esg_assets_tests.servers import free_ports
from esg_assets_tests.tls_servers import CA, pem_file

PLACES = Places("https://dagster.example.com", "", "https://docs.example.com/operations")
ADDRESSES = {DEVELOPERS: "dev@example.org", BUSINESS: "readers@example.org"}
HANGS_SECONDS = 0.05
FAULTS = ("refused", "500", "time-out", "answer lost")


class Outside(Protocol):
    """Where messages of one trial go, and what it has seen of them."""

    def deliver(self, message: Message, fault: str) -> str:
        """Hand the message to its channel while that has the fault, one of FAULTS or ""."""

    def forget(self) -> None:
        """As new."""

    @property
    def events(self) -> Sequence[tuple[str, str]]:
        """What PagerDuty took: action and dedup key."""

    @property
    def mails(self) -> Sequence[tuple[str, str]]:
        """Mails that were taken: Message-ID and address."""

    @property
    def slack_messages(self) -> int:
        """How many Slack took."""


class Recorded:
    """An outside of lists, for many trials."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.mails: list[tuple[str, str]] = []
        self.slack_messages = 0
        self._lock = threading.Lock()

    def deliver(self, message: Message, fault: str) -> str:
        if fault and fault != "answer lost":
            raise ChannelUnavailable(fault)
        with self._lock:
            if message.channel == PAGERDUTY:
                action = "resolve" if message.state is State.RESOLVED else "trigger"
                self.events.append((action, message.incident.key))
            elif message.channel == EMAIL:
                self.mails.append((message.identity, ADDRESSES[message.audience]))
            else:
                self.slack_messages += 1
        if fault:
            raise ChannelUnavailable(fault)
        return "taken"

    def forget(self) -> None:
        self.events.clear()
        self.mails.clear()
        self.slack_messages = 0


class Served:
    """Real servers over TLS and SMTP, and two addresses where nobody answers."""

    def __init__(self, pager: PagerDuty, slack: Slack, mail: MailServer, ca: Path, silent: int) -> None:
        self._pager, self._slack, self._mail, self._ca = pager, slack, mail, ca
        (closed,) = free_ports(1)
        self._good = self._channels()
        self._refused = self._channels(closed)
        self._hanging = self._channels(silent, HANGS_SECONDS)

    def deliver(self, message: Message, fault: str) -> str:
        if fault == "refused":
            return self._refused[message.channel].deliver(message)
        if fault == "time-out":
            return self._hanging[message.channel].deliver(message)
        if fault == "500":
            self._answer_badly(message.channel)
        receipt = self._good[message.channel].deliver(message)
        if fault == "answer lost":
            raise ChannelUnavailable("the connection broke before the answer came")
        return receipt

    def forget(self) -> None:
        self._pager.reset()
        self._slack.reset()
        for kept in (self._mail.mails, self._mail.recipients, self._mail.encrypted, self._mail.answers):
            kept.clear()

    @property
    def events(self) -> Sequence[tuple[str, str]]:
        return [(event["event_action"], event["dedup_key"]) for event in self._pager.events]

    @property
    def mails(self) -> Sequence[tuple[str, str]]:
        taken = zip(self._mail.mails, self._mail.recipients, strict=True)
        return [(mail["Message-ID"], address) for mail, addresses in taken for address in addresses]

    @property
    def slack_messages(self) -> int:
        return len(self._slack.bodies)

    def _channels(self, port: int | None = None, seconds: float = 4.5) -> dict[str, Channel]:
        """Every channel, by name; to that port instead of its server's, if it is given."""
        https = f"https://127.0.0.1:{port}"
        recipients = {who: [address] for who, address in ADDRESSES.items()}
        options: dict[str, Any] = {"places": PLACES, "ca": self._ca, "seconds": seconds}
        smtp = f"smtp://127.0.0.1:{port or self._mail.port}"
        return {
            PAGERDUTY: PagerDutyChannel(ROUTING_KEY, self._pager.url if port is None else https, **options),
            SLACK: SlackChannel(self._slack.url if port is None else f"{https}/services/x", **options),
            EMAIL: EmailChannel(smtp, sender="esg@example.org", recipients=recipients, **options),
        }

    def _answer_badly(self, channel: str) -> None:
        """The next request meets a server in trouble."""
        if channel == EMAIL:
            self._mail.answers.append("451 try again later")
        else:
            stub = self._pager if channel == PAGERDUTY else self._slack
            stub.orders.append(answer(500, b"{}"))


@contextlib.contextmanager
def real_servers() -> Iterator[Served]:
    """The servers, for the length of the block."""
    with (
        served(PagerDuty()) as pager,
        served(Slack()) as slack,
        mail_server() as mail,
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=512) as silent,  # nobody accepts there
    ):
        ca = pem_file(Path(folder) / "ca.pem", CA.cert_pem)
        yield Served(pager, slack, mail, ca, silent.getsockname()[1])
