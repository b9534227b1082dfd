"""The rate limit: a token bucket, and the header fields that announce it.

Time is an argument (seconds of any monotonic clock), so the bucket can be tested without waiting.
"""

import math

Headers = list[tuple[bytes, bytes]]

STYLES = ("draft", "legacy", "none")
"""How the limit is announced: the IETF draft's RateLimit and RateLimit-Policy, RateLimit-Limit and
its two sisters of older servers, or not at all."""


class TokenBucket:
    """Lets at most `rate * t + burst` calls through in any span of t seconds.

    `rate` is calls per second, 0 for no limit; `burst` is the most at once, at least 1.
    """

    def __init__(self, rate: float, burst: float, now: float, style: str = "draft") -> None:
        self.style = style
        self.change(rate, burst, now)

    def change(self, rate: float, burst: float, now: float) -> None:
        """Other limits from now on; the bucket is full."""
        if rate < 0 or burst < 1:
            raise ValueError(f"rate limit: rate {rate:g} must be 0 or more and burst {burst:g} at least 1")
        self.rate, self.burst = rate, burst
        self._level, self._at = float(burst), now
        self._policy = b'"default";q=%d;w=%d' % _quota(rate) if rate else b""

    def take(self, now: float) -> bool:
        """Whether a call at `now` is let through."""
        if not self.rate:
            return True
        self._refill(now)
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def wait_seconds(self, now: float) -> int:
        """Whole seconds, at least 1, until a call would be let through: for Retry-After."""
        if not self.rate:
            return 1
        self._refill(now)
        return max(1, math.ceil((1 - self._level) / self.rate))

    def announce(self, headers: Headers) -> None:
        """Add the fields that say what is left, as of the last call."""
        if not self.rate or self.style == "none":
            return
        left = int(self._level)
        reset = max(1, math.ceil((self.burst - self._level) / self.rate))
        if self.style == "draft":
            headers.append((b"ratelimit", b'"default";r=%d;t=%d' % (left, reset)))
            headers.append((b"ratelimit-policy", self._policy))
        else:
            headers.append((b"ratelimit-limit", b"%d" % self.burst))
            headers.append((b"ratelimit-remaining", b"%d" % left))
            headers.append((b"ratelimit-reset", b"%d" % reset))

    def _refill(self, now: float) -> None:
        self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now


def _quota(rate: float) -> tuple[int, int]:
    """`rate` as whole calls per whole seconds, never more than it allows."""
    if rate >= 1 and rate % 1 == 0:
        return int(rate), 1
    if rate * 10 >= 1:
        return int(rate * 10), 10
    return 1, math.ceil(1 / rate)
