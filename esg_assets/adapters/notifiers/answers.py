"""What an HTTP answer means for a message: taken, later, or never.

A message is given up only where the channel says of the message itself that it is malformed. Whatever
somebody can put right in settings (a key, an address) stays to be tried: a wrong key must not lose alerts.
"""

import time
from typing import NoReturn

from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets.core.retry import retry_after_seconds

LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""A channel that asks for more is asked again after this."""

TOO_LARGE, TOO_MANY = 413, 429
_OURS = frozenset({400, 401, 403, 404, 405, 410})
"""Statuses that speak of the key or the address."""


def not_taken(
    channel: str, status: int, *, setting: str, retry_after: str | None = None, malformed: bool = False
) -> NoReturn:
    """Raise what an answer that is no success means.

    Args:
        channel: as messages name it.
        status: of the answer.
        setting: which one to look at when the channel does not know us.
        retry_after: the text of that field.
        malformed: the channel says that the message itself is wrong.

    Raises:
        ChannelRefused: the message will never be taken.
        ChannelUnavailable: it may be later.
    """
    if malformed or status == TOO_LARGE:
        raise ChannelRefused(f"{channel} answered {status}: it calls this message malformed.")
    if status in _OURS or 300 <= status < 400:  # noqa: PLR2004 - redirects, which are not followed
        raise ChannelUnavailable(f"{channel} answered {status}; see {setting}.")
    wait = retry_after_seconds(retry_after, time.time(), LONGEST_RETRY_AFTER_SECONDS)
    raise ChannelUnavailable(f"{channel} answered {status}.", wait)
