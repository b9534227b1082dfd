"""Mails about publications: reports of the made-up month, as readers are told of them, and as they arrive."""

import base64
import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage

from esg_assets.adapters.notifiers.chart_picture import png_of
from esg_assets.adapters.notifiers.email import EmailChannel
from esg_assets.core.alerts import punctuality
from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import READY
from esg_assets.core.alerts.ledger import key_of
from esg_assets.core.alerts.routes import BUSINESS, EMAIL
from esg_assets.core.alerts.wording import Places
from esg_assets.core.history import PastReport
from esg_assets.core.ports import History
from esg_assets.core.report_mail import Histogram
from esg_assets.report_letters import ReportLetters
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.notifiers.mail_servers import HOST
from esg_assets_tests.notifiers.material import PLACES, incident
from esg_assets_tests.site.month import FIRST, LAST, PARTIAL, month, nights, publish

MENDED = PARTIAL
"""Its second version, in `mended`, has the accounts that had failed in the first."""


@functools.cache
def mended() -> MemoryHistory:
    """A history in which a partial report is corrected; nobody may add to it."""
    history, before = MemoryHistory(), PARTIAL - timedelta(days=1)
    publish(history, nights()[before], 1, 2)
    publish(history, nights()[PARTIAL], 1, 4)
    publish(history, replace(nights()[PARTIAL + timedelta(days=1)], day=PARTIAL), 2, 6)
    return history


def told_of(past: PastReport) -> Message:
    """The message about a version, as detection and outbox make it."""
    seen = punctuality.ready(past)
    about = incident(
        READY,
        key=key_of("prod", seen),
        date=seen.date,
        subject=seen.subject,
        facts=dict(seen.facts),
        run_id=seen.run_id,
        opened_at=seen.at,
        seen_at=seen.at,
        resolved_at=seen.at,
        unwell={},
        occurrences=1,
    )
    return Message(7, about, State.OPEN, EMAIL, BUSINESS, seen.at + timedelta(seconds=30))


def latest(history: History, day: date) -> PastReport:
    """The newest version of a date."""
    past = history.latest(day)
    assert past is not None
    return past


def channel(
    port: int,
    history: History,
    *,
    places: Places = PLACES,
    draw: Callable[[Histogram], bytes] = png_of,
) -> EmailChannel:
    """Mails to the readers over a plain relay."""
    return EmailChannel(
        f"smtp://{HOST}:{port}",
        sender="esg@example.com",
        recipients={BUSINESS: ("readers@example.com",)},
        places=places,
        letters=ReportLetters(lambda: history, places, draw),
    )


def shown(mail: EmailMessage) -> str:
    """The HTML of a mail as a mail program shows it: with the pictures that came in the mail."""
    body = mail.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    for part in mail.walk():
        name = part["Content-ID"]
        if name is not None:
            picture = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{name[1:-1]}", f"data:image/png;base64,{picture}")
    return html


def examples() -> Mapping[str, tuple[History, PastReport]]:
    """One of each: name, history and version."""
    return {
        "complete": (month(), latest(month(), LAST)),
        "first": (month(), latest(month(), FIRST)),
        "partial": (month(), latest(month(), PARTIAL)),
        "correction": (mended(), latest(mended(), MENDED)),
    }
