"""What a mail looks like: headers, a plain text, and the same as HTML that mail programs can show.

Sending it is `email`'s.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache

import css_inline
import jinja2

from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.alerts.ports import Letter
from esg_assets.core.alerts.wording import Places, Words, words_of
from esg_assets.core.central_time import CENTRAL
from esg_assets.core.report_mail import ReportMail
from esg_assets.core.report_mail_text import UNCHANGED, reason_of, text_of

_LONGEST_HEADER = 400


def mail_of(message: Message, places: Places, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail of a message: the same for every repeat, Message-ID and Date included.

    Mails of one incident form a thread: the later ones refer to the first.
    """
    words = words_of(message, places)
    first = [] if message.state is State.OPEN else [replace(message, state=State.OPEN).identity]
    mail = _begun(message, words.subject, sender, recipients, first)
    if words.label == Severity.ERROR:
        mail["Importance"] = "high"
    mail.set_content(words.text())
    mail.add_alternative(html_of(words), subtype="html")
    return _with_whole_headers(mail)


def letter_of(message: Message, letter: Letter, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail about a publication, with its chart inside; mails about one date form a thread."""
    mail = _begun(message, letter.mail.subject, sender, recipients, letter.earlier)
    mail.set_content(text_of(letter.mail))
    picture = "" if letter.picture is None else f"{_digest(message.identity + '/chart')}@{_domain(sender)}"
    mail.add_alternative(letter_html(letter.mail, picture), subtype="html")
    if letter.picture is not None:
        (_, html) = mail.iter_parts()
        html.add_related(
            letter.picture,
            *("image", "png"),
            cid=f"<{picture}>",
            disposition="inline",
            filename="accounts_by_score.png",
        )
    return _with_whole_headers(mail)


def html_of(words: Words) -> str:
    """The words as one HTML page, every style beside what it styles, nothing loaded from anywhere."""
    return _inlined(_templates().get_template("alert.html.jinja").render(words=words))


def letter_html(mail: ReportMail, picture: str) -> str:
    """The same of a mail about a publication.

    Args:
        mail: what is in it.
        picture: the chart's Content-ID without brackets, "" for no picture.
    """
    reason = "" if mail.correction is None else reason_of(mail.correction)
    values = {"mail": mail, "picture": picture, "reason": reason, "unchanged": UNCHANGED}
    return _inlined(_templates().get_template("report.html.jinja").render(values))


def _begun(
    message: Message, subject: str, sender: str, recipients: Sequence[str], earlier: Sequence[str]
) -> EmailMessage:
    """A mail with its headers; `earlier` are identities of the messages that it follows."""
    mail = EmailMessage(policy=SMTP)
    before = [f"<{_digest(identity)}@{_domain(sender)}>" for identity in earlier]
    mail["Message-ID"] = f"<{_digest(message.identity)}@{_domain(sender)}>"
    if before:
        mail["In-Reply-To"] = before[-1]
        mail["References"] = " ".join(before)
    mail["Date"] = format_datetime(message.queued_at.astimezone(CENTRAL))
    mail["From"] = Address(f"ESG report {message.incident.environment}", addr_spec=sender)
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = subject
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # the same, for Exchange
    return mail


def _with_whole_headers(mail: EmailMessage) -> EmailMessage:
    """The library would begin a subject of medium length on a line of its own, behind an empty one.

    Only now: bodies are encoded for lines of the usual length.
    """
    mail.policy = SMTP.clone(max_line_length=_LONGEST_HEADER)
    return mail


def _inlined(page: str) -> str:
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False).inline(page)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("esg_assets.adapters.notifiers"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2]


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:40]
