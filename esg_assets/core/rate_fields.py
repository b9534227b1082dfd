"""What an answer says of the provider's rate limit, in any of the three dialects in use.

    RateLimit-Policy: "default";q=100;w=60           IETF draft: quota q in a window of w seconds
    RateLimit-Limit: 100, 100;w=60                   the older draft: limit, or a list with windows
    X-RateLimit-Limit: 100  X-RateLimit-Window: 60   in common use, with several names for the window

Only a rate that is certain is taken: a limit without a window says nothing about a rate, and what is
left of a window (RateLimit: r=…, -Remaining, -Reset) is normal to reach zero for a client that is
paced to the limit. Whatever is not understood, or cannot be, is ignored.
"""

import re
from collections.abc import Iterator, Mapping

_POLICY = re.compile(r"(?:^|[;,\s])q=(\d{1,12})\b.*?;\s*w=(\d{1,9})\b")
_OLDER = re.compile(r"(?:^|[,\s])(\d{1,12})\s*;\s*w=(\d{1,9})\b")
_WHOLE = re.compile(r"\d{1,12}")
_WINDOWS = ("x-ratelimit-window", "x-ratelimit-period", "x-ratelimit-interval")


def announced_rate(headers: Mapping[str, str]) -> float | None:
    """The lowest rate that an answer announces, in calls per second; None if it announces none.

    Args:
        headers: field values by name in lower case.
    """
    rates = [quota / window for quota, window in _limits(headers) if quota > 0 and window > 0]
    return min(rates, default=None)


def _limits(headers: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    for policy in headers.get("ratelimit-policy", "").split(","):
        if found := _POLICY.search(policy) or _OLDER.search(policy):
            yield int(found[1]), int(found[2])
    for found in _OLDER.finditer(headers.get("ratelimit-limit", "")):
        yield int(found[1]), int(found[2])
    limit = headers.get("x-ratelimit-limit", "").strip()
    window = next((headers[name].strip() for name in _WINDOWS if name in headers), "")
    if _WHOLE.fullmatch(limit) and _WHOLE.fullmatch(window):
        yield int(limit), int(window)
