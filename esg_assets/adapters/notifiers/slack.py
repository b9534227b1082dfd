"""Slack, by an incoming webhook: the words as blocks, within Slack's limits.

A webhook has no notion of a repeat: a message that Slack took without our hearing of it shows twice.
"""

import logging
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.webhook import WebhookClient, WebhookResponse

from esg_assets.adapters.notifiers.answers import not_taken
from esg_assets.adapters.notifiers.bounds import NO_TLS, SECONDS, Conversation, is_about_tls
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.routes import SLACK
from esg_assets.core.alerts.wording import Places, Words, words_of
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable

_NAME = "Slack"
_HEADER, _SECTION, _FIELD, _FIELDS = 150, 3000, 2000, 10
_MALFORMED = frozenset(
    {"invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text", "msg_too_long"}
)
_SIGNS = {
    "DRILL": ":construction:",
    "ERROR": ":red_circle:",
    "WARN": ":large_yellow_circle:",
    "INFO": ":information_source:",
    "RESOLVED": ":large_green_circle:",
}
"""Beside the word that says the same."""


class SlackChannel:
    """Messages to one channel of Slack.

    Args:
        url: the webhook.
        places: where links lead.
        ca: PEM file of authorities that are trusted besides the machine's.
        seconds: how long a delivery may take.
    """

    name = SLACK

    def __init__(self, url: str, *, places: Places, ca: Path | None = None, seconds: float = SECONDS) -> None:
        self._url = url
        self._places = places
        self._ca = ca
        self._seconds = seconds

    def deliver(self, message: Message) -> str:
        """As the port says, but for repeats: see the module."""
        words = words_of(message, self._places)
        try:
            blocks = [block.to_dict() for block in blocks_of(words)]
        except SlackObjectFormationError:
            raise ChannelRefused("The message does not fit into Slack's blocks.") from None
        conversation = Conversation(_NAME, self._ca, self._seconds)

        def send() -> WebhookResponse:
            client = _Client(self._url, conversation)
            return client.send(text=_escaped(words.subject), blocks=blocks, unfurl_links=False)

        try:
            answer = conversation.hold(send)
        except (OSError, ValueError, HTTPException) as error:
            if is_about_tls(error):
                raise ChannelUnavailable(f"{_NAME}: {NO_TLS}.") from None
            raise ChannelUnavailable(f"{_NAME} cannot be reached, or broke off.") from None
        _judge(answer)
        return f"{answer.status_code} ok"

    def look(self) -> str:
        """Agree on TLS with Slack; nothing is sent, so that the webhook is not tried."""
        Conversation(_NAME, self._ca, self._seconds).shake_hands(self._url, setting="ESG_SLACK_WEBHOOK_URL")
        return f"{_NAME} can be reached; only an alert can show whether it knows the webhook"


def blocks_of(words: Words) -> Iterator[Block]:
    """The words as blocks: header, what happened, what to do, links, facts, where it comes from."""
    header = f"{_SIGNS[words.label]} {words.subject}"
    yield HeaderBlock(text=PlainTextObject(text=_cut(header, _HEADER), emoji=True))
    text = "\n".join(map(_escaped, words.paragraphs)) or _escaped(words.headline)
    yield SectionBlock(text=MarkdownTextObject(text=_cut(text, _SECTION)))
    if words.what_to_do:
        steps = "\n".join(["*What to do*", *_steps(words)])
        yield SectionBlock(text=MarkdownTextObject(text=_cut(steps, _SECTION)))
    facts = [f"*{_escaped(label)}*\n{_escaped(value)}" for label, value in words.facts]
    for first in range(0, len(facts), _FIELDS):
        fields = [MarkdownTextObject(text=_cut(fact, _FIELD)) for fact in facts[first : first + _FIELDS]]
        yield SectionBlock(fields=fields)
    if words.links:
        links = "  ·  ".join(f"<{link.url}|{_escaped(link.text)}>" for link in words.links)
        yield SectionBlock(text=MarkdownTextObject(text=_cut(links, _SECTION)))
    yield ContextBlock(elements=[MarkdownTextObject(text=_cut(_escaped(words.footer), _FIELD))])


def _steps(words: Words) -> Iterator[str]:
    for number, step in enumerate(words.what_to_do, 1):
        command = f"\n      `{_escaped(step.command)}`" if step.command else ""
        before = f"{number}. " if len(words.what_to_do) > 1 else ""
        yield f"{before}{_escaped(step.text)}{command}"


class _Client(WebhookClient):
    """The library's client, with no proxy of the environment, no redirect, no retry and no log of the URL."""

    def __init__(self, url: str, conversation: Conversation) -> None:
        # Not one that settings of logging reach: the library writes the URL into it.
        quiet = logging.Logger("slack", level=logging.CRITICAL + 1)  # noqa: LOG001
        super().__init__(url, ssl=conversation.context(), logger=quiet, retry_handlers=[])
        self.proxy = None  # the library has looked for one in the environment
        self._conversation = conversation

    def _perform_http_request_internal(self, url: str, req: urllib.request.Request) -> WebhookResponse:
        """One request; the library's own asks through the environment's proxies, whatever it is told."""
        del url
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=self.ssl),
            urllib.request.UnknownHandler(),
        ):
            opener.add_handler(handler)
        with opener.open(req, timeout=self._conversation.left) as answer:
            body = answer.read().decode("utf-8", "replace")
            return WebhookResponse(url="", status_code=answer.status, body=body, headers=dict(answer.headers))


def _judge(answer: WebhookResponse) -> None:
    if answer.status_code == 200:  # noqa: PLR2004 - the one success that Slack knows
        if answer.body.strip() == "ok":
            return
        raise ChannelUnavailable(
            f"{_NAME} gave an answer that is none of its own; see ESG_SLACK_WEBHOOK_URL."
        )
    headers: dict[str, Any] = {name.lower(): value for name, value in answer.headers.items()}
    not_taken(
        _NAME,
        answer.status_code,
        setting="ESG_SLACK_WEBHOOK_URL",
        retry_after=headers.get("retry-after"),
        malformed=answer.status_code == 400 and answer.body.strip() in _MALFORMED,  # noqa: PLR2004 - bad request
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
