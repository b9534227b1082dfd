"""A conversation with a channel: over verified TLS, with an end within five seconds, and of bounded size.

Libraries bound each wait for bytes, so that a server that sends one byte at a time keeps them for ever. Here
the TLS sockets themselves know when the conversation has to be over, and whoever waits for it leaves then.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from esg_assets.adapters.verified_tls import client_context
from esg_assets.core.errors import ChannelUnavailable

SECONDS = 4.5
"""For a whole conversation: below the five that the delivery gives a channel, so that it hears why."""

MOST_BYTES = 1 << 20
"""That are read of a server."""

NO_TLS = "no TLS connection could be agreed on (certificate or protocol); see ESG_ALERT_CA_BUNDLE"

_Answer = TypeVar("_Answer")


class Conversation:
    """One conversation, from its making on.

    Args:
        channel: as messages name it, such as "PagerDuty".
        ca: PEM file of authorities that are trusted besides the machine's (ESG_ALERT_CA_BUNDLE).
        seconds: how long it may take.
    """

    def __init__(self, channel: str, ca: Path | None = None, seconds: float = SECONDS) -> None:
        self._channel = channel
        self._ca = ca
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until its end, never less than a hundredth: for time-outs of libraries."""
        return max(self._end - time.monotonic(), 0.01)

    def context(self) -> ssl.SSLContext:
        """A context for verified TLS, whose sockets end with the conversation.

        Raises:
            SettingsWrong: ESG_ALERT_CA_BUNDLE cannot be read.
        """
        context = client_context("ESG_ALERT", self._ca)
        context.sslsocket_class = _ended_with(self)
        return context

    def plain(self, connection: socket.socket) -> socket.socket:
        """A plain connection that ends with the conversation; takes the given one over."""
        bounded = _bounded_plain(self)(fileno=connection.detach())
        bounded.settimeout(self.left)
        return bounded

    def shake_hands(self, url: str, *, setting: str) -> None:
        """Connect to where a URL leads, under TLS unless it is plain http; nothing is sent.

        Raises:
            ChannelUnavailable: it cannot be done; names `setting`.
        """
        parts = urlsplit(url)
        host, tls = parts.hostname or "", parts.scheme == "https"

        def shake() -> None:
            port = parts.port or (443 if tls else 80)
            with socket.create_connection((host, port), timeout=self.left) as connection:
                if tls:
                    self.context().wrap_socket(connection, server_hostname=host).close()

        try:
            self.hold(shake)
        except ssl.SSLError:
            raise ChannelUnavailable(f"{self._channel}: {NO_TLS}.") from None
        except (OSError, ValueError):
            raise ChannelUnavailable(f"{self._channel} cannot be reached; see {setting}.") from None

    def hold(self, call: Callable[[], _Answer]) -> _Answer:
        """What `call` returns or raises, if it does so in time; looking up a name counts too.

        A call that is not over in time is left to a thread, where its sockets end it.

        Raises:
            ChannelUnavailable: it did not end in time.
        """
        answers: list[_Answer] = []
        errors: list[BaseException] = []

        def held() -> None:
            try:
                answers.append(call())
            except BaseException as error:  # noqa: BLE001 - raised by whoever waits
                errors.append(error)

        thread = threading.Thread(target=held, name=f"alert to {self._channel}", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if errors:
            raise errors[0]
        if not answers:
            raise ChannelUnavailable(f"{self._channel} did not answer within {self._seconds:g} s.")
        return answers[0]


def is_about_tls(error: BaseException | None) -> bool:
    """Whether an error, or what it was caused by, is one of TLS."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


class _Meter:
    """Counts what a socket receives."""

    def __init__(self) -> None:
        self._received = 0

    def add(self, got: int) -> None:
        self._received += got
        if self._received > MOST_BYTES:
            raise TimeoutError("more than is wanted")


def _ended_with(conversation: Conversation) -> type[ssl.SSLSocket]:
    meter = _Meter()

    class Bounded(ssl.SSLSocket):
        """Its waits end with the conversation, and what it reads is counted."""

        def _hurry(self) -> None:
            before = self.gettimeout()
            self.settimeout(conversation.left if before is None else min(before, conversation.left))

        def do_handshake(self, block: bool = False) -> None:
            self._hurry()
            super().do_handshake(block)

        def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - the base class's name
            self._hurry()
            got: Any = super().read(len, buffer)
            meter.add(got if isinstance(got, int) else memoryview(got).nbytes)
            return got

    return Bounded


def _bounded_plain(conversation: Conversation) -> type[socket.socket]:
    meter = _Meter()

    class Bounded(socket.socket):
        """As above, for what reads it through `makefile`."""

        def recv_into(self, *arguments: Any, **more: Any) -> int:
            self.settimeout(conversation.left)
            got = super().recv_into(*arguments, **more)
            meter.add(got)
            return got

    return Bounded
