"""Any other service, by an Apprise URL: a short text, in a process of its own.

The library asks through the environment's proxies, reads files of the user's home, logs what it sends and
to where, and cannot be told to end in time. A process (`apprise_process`) has no such environment and no
log, and is killed when its time is up. Why a service did not take a message the library does not say, so
that it is tried again, whatever it was.

Services have no notion of a repeat. Where one of several took a message and another did not, this process
remembers which, so that the repeat goes to the others alone.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from esg_assets.adapters.notifiers.bounds import SECONDS
from esg_assets.adapters.notifiers.own_process import answer_of
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.routes import APPRISE
from esg_assets.core.alerts.wording import Places, Words, words_of
from esg_assets.core.errors import ChannelUnavailable

_PROGRAM = Path(__file__).with_name("apprise_process.py")
_KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that the process sees."""

_KINDS = {"ERROR": "failure", "WARN": "warning", "INFO": "info", "DRILL": "info", "RESOLVED": "success"}
_LONGEST, _REMEMBERED = 700, 1000

_taken: "OrderedDict[str, set[int]]" = OrderedDict()
"""Positions of the services that took a message, by what was sent where."""


class AppriseChannel:
    """Short messages to one or more other services.

    Args:
        urls: ESG_APPRISE_URLS, as it is set.
        places: where links lead.
        ca: PEM file of authorities that are trusted besides the machine's.
        seconds: how long a delivery may take.
    """

    name = APPRISE

    def __init__(
        self, urls: str, *, places: Places, ca: Path | None = None, seconds: float = SECONDS
    ) -> None:
        self._urls = urls
        self._places = places
        self._ca = ca
        self._seconds = seconds

    def deliver(self, message: Message) -> str:
        """As the port says, but for repeats: see the module."""
        words = words_of(message, self._places)
        key = hashlib.sha256(f"{self._urls}\n{message.identity}".encode()).hexdigest()
        before = _taken.get(key, set())
        order = {"title": words.subject, "body": short(words), "kind": _KINDS[words.label]}
        took = self._ask({**order, "skip": sorted(before)})
        taken = before | {position for position, did in enumerate(took) if did}
        if len(taken) < len(took):
            _remember(key, taken)
            raise ChannelUnavailable(
                f"{len(took) - len(taken)} of {len(took)} Apprise services did not take the message; see"
                " ESG_APPRISE_URLS."
            )
        _taken.pop(key, None)
        return f"{len(took)} of {len(took)} services"

    def look(self) -> str:
        """Whether the library knows what ESG_APPRISE_URLS names; nothing is sent, nobody is asked."""
        known = self._ask({"look": True})
        return f"the library knows {len(known):,} service{'s' if len(known) != 1 else ''}; none was asked"

    def _ask(self, order: Mapping[str, Any]) -> list[bool]:
        """What the process says of each service, in the order in which they are set."""
        ca = None if self._ca is None else str(self._ca.absolute())
        given = json.dumps({**order, "urls": self._urls, "ca": ca, "seconds": self._seconds})
        return _understood(
            answer_of(
                _PROGRAM,
                given.encode(),
                called="The process for Apprise",
                keep=_KEPT,
                seconds=self._seconds,
            )
        )


def short(words: Words) -> str:
    """What a service of unknown manners gets: headline, what happened, where to look."""
    told = " ".join([words.headline, *words.paragraphs])
    told = told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
    return "\n".join([told, *(f"{link.text}: {link.url}" for link in words.links)])


def _understood(text: bytes) -> list[bool]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("took"), list):
        raise ChannelUnavailable("The process for Apprise ended without an answer.")
    if answer.get("unknown") or not answer["took"]:
        raise ChannelUnavailable(
            f"Apprise does not know {answer.get('unknown', 0)} of {len(answer['took'])} services that"
            " ESG_APPRISE_URLS names."
        )
    return [bool(took) for took in answer["took"]]


def _remember(key: str, taken: set[int]) -> None:
    _taken[key] = taken
    while len(_taken) > _REMEMBERED:
        _taken.popitem(last=False)
