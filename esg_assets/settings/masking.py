"""How settings are shown: secrets never, URLs by scheme, host and path.

Every text that may leave the process (tables, messages, errors) passes through here. Reading and
checking values lives in `esg_assets.settings.values`.
"""

import re

from pydantic import SecretStr

MASK = "********"
_LONGEST_SHOWN = 120
_NO_PATH = re.compile(r"[@?#;:\s\\]|(pass|pwd|secret|token|key)\w*=", re.IGNORECASE)
_HOST = r"(\[[0-9A-Fa-f:.]*\]|[^:@\[\]%;,=&]*)(:[0-9]*)?"
_HOSTS = re.compile(rf"{_HOST}(,{_HOST})*")


def mask_url(text: str, *, hide_path: bool = False) -> str:
    """`text` with scheme, host, port and path only: never a user, a password, a query or a fragment.

    A text that two parsers could read differently (an '@' behind the host part, where a password with
    a '/' in it would end up), or whose host part is no list of hosts and ports (`user:password` without a
    host), keeps its scheme only. A text without a scheme is shown if it can only be a path.

    Args:
        text: what the setting holds.
        hide_path: the path is the secret itself, as in a webhook.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return MASK if _NO_PATH.search(text) else text
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", scheme):
        return MASK
    netloc = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = netloc.rpartition("@")[2]
    if "@" in rest[len(netloc) :] or re.search(r"[\s\\]", rest) or not _HOSTS.fullmatch(host):
        return f"{scheme}://{MASK}"
    path = re.split(r"[?#;]", rest[len(netloc) :], maxsplit=1)[0]
    if hide_path and path.strip("/"):
        path = f"/{MASK}"
    return f"{scheme}://{host}{path}"


class SecretUrl(SecretStr):
    """A URL that may hold credentials; shown by scheme, host and path."""

    def _display(self) -> str:
        return mask_url(self.get_secret_value())


class SecretWebhook(SecretUrl):
    """A URL whose path is the credential, as in webhooks; shown by scheme and host."""

    def _display(self) -> str:
        return mask_url(self.get_secret_value(), hide_path=True)


def shown_raw(text: str, kind: type[SecretStr] | None) -> str:
    """`text`, which is not what its setting wants, for a message.

    Args:
        text: what was found.
        kind: the secret type of the setting, or None if it is no secret.
    """
    if kind is not None and not issubclass(kind, SecretUrl):
        return MASK  # a URL too: that of an Apprise channel has its token where others have their host
    if "://" in text:
        return mask_url(text, hide_path=kind is not None and kind is not SecretUrl)
    if kind is not None:
        return MASK
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "…"
    return repr(text)
