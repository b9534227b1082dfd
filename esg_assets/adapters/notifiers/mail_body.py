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
from esg_assets.core.alerts.wording import Places, Words, words_of
from esg_assets.core.central_time import CENTRAL


def mail_of(message: Message, places: Places, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail of a message: the same for every repeat, Message-ID and Date included.

    Mails of one incident form a thread: the later ones refer to the first.
    """
    words = words_of(message, places)
    mail = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{_digest(message.identity)}@{domain}>"
    if message.state is not State.OPEN:
        first = f"<{_digest(replace(message, state=State.OPEN).identity)}@{domain}>"
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["Date"] = format_datetime(message.queued_at.astimezone(CENTRAL))
    mail["From"] = Address(f"ESG report {message.incident.environment}", addr_spec=sender)
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = words.subject
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # the same, for Exchange
    if words.label == Severity.ERROR:
        mail["Importance"] = "high"
    mail.set_content(words.text())
    mail.add_alternative(html_of(words), subtype="html")
    return mail


def html_of(words: Words) -> str:
    """The words as one HTML page, every style beside what it styles, nothing loaded from anywhere."""
    page = _template().render(words=words)
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False).inline(page)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("esg_assets.adapters.notifiers"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("alert.html.jinja")


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:40]
