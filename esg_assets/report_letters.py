"""The mail about a publication, made from the history at the moment when it is sent.

So the outbox holds neither figures nor pictures, and a mail that waited for its server says what has become
of the report meanwhile.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from esg_assets.core.alerts import shown_facts
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.ports import Letter
from esg_assets.core.alerts.wording import Places, environment_note
from esg_assets.core.errors import ChannelUnavailable
from esg_assets.core.history import PastReport
from esg_assets.core.ports import History
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.report_mail import Histogram, ReportMail
from esg_assets.core.report_mail_words import report_mail

_log = logging.getLogger(__name__)


class ReportLetters:
    """The port `Letters` over the history.

    Args:
        history: opens it; called when a letter is wanted, so that building this asks nobody.
        places: where links lead.
        draw: the chart as PNG; raises ChannelUnavailable.
    """

    def __init__(
        self, history: Callable[[], History], places: Places, draw: Callable[[Histogram], bytes]
    ) -> None:
        self._history = history
        self._places = places
        self._draw = draw

    def letter(self, message: Message) -> Letter | None:
        """As the port says; a chart that cannot be drawn is left out, and the log says so."""
        incident = message.incident
        if incident.date is None:
            return None
        history = self._history()
        versions = history.versions(incident.date)
        shown = _meant(versions, message)
        if shown is None:
            return None
        kept = history.details(shown.published)
        mail = report_mail(
            versions,
            shown,
            ReportDetails.understood(kept),
            environment=incident.environment,
            note=environment_note(incident),
            site=self._places.site,
        )
        earlier = [_identity(message, each) for each in versions[: versions.index(shown)]]
        return Letter(mail, self._picture(mail), earlier)

    def _picture(self, mail: ReportMail) -> bytes | None:
        if mail.histogram is None:
            return None
        try:
            return self._draw(mail.histogram)
        except ChannelUnavailable as error:
            _log.warning("%s The mail about the %s goes out without it.", error, mail.title)
            return None


def _meant(versions: Sequence[PastReport], message: Message) -> PastReport | None:
    """The version that a message is about: its number alone could be another's after a restore."""
    head = shown_facts.head(message.incident)
    found = (each for each in versions if f"{each.published.sequence}:{each.published.head_sha256}" == head)
    return next(found, None)


def _identity(message: Message, earlier: PastReport) -> str:
    """Of the mail about an earlier version: the incident's key ends with the version."""
    name, _, _ = message.incident.key.rpartition("/")
    incident = replace(message.incident, key=f"{name}/{earlier.published.version}")
    return replace(message, incident=incident).identity
