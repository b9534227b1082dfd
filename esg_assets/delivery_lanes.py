"""Lanes of a delivery: one thread for each channel, so that none waits for another.

A lane claims a message, hands it over, marks it, and goes on until nothing is due, the channel does
not take a message, or its time is up.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue

from esg_assets.core import exception_words
from esg_assets.core.alerts import backoff
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.ports import Channel, Outbox, PreparingChannel
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable, EsgError

LEASE_SECONDS = 60.0
_LONGEST_WHY = 500


@dataclass(frozen=True)
class Trouble:
    """A message that a channel did not take in this pass.

    Attributes:
        message: which.
        why: in our words.
        refused: whether it will never be taken; otherwise it is tried again.
        at: when.
    """

    message: Message
    why: str
    refused: bool
    at: datetime


@dataclass(frozen=True)
class Post:
    """What every lane of a pass shares; see `alert_delivery.deliver_due` for the meaning of each."""

    outbox: Outbox
    deliverer: str
    clock: Callable[[], datetime]
    early: bool
    jitter: Callable[[], float]
    channel_seconds: float

    def claim(self, channel: str) -> Message | None:
        """The next message for a channel, None if there is none."""
        return self.outbox.claim(
            self.deliverer, self.clock(), lease_seconds=LEASE_SECONDS, channels=(channel,), early=self.early
        )

    def not_taken(self, message: Message, error: Exception) -> Trouble:
        """Mark a message that was not taken."""
        now = self.clock()
        refused = isinstance(error, ChannelRefused)
        why = (str(error) if isinstance(error, EsgError) else _unexpected(error))[:_LONGEST_WHY]
        asked = error.retry_after_seconds if isinstance(error, ChannelUnavailable) else None
        again = None if refused else backoff.retry_at(now, message.attempts, self.jitter(), asked)
        self.outbox.failed(message, self.deliverer, now, why, again)
        return Trouble(message, why, refused, now)


class Lane:
    """One channel's part of a pass, in a thread of its own.

    Attributes:
        channel, name: which.
        accepted: messages that it acknowledged in time, each with when.
        troubles: messages that it did not take.
        failed: whether it is to be left alone for the rest of the pass.
        error: what stopped the lane although the channel did nothing wrong: the outbox.
    """

    def __init__(self, channel: Channel, post: Post, last_start: float) -> None:
        self.channel = channel
        self.name = channel.name
        self.accepted: list[tuple[Message, datetime]] = []
        self.troubles: list[Trouble] = []
        self.failed = False
        self.error: Exception | None = None
        self._post, self._last_start = post, last_start
        self._lock = threading.Lock()
        self._current: tuple[Message, float] | None = None
        self._abandoned = False

    def start(self, ended: "SimpleQueue[Lane]") -> None:
        """Begin; `ended` gets the lane when it is through."""

        def through() -> None:
            try:
                self._deliver_all()
            except Exception as error:  # noqa: BLE001 - raised again by the pass, in its own thread
                self.error = error
            finally:
                ended.put(self)

        # A thread that hangs in a channel must not keep the process alive.
        threading.Thread(target=through, name=f"deliver-{self.name}", daemon=True).start()

    def overdue(self) -> bool:
        """Whether the delivery that is under way takes too long."""
        current = self._current
        return current is not None and time.monotonic() > current[1] + self._post.channel_seconds

    def abandon(self) -> None:
        """Leave the lane alone; what it is at counts as not taken, unless it is acknowledged after all."""
        with self._lock:
            self._abandoned = self.failed = True
            current = self._current
        if current is not None:
            error = ChannelUnavailable(f"no answer within {self._post.channel_seconds:g} s")
            self.troubles.append(self._post.not_taken(current[0], error))

    def _deliver_all(self) -> None:
        while not self.failed and time.monotonic() <= self._last_start:
            message = self._post.claim(self.name)
            if message is None:
                return
            if not self._prepared(message):
                continue
            with self._lock:
                if self._abandoned:
                    return  # its lease runs out
                self._current = message, time.monotonic()
            self._deliver(message)
            self._current = None

    def _prepared(self, message: Message) -> bool:
        """Before its time begins. If the pass is over meanwhile, the lease runs out and the next goes on."""
        try:
            if isinstance(self.channel, PreparingChannel):
                self.channel.prepare(message)
        except Exception as error:  # noqa: BLE001 - one message must not keep back the others
            self._was_not_taken(message, error)
            return False
        return True

    def _deliver(self, message: Message) -> None:
        try:
            receipt = self.channel.deliver(message)
        except Exception as error:  # noqa: BLE001 - one message must not keep back the others
            with self._lock:
                if self._abandoned:
                    return  # marked already
                self._current = None
            self._was_not_taken(message, error)
        else:
            now = self._post.clock()
            self._post.outbox.delivered(message, self._post.deliverer, now, receipt)
            with self._lock:
                if not self._abandoned:
                    self.accepted.append((message, now))

    def _was_not_taken(self, message: Message, error: Exception) -> None:
        trouble = self._post.not_taken(message, error)
        self.troubles.append(trouble)
        self.failed = self.failed or not trouble.refused


def run(lanes: Sequence[Lane], until: float) -> None:
    """Run the lanes side by side; returns when each is through or abandoned."""
    ended: SimpleQueue[Lane] = SimpleQueue()
    for lane in lanes:
        lane.start(ended)
    running = list(lanes)
    while running:
        try:
            running.remove(ended.get(timeout=0.05))
        except Empty:
            over = time.monotonic() > until
            for lane in [lane for lane in running if over or lane.overdue()]:
                lane.abandon()
                running.remove(lane)
        except ValueError:
            continue  # it was abandoned, and is through after all


def _unexpected(error: Exception) -> str:
    """An error that nobody has seen to: its text may hold anything, so it is left out."""
    return f"an unexpected {type(error).__name__} at {exception_words.places(error.__traceback__)[-1]}"
