"""Taking secrets out of a text: those that are known, and what looks like one.

Known are the values of secret settings, whole and by the parts of a URL, in the ways in which texts
write them (percent-encoded, JSON, base64). What looks like a secret is a URL's user and password, a
credential in a header or a query, and a private key.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote

MASK = "********"

SHORTEST = 6
"""Characters of a known secret at least: a shorter one stands in half of all words."""

_NAMES = (
    r"(?:[\w-]*(?:secret|password|passwd|token|api[_-]?key|apikey|routing_key|signature|credential)[\w-]*"
    r"|sig|pwd|authorization|x-api-key)"
)
_LOOKS_SECRET = (
    re.compile(r"(?<=://)[^\s/?#'\"<>]*(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]+"),
    re.compile(r"(?i)(?<=\bbasic )[\w+/=-]{8,}"),
    re.compile(rf"(?i)(?<=[?&;]){_NAMES}=[^\s&#'\"]+"),
    re.compile(rf"(?i)['\"]?\b{_NAMES}['\"]?\s*[:=]\s*(?:'[^']*'|\"[^\"]*\"|[^\s,;)}}\]&'\"]+)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)


class Redactor:
    """Writes MASK for every secret in a text.

    Args:
        secrets: values of secret settings; URLs are taken apart.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for part in parts_of(secret) for form in _forms(part)}
        # The longest first: a password may be the beginning of another one.
        known = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern in _LOOKS_SECRET:
            text = pattern.sub(MASK, text)
        return text


def parts_of(secret: str) -> Iterator[str]:
    """What of a secret setting must not be seen: all of it, and of a URL whatever is no address."""
    yield secret
    _, separator, rest = secret.partition("://")
    if not separator:
        return
    # A password may hold any of /?#@, so the last @ counts as well as the first.
    for userinfo in {rest.rpartition("@")[0], re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[0]}:
        password = userinfo.partition(":")[2]
        yield from (password, unquote(password))
    address, _, query = rest.partition("?")
    for _, value in parse_qsl(query):
        yield value
    # Of a webhook the path is the secret: its last step, which is the longest one that says nothing else.
    last = address.rpartition("/")[2]
    if len(last) >= 3 * SHORTEST:
        yield last


def _forms(part: str) -> Iterator[str]:
    if len(part) < SHORTEST:
        return
    yield from (part, quote(part, safe=""), quote(part), quote_plus(part))
    yield json.dumps(part)[1:-1]
    yield repr(part)[1:-1]
    yield base64.b64encode(part.encode()).decode().rstrip("=")
    yield base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
