"""Which addresses we send credentials to: https, or plain http on this very machine.

The settings check theirs when they are read; adapters check again with this what they are built
with, since a client secret on a plain wire cannot be taken back.
"""

import re
from urllib.parse import urlsplit

from esg_assets.core.errors import SettingsWrong

_LOOPBACK = re.compile(
    r"localhost|::1|127(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}", re.ASCII | re.IGNORECASE
)


def is_loopback(host: str | None) -> bool:
    """Whether `host` can only be this machine: `localhost`, `127.x.x.x` or `::1`, written out in full.

    No name is looked up: one that leads here today may lead elsewhere tomorrow. Short, decimal, mapped and
    scoped forms of an address (`127.1`, `2130706433`, `::ffff:127.0.0.1`, `::1%lo`) are refused, because not
    every client reads them alike.
    """
    return _LOOPBACK.fullmatch(host or "") is not None


def checked_endpoint(url: str, setting: str) -> str:
    """`url` without a trailing slash, if requests may go there.

    Args:
        url: a base URL or an endpoint.
        setting: the setting it comes from, for the message.

    Raises:
        SettingsWrong: it is no http(s) URL, holds user, password, query or fragment, could be
            understood in two ways, or is plain http to another machine.
    """
    try:
        parts = urlsplit(url)
        host, plain = parts.hostname or "", parts.scheme == "http"
        parts.port  # noqa: B018  # the property is what parses the port
    except ValueError:
        host, plain = "", False
    odd = re.search(r"[^!-~]|\\", url) or "@" in url or "?" in url or "#" in url
    if odd or not host or parts.scheme not in {"http", "https"}:
        raise SettingsWrong(
            f"{setting} must be an https URL in ASCII: a host, no user or password, no query, no fragment."
        )
    if plain and not is_loopback(host):
        raise SettingsWrong(
            f"{setting} is plain http to another machine; use https, because credentials are sent there."
        )
    return url.rstrip("/")
