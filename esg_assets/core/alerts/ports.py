"""The ports of alerting: the outbox that keeps what is to be told, and the channels that tell it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from esg_assets.core.alerts.incidents import Incident, Message, Observation, Recovery
from esg_assets.core.alerts.routes import Routes

if TYPE_CHECKING:
    from esg_assets.core.report_mail import ReportMail  # whoever only counts messages need not load figures


@dataclass(frozen=True)
class Waiting:
    """What the outbox holds that no channel has acknowledged yet.

    Attributes:
        pending: messages by channel.
        oldest: when the oldest of them was queued; None if there is none.
        refused: messages that a channel refused for good, by channel, of the last seven days.
    """

    pending: Mapping[str, int] = field(default_factory=dict)
    oldest: datetime | None = None
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What a channel acknowledged."""

    message: Message
    delivered_at: datetime
    receipt: str


@dataclass(frozen=True)
class Refusal:
    """A message that is never sent, and why, in our words."""

    message: Message
    refused_at: datetime
    why: str


class Outbox(Protocol):
    """Incidents and the messages about them, in the database; safe for many processes.

    Raises StoreUnavailable when the database does not answer or is full, on every method.
    """

    def record(
        self, seen: Sequence[Observation | Recovery], routes: Routes, now: datetime
    ) -> Sequence[Incident]:
        """Apply what was seen (`ledger`), oldest first, and queue the messages: all of it or nothing.

        Evidence that was recorded before counts for nothing, and a recovery also counts for what is
        recorded later but happened before it. Who is told what is decided by `recording`; nothing more
        is queued where the opening was refused for good.

        Returns the incidents that changed, as they are now.
        """

    def open_incidents(self) -> Sequence[Incident]:
        """Every incident that is open, oldest first."""

    def incidents_since(self, moment: datetime) -> Sequence[Incident]:
        """Incidents that were opened since, open or not, oldest first."""

    def claim(
        self,
        deliverer: str,
        now: datetime,
        *,
        lease_seconds: float,
        channels: Collection[str],
        early: bool = False,
    ) -> Message | None:
        """One message that is due, for this deliverer alone until the lease ends; None if none is due.

        The one that has been due for longest comes first. Messages of one incident to one target go in
        order: the end is not told before the opening was acknowledged, and not at all if the opening
        was refused for good. Messages of the heartbeat all go in order.

        Args:
            deliverer: names who delivers.
            now: messages whose time has come are due, and those whose lease has run out.
            lease_seconds: longer than a channel may take.
            channels: only messages for these.
            early: those too that wait for their next try; a lease is respected all the same.
        """

    def delivered(self, message: Message, deliverer: str, now: datetime, receipt: str) -> None:
        """The channel acknowledged it; it is never sent again, whoever has claimed it meanwhile."""

    def failed(
        self, message: Message, deliverer: str, now: datetime, why: str, retry_at: datetime | None
    ) -> None:
        """The channel did not take it: try again at `retry_at`, or never if that is None.

        Nothing changes if the lease has run out and another deliverer has claimed the message, or if it
        was acknowledged. With an opening that is refused for good, what follows it on that target is not
        told either.

        `why` is a fixed word or sentence of ours, never the channel's text.
        """

    def waiting(self, now: datetime) -> Waiting:
        """What is not delivered yet, claimed or not."""

    def pending(self, key: str) -> Sequence[Message]:
        """Messages of the incident of that key that no channel has acknowledged or refused, oldest first."""

    def receipts(self, key: str) -> Sequence[Receipt]:
        """What channels acknowledged of the incident of that key, oldest first."""

    def refusals(self, since: datetime) -> Sequence[Refusal]:
        """What was refused for good since then, oldest first."""

    def bookmark(self, name: str) -> str:
        """A text that was kept under that name, "" if none."""

    def keep_bookmark(self, name: str, value: str) -> None:
        """Keep a text: how far a detector has looked."""


class Channel(Protocol):
    """One way to tell somebody."""

    @property
    def name(self) -> str:
        """One of `routes.CHANNELS`."""

    def deliver(self, message: Message) -> str:
        """Hand the message over, within five seconds; returns the channel's receipt (an id, a status).

        A repeat of a message must not show twice where the channel can tell (dedup key, Message-ID).

        Raises:
            ChannelUnavailable: not taken; later it may be.
            ChannelRefused: this message will never be taken.
        """


@runtime_checkable
class PreparingChannel(Channel, Protocol):
    """A channel that has something to make before it can talk to anybody."""

    def prepare(self, message: Message) -> None:
        """Make what the delivery of the message needs; its time has not begun yet.

        Raises what `deliver` raises.
        """


@dataclass(frozen=True)
class Letter:
    """The mail about a publication, made.

    Attributes:
        mail: its words and figures.
        picture: the chart as PNG; None where there is none, or where it could not be drawn.
        earlier: identities (`Message.identity`) of the mails about earlier versions, oldest first.
    """

    mail: "ReportMail"
    picture: bytes | None
    earlier: Sequence[str] = ()


class Letters(Protocol):
    """Makes the mail about a publication when it is to be sent: the outbox has no figures and no picture."""

    def letter(self, message: Message) -> Letter | None:
        """The letter of a message about a version that is ready; None if that version stands no more.

        Raises:
            StoreUnavailable: the history does not answer.
        """
