"""Mail: over SMTP, with STARTTLS, with TLS from the first byte, or plain to a relay; with or without a login.

How a mail looks is `mail_body`'s; what it says is `esg_assets.core.alerts.wording`'s.
"""

import base64
import smtplib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from esg_assets.adapters.notifiers.bounds import NO_TLS, SECONDS, Conversation, is_about_tls
from esg_assets.adapters.notifiers.mail_body import letter_of, mail_of
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.kinds import READY
from esg_assets.core.alerts.ports import Letter, Letters
from esg_assets.core.alerts.routes import BUSINESS, EMAIL
from esg_assets.core.alerts.wording import Places
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_READY, _LET_IN, _DONE = 220, 235, 250
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Relay:
    """The mail server that takes our mails.

    Attributes:
        security: `smtp` (plain), `smtp+starttls` or `smtps`.
        host, port: where it is.
        user, password: "" for no login.
    """

    security: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> "Relay":
        """From ESG_SMTP_URL, which the settings have judged."""
        parts = urlsplit(url)
        return cls(
            parts.scheme,
            parts.hostname or "",
            parts.port or _PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


class EmailChannel:
    """Mails to each audience's addresses.

    Args:
        url: ESG_SMTP_URL.
        sender: address.
        recipients: addresses by audience; an audience without any cannot be told.
        places: where links lead.
        letters: makes the mail about a publication; without it readers get the words of an alert.
        ca: PEM file of authorities that are trusted besides the machine's.
        seconds: how long a delivery may take.
    """

    name = EMAIL

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        recipients: Mapping[str, Sequence[str]],
        places: Places,
        letters: Letters | None = None,
        ca: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._relay = Relay.of(url)
        self._sender = sender
        self._recipients = recipients
        self._places = places
        self._letters = letters
        self._made: dict[str, Letter | None] = {}
        self._ca = ca
        self._seconds = seconds

    def prepare(self, message: Message) -> None:
        """Make the mail about a publication: its chart takes longer than a delivery may."""
        if self._is_letter(message) and self._letters is not None:
            self._made[message.identity] = self._letters.letter(message)

    def deliver(self, message: Message) -> str:
        """As the port says. The receipt says how many addresses the server took."""
        to = self._recipients.get(message.audience, ())
        if not to:
            raise ChannelUnavailable(f"No mail address is set for {message.audience}.")
        if not self._is_letter(message):
            return self._sent(mail_of(message, self._places, sender=self._sender, recipients=to), to)
        if message.identity not in self._made:
            self.prepare(message)
        letter = self._made.pop(message.identity)
        if letter is None:
            return "no mail: that version of the report stands no more"
        receipt = self._sent(letter_of(message, letter, sender=self._sender, recipients=to), to)
        without = letter.mail.histogram is not None and letter.picture is None
        return f"{receipt}, without its chart" if without else receipt

    def look(self) -> str:
        """Try the server as far as it goes without a mail: greeting, TLS, login, sender, addresses."""
        to = sorted({address for addresses in self._recipients.values() for address in addresses})
        self._talk(lambda smtp: self._ask(smtp, to))
        how = "with a login" if self._relay.user else "without a login"
        return f"the mail server takes mail {how} for {len(to):,} address{'es' if len(to) != 1 else ''}"

    def _is_letter(self, message: Message) -> bool:
        return self._letters is not None and (message.incident.kind, message.audience) == (READY, BUSINESS)

    def _sent(self, mail: EmailMessage, to: Sequence[str]) -> str:
        refused = self._talk(lambda smtp: self._send(smtp, mail, to))
        return f"250, {len(to) - refused} of {len(to)} addresses, message {mail['Message-ID'][1:13]}"

    def _send(self, smtp: smtplib.SMTP, mail: EmailMessage, to: Sequence[str]) -> int:
        return len(smtp.send_message(mail, self._sender, list(to)))

    def _ask(self, smtp: smtplib.SMTP, to: Sequence[str]) -> None:
        smtp.ehlo_or_helo_if_needed()
        codes = [smtp.mail(self._sender)[0], *(smtp.rcpt(address)[0] for address in to)]
        smtp.rset()
        wrong = [code for code in codes if code not in {_DONE, _DONE + 1}]
        if codes[0] in wrong:
            raise ChannelUnavailable(f"The mail server refuses ESG_ALERT_EMAIL_FROM ({codes[0]}).")
        if wrong:
            raise ChannelUnavailable(
                f"The mail server refuses {len(wrong)} of {len(to)} addresses ({wrong[0]}); see"
                " ESG_ALERT_EMAIL_DEV and ESG_ALERT_EMAIL_BUSINESS."
            )

    def _talk(self, call: Callable[[smtplib.SMTP], _Answer]) -> _Answer:
        conversation = Conversation("The mail server", self._ca, self._seconds)

        def talk() -> _Answer:
            with _translated(), _session(self._relay, conversation) as smtp:
                return call(smtp)

        return conversation.hold(talk)


class _Plain(smtplib.SMTP):
    """A session whose socket ends with the conversation, as those under TLS do."""

    def __init__(self, relay: Relay, conversation: Conversation) -> None:
        super().__init__(timeout=conversation.left)
        self._host = (
            relay.host
        )  # what TLS verifies after STARTTLS; smtplib sets it only where it connects too
        self._conversation = conversation

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        connection = socket.create_connection((host, port), timeout)
        return self._conversation.plain(connection)


class _Encrypted(_Plain):
    """As above, with TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        connection = socket.create_connection((host, port), timeout)
        return self._conversation.context().wrap_socket(connection, server_hostname=host)


@contextmanager
def _session(relay: Relay, conversation: Conversation) -> Iterator[smtplib.SMTP]:
    """A session that is ready for a mail."""
    smtp = (_Encrypted if relay.security == "smtps" else _Plain)(relay, conversation)
    try:
        code, _ = smtp.connect(relay.host, relay.port)
        if code != _READY:
            raise ChannelUnavailable(f"The mail server greets with {code}.")
        if relay.security == "smtp+starttls":
            smtp.starttls(context=conversation.context())
        if relay.user:
            _log_in(smtp, relay)
        yield smtp
        _leave(smtp)
    finally:
        smtp.close()


def _log_in(smtp: smtplib.SMTP, relay: Relay) -> None:
    if (relay.user + relay.password).isascii():
        smtp.login(relay.user, relay.password)
        return
    # The library knows ASCII alone; RFC 4616 wants UTF-8.
    smtp.ehlo_or_helo_if_needed()
    given = base64.b64encode(f"\0{relay.user}\0{relay.password}".encode()).decode()
    code, answer = smtp.docmd("AUTH", f"PLAIN {given}")
    if code != _LET_IN:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye without waiting: the mail is taken, and a slow answer to this must not send it again."""
    with suppress(OSError, smtplib.SMTPException):
        smtp.putcmd("QUIT")


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the conversation as ours, without a word of the server's."""
    try:
        yield
    except (smtplib.SMTPException, OSError, ValueError) as error:
        if isinstance(error, smtplib.SMTPDataError) and _about_the_mail(error):
            raise ChannelRefused(f"The mail server calls this mail malformed ({error.smtp_code}).") from None
        raise ChannelUnavailable(f"The mail server {_told(error)}.") from None


def _told(error: Exception) -> str:  # noqa: PLR0911 - one line for each kind of error
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"refuses the login ({error.smtp_code}); see ESG_SMTP_URL"
        case smtplib.SMTPSenderRefused():
            return f"refuses the sender ({error.smtp_code}); see ESG_ALERT_EMAIL_FROM"
        case smtplib.SMTPRecipientsRefused():
            codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
            return f"refuses every address ({codes}); see ESG_ALERT_EMAIL_DEV and ESG_ALERT_EMAIL_BUSINESS"
        case smtplib.SMTPDataError():
            return f"does not take the mail ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError():
            return "does not offer what ESG_SMTP_URL wants (STARTTLS, or a login)"
        case smtplib.SMTPResponseException():
            return f"answered {error.smtp_code}"
        case socket.gaierror():
            return "has a name that is not known; see ESG_SMTP_URL"
    if is_about_tls(error):
        return f"cannot be used: {NO_TLS}"
    return "cannot be reached, or broke off; see ESG_SMTP_URL"


def _about_the_mail(error: smtplib.SMTPDataError) -> bool:
    """Whether the server says of the mail itself, and of nothing that settings decide, that it is wrong.

    Enhanced codes (RFC 3463) 5.6 are about the content, 5.3.4 is about its size. A bare 550 or 554 may as
    well be about rights of the sender or a policy, which somebody can change.
    """
    text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
    return error.smtp_code >= 500 and text.startswith((b"5.6.", b"5.3.4"))  # noqa: PLR2004 - permanent
