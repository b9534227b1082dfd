"""PagerDuty, by the Events API v2: an incident of ours is one of theirs, by its dedup key."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pagerduty

from esg_assets.adapters.notifiers.answers import not_taken
from esg_assets.adapters.notifiers.bounds import NO_TLS, SECONDS, Conversation, is_about_tls
from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import Severity
from esg_assets.core.alerts.routes import PAGERDUTY
from esg_assets.core.alerts.wording import Places, words_of
from esg_assets.core.errors import ChannelUnavailable

_NAME = "PagerDuty"
_KEY, _LONGEST_KEY, _LONGEST_SUMMARY = 32, 255, 1024
_SEVERITIES = {Severity.ERROR: "error", Severity.WARN: "warning", Severity.INFO: "info"}
_MALFORMED = 400
_Answer = TypeVar("_Answer")


class PagerDutyChannel:
    """Events to one service of PagerDuty.

    Args:
        routing_key: of its integration.
        url: where events go (ESG_PAGERDUTY_URL).
        places: where links lead.
        ca: PEM file of authorities that are trusted besides the machine's.
        seconds: how long a delivery may take.
    """

    name = PAGERDUTY

    def __init__(
        self,
        routing_key: str,
        url: str,
        *,
        places: Places,
        ca: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._routing_key = routing_key
        self._url = url
        self._places = places
        self._ca = ca
        self._seconds = seconds

    def deliver(self, message: Message) -> str:
        """As the port says. Repeats are one event to PagerDuty, by their dedup key."""
        action, event = event_of(message, self._places)
        key = dedup_key(message.incident)

        def send(client: "_Client") -> str:
            return client.send_event(action, dedup_key=key, **event)

        answered = self._talk(send)
        if answered != key:
            raise ChannelUnavailable(f"{_NAME} acknowledged another event than the one that was sent.")
        return f"202, {action}"

    def look(self) -> str:
        """Agree on TLS with PagerDuty; no event is sent, so that the routing key is not tried."""
        if len(self._routing_key) != _KEY:
            has = f"ESG_PAGERDUTY_ROUTING_KEY has {len(self._routing_key)} characters"
            raise ChannelUnavailable(f"{has}; {_NAME}'s keys have {_KEY}.")
        Conversation(_NAME, self._ca, self._seconds).shake_hands(self._url, setting="ESG_PAGERDUTY_URL")
        return f"{_NAME} can be reached; only an alert can show whether it knows the routing key"

    def _talk(self, call: Callable[["_Client"], _Answer]) -> _Answer:
        conversation = Conversation(_NAME, self._ca, self._seconds)

        def talk() -> _Answer:
            with _translated(), _Client(self._routing_key, self._url, conversation) as client:
                return call(client)

        return conversation.hold(talk)


def dedup_key(incident: Incident) -> str:
    """The incident's key, shortened where PagerDuty takes no more."""
    if len(incident.key) <= _LONGEST_KEY:
        return incident.key
    digest = hashlib.sha256(incident.key.encode()).hexdigest()
    return f"{incident.key[: _LONGEST_KEY - len(digest) - 1]}#{digest}"


def event_of(message: Message, places: Places) -> tuple[str, dict[str, Any]]:
    """The action, and what goes with it: nothing but the key for a resolve."""
    if message.state is State.RESOLVED:
        return "resolve", {}
    incident, words = message.incident, words_of(message, places)
    details: dict[str, str] = {"what": "\n\n".join((words.headline, *words.paragraphs)), **dict(words.facts)}
    for number, step in enumerate(words.what_to_do, 1):
        details[f"To do {number}"] = f"{step.text} {step.command}".strip()
    payload = {
        "summary": f"{words.subject}. {' '.join(words.paragraphs)}"[:_LONGEST_SUMMARY],
        "source": f"esg_assets {incident.environment}",
        "severity": _SEVERITIES[incident.severity],
        "timestamp": incident.opened_at.isoformat(timespec="milliseconds"),
        "component": incident.kind.name,
        "group": "esg_report" if incident.date is None else f"esg_report {incident.date.isoformat()}",
        "class": incident.kind.family.name.lower(),
        "custom_details": details,
    }
    event: dict[str, Any] = {"payload": payload, "client": "esg_assets"}
    if words.links:
        event["links"] = [{"href": link.url, "text": link.text} for link in words.links]
        event["client_url"] = words.links[0].url
    return "trigger", event


class _Client(pagerduty.EventsApiV2Client):
    """The library's client, without its waits and repeats: the outbox has its own.

    Every answer that is no success ends here, before the library logs it or asks again.
    """

    max_network_attempts = 0

    def __init__(self, routing_key: str, url: str, conversation: Conversation) -> None:
        # The variables of the environment for proxies and certificates are not read.
        transport = httpx2.HTTPTransport(verify=conversation.context(), trust_env=False, retries=0)
        super().__init__(routing_key, transport=transport, trust_env=False)
        self.timeout = conversation.left  # type: ignore[assignment] # any number of seconds will do
        self._where = url

    def normalize_url(self, url: str) -> str:
        """Where events go; the library only takes https, and adds the path itself."""
        del url
        return self._where

    def postprocess(self, response: httpx2.Response) -> None:
        """Nothing for a success.

        Raises:
            ChannelRefused, ChannelUnavailable: it is none.
        """
        if response.is_success:
            return
        not_taken(
            _NAME,
            response.status_code,
            setting="ESG_PAGERDUTY_ROUTING_KEY and ESG_PAGERDUTY_URL",
            retry_after=response.headers.get("retry-after"),
            malformed=response.status_code == _MALFORMED and _about_the_event(response.content),
        )


def _about_the_event(body: bytes) -> bool:
    """Whether a 400 is about the event: it is about the key as well, which can be put right."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    if not isinstance(answer, dict) or answer.get("status") != "invalid event":
        return False
    told = json.dumps([answer.get("message"), answer.get("errors")]).lower().replace(" ", "_")
    return "routing_key" not in told


@contextmanager
def _translated() -> Iterator[None]:
    """Errors of the library as ours, without their texts."""
    try:
        yield
    except (pagerduty.Error, httpx2.HTTPError, OSError, ValueError) as error:
        if is_about_tls(error):
            raise ChannelUnavailable(f"{_NAME}: {NO_TLS}.") from None
        if isinstance(error, pagerduty.HttpError):
            raise ChannelUnavailable(f"{_NAME} gave an answer that is none of its own.") from None
        raise ChannelUnavailable(f"{_NAME} cannot be reached, or broke off.") from None
