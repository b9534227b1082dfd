"""Real SMTP servers on loopback (aiosmtpd), as relays are: plain, with STARTTLS, with TLS, with a login."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


class MailServer:
    """What a server took, and how it answers.

    Attributes:
        port: on 127.0.0.1.
        mails: as received, in order.
        recipients: of each mail.
        encrypted: whether each mail came under TLS, with the protocol's version.
        logins: user and password of every try.
        answers: to the end of the next mails, instead of taking them.
        refused: answers to addresses, by address.
        sender_answer: to the sender, "" to accept it.
    """

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.recipients: list[Sequence[str]] = []
        self.encrypted: list[str | None] = []
        self.logins: list[tuple[str, str]] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}
        self.sender_answer = ""
        self._login = login

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=POLICY)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(tuple(envelope.rcpt_tos))
        self.encrypted.append(session.ssl["ssl_object"].version() if session.ssl else None)
        return "250 OK, queued as SECRET-FOREIGN-TEXT"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        """Whether a login is right; called by aiosmtpd."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=self.logins[-1] == self._login, handled=False)


class _Controller(Controller):
    """A controller that takes whatever port is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd's


@contextlib.contextmanager
def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
    port: int = 0,
) -> Iterator[MailServer]:
    """A server that runs for the length of the block.

    Args:
        tls: for TLS from the first byte.
        starttls: for TLS after STARTTLS, which is then required.
        login: user and password that it wants.
        port: 0 for any that is free.
    """
    server = MailServer(login)
    options: dict[str, Any] = {}
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    if login is not None:
        options |= {
            "authenticator": server.authenticate,
            "auth_required": True,
            "auth_require_tls": starttls is not None,
        }
    controller = _Controller(server, hostname=HOST, port=port, ssl_context=tls, **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()
