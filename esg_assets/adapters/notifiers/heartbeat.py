"""The outside service that notices silence: pinged when today's report is published, `/fail` when it failed.

The address is one as healthchecks.io and its kin have it: it takes a POST, with `/fail` behind it for a
failure and `/log` for a note that changes nothing. A drill is such a note, so that it neither hides a missing
report nor cries for one.
"""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests

from esg_assets.adapters.notifiers.answers import not_taken
from esg_assets.adapters.notifiers.bounds import NO_TLS, SECONDS, Conversation
from esg_assets.adapters.verified_tls import verified_session
from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import DRILL, PUBLISHED, Family, Severity
from esg_assets.core.alerts.ledger import BLOCKS
from esg_assets.core.alerts.routes import HEARTBEAT
from esg_assets.core.alerts.wording import heartbeat_text
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import ChannelUnavailable

_NAME = "The heartbeat service"
_SETTING = "ESG_HEARTBEAT_URL"
_MOST = 4096
_UNKNOWN = (b"not found", b"rate limited")
"""What healthchecks.io says with a 200 to a ping that it does not count."""


class HeartbeatChannel:
    """Pings to one check of the outside service.

    Args:
        url: ESG_HEARTBEAT_URL.
        ca: PEM file of authorities that are trusted besides the machine's.
        seconds: how long a delivery may take.
    """

    name = HEARTBEAT

    def __init__(self, url: str, *, ca: Path | None = None, seconds: float = SECONDS) -> None:
        self._url = url
        self._ca = ca
        self._seconds = seconds

    def deliver(self, message: Message) -> str:
        """As the port says; a message that the service must not hear of is acknowledged without a ping."""
        ending = ping_of(message)
        if ending is None:
            return "no ping: nothing that the outside service waits for"
        conversation = Conversation(_NAME, self._ca, self._seconds)
        url, text = _with_path(self._url, ending), heartbeat_text(message)
        status, retry_after, body = conversation.hold(lambda: _post(url, text, conversation))
        if not 200 <= status < 300:  # noqa: PLR2004 - the successes
            not_taken(_NAME, status, setting=_SETTING, retry_after=retry_after)
        if any(word in body for word in _UNKNOWN):
            raise ChannelUnavailable(f"{_NAME} answered {status} and did not count the ping; see {_SETTING}.")
        return f"{status}, ping{ending}"

    def look(self) -> str:
        """Agree on TLS with the service; no ping is sent."""
        Conversation(_NAME, self._ca, self._seconds).shake_hands(self._url, setting=_SETTING)
        return "the heartbeat service can be reached; only a ping can show whether it knows the address"


def ping_of(message: Message) -> str | None:
    """What stands behind the address in the ping of a message; None for no ping.

    Only today's report counts: one of an earlier day must not hide that today's is missing.
    """
    incident = message.incident
    if incident.kind == DRILL:
        return "/log"
    if message.state is State.RESOLVED or incident.date != central_date(incident.opened_at):
        return None
    if incident.kind == PUBLISHED:
        return ""
    return "/fail" if _keeps_it_away(incident) else None


def _keeps_it_away(incident: Incident) -> bool:
    if incident.severity is not Severity.ERROR or incident.facts.get("published"):
        return False
    if incident.kind.family is Family.CHECK:
        return bool(incident.facts.get(BLOCKS))
    return incident.kind.family in {Family.LATENESS, Family.ENDING}


def _with_path(url: str, ending: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending)) if ending else url


def _post(url: str, text: str, conversation: Conversation) -> tuple[int, str | None, bytes]:
    try:
        with (
            verified_session(conversation.context()) as session,
            session.post(
                url,
                data=text.encode(),
                headers={"Content-Type": "text/plain; charset=utf-8", "Connection": "close"},
                timeout=conversation.left,
                stream=True,
            ) as answer,
        ):
            body = next(answer.iter_content(_MOST), b"")
            return answer.status_code, answer.headers.get("Retry-After"), body.lower()
    except requests.exceptions.SSLError:
        raise ChannelUnavailable(f"{_NAME}: {NO_TLS}.") from None
    except (requests.exceptions.RequestException, OSError, ValueError):
        raise ChannelUnavailable(f"{_NAME} cannot be reached, or broke off.") from None
