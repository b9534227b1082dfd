"""One OAuth 2.0 token for all threads: when it is renewed, by whom, and who waits.

How a token is asked for over HTTP lives in `token_endpoint`.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

from esg_assets.adapters.authorization.header_fields import SecretFields, bearer
from esg_assets.adapters.authorization.token_endpoint import TokenEndpoint
from esg_assets.core.errors import EsgError, Unavailable

RENEW_BEFORE_END_SECONDS = 30.0
RENEW_BEFORE_END_SHARE = 0.25
"""A token is renewed this long, or this share of its life, before it ends: the shorter of the two."""

LONGEST_CALL_SHARE = 0.6
"""A call is reckoned with at most this share of a token's life; the rest is left to use the token in."""

LEAST_USED_SHARE = 0.25
"""A token is used for this share at least of what it has left when it arrives, after a slow answer too."""

LONGER_THAN_SEEN = 1.1
"""The next call may take so much longer than the slowest one."""

FADE = 0.999
"""How much of a slow call is remembered after each further one."""

PAUSE_AFTER_FAILURE_SECONDS = 5.0
"""After an early renewal failed, the old token serves this long before the next attempt."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use; times are the monotonic clock's.

    Attributes:
        ends_at: when the provider takes it no more.
        early: it is renewed this long before that.
        lead: what getting the next one is likely to take.
        floor: until then it is used, however slow the calls are.
        last_resort: a new one could not be had, so that it serves to its very end.
    """

    headers: SecretFields
    ends_at: float
    early: float
    lead: float
    floor: float
    last_resort: bool = False

    def renew_at(self, call_seconds: float) -> float:
        """From when on one caller shall get the next token."""
        return max(self.floor - self.lead, self.ends_at - max(self.early, call_seconds + self.lead))

    def good_until(self, call_seconds: float) -> float:
        """Until when a call that takes so long can be sent with it."""
        return self.ends_at if self.last_resort else max(self.floor, self.ends_at - call_seconds)


class OAuth2ClientCredentials:
    """Tokens of the OAuth 2.0 client-credentials grant (RFC 6749 section 4.4), shared by all threads.

    One caller renews the token, a little before it ends. While it is still good the others go on using it;
    afterwards, and after a 401, they wait for the new one. Good is a token that outlives a call which is
    sent with it now, as slow as calls have been lately: some providers look at it when they answer.

    Args:
        endpoint: where tokens come from.
        clock: seconds that never go back.
        call_seconds: what a call may take, until `took` has told of one.
    """

    def __init__(
        self,
        endpoint: TokenEndpoint,
        *,
        clock: Callable[[], float] = time.monotonic,
        call_seconds: float = 0.0,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._call_seconds = call_seconds
        self._calls_seen = False
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: Future[_Held] | None = None
        self._refused: str | None = None

    def headers(self) -> Mapping[str, str]:
        """The Authorization field for the next request; may fetch a token, or wait for one.

        Raises:
            AccessDenied, Unavailable: as `TokenEndpoint.fetch`.
        """
        with self._lock:
            held, now, call = self._held, self._clock(), self._call_seconds
            if held is not None and now < held.renew_at(call):
                return held.headers
            if held is not None and now < held.good_until(call) and self._flight is not None:
                return held.headers
            flight, mine = self._join()
        return self._land(flight, mine=mine, old=held).headers

    def took(self, seconds: float) -> None:
        """Learn how long a call took from its sending to its answer (a call that timed out, too)."""
        with self._lock:
            faded = self._call_seconds * FADE if self._calls_seen else 0.0
            self._call_seconds = max(seconds * LONGER_THAN_SEEN, faded)
            self._calls_seen = True

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Replace the token in `refused` by a new one, once for all callers that carried it.

        Returns:
            Whether `headers` now gives something else than `refused`.

        Raises:
            AccessDenied, Unavailable: as `TokenEndpoint.fetch`.
        """
        carried = refused.get("Authorization")
        with self._lock:
            if self._held is not None and self._held.headers["Authorization"] != carried:
                return True
            # Nobody shall use it any more, not even while the new one is on its way.
            self._held, self._refused = None, carried
            flight, mine = self._join()
        return self._land(flight, mine=mine, old=None).headers["Authorization"] != carried

    def __repr__(self) -> str:
        return "OAuth2ClientCredentials(***)"

    def _join(self) -> tuple[Future[_Held], bool]:
        """The request under way, or a new one that this caller has to make (under the lock)."""
        if self._flight is not None:
            return self._flight, False
        self._flight = Future()
        return self._flight, True

    def _land(self, flight: Future[_Held], *, mine: bool, old: _Held | None) -> _Held:
        """The token that `flight` brings: fetched here if it is `mine`, else waited for."""
        if not mine:
            error = flight.exception()
            if error is not None:
                raise type(error)(*error.args)  # an own one for each thread: a shared one's traceback grows
            return flight.result()
        try:
            held = self._fetch(old)
        except BaseException as error:
            with self._lock:
                self._flight = None
            # What interrupts this thread (KeyboardInterrupt) is not for those who wait.
            told = error if isinstance(error, EsgError) else Unavailable("Getting a token was interrupted.")
            flight.set_exception(told)
            raise
        with self._lock:
            self._held, self._flight = held, None
        flight.set_result(held)
        return held

    def _fetch(self, old: _Held | None) -> _Held:
        """A new token; the old one for a little longer if none can be had while it is still valid."""
        asked_at = self._clock()
        try:
            token = self._endpoint.fetch()
        except EsgError:
            now = self._clock()
            if old is None or now >= old.ends_at or old.headers["Authorization"] == self._refused:
                raise
            pause = min(PAUSE_AFTER_FAILURE_SECONDS, (old.ends_at - now) / 2)
            return replace(old, lead=0.0, floor=now + pause, last_resort=True)
        arrived_at = self._clock()
        ends_at, life = asked_at + token.expires_in, token.expires_in
        return _Held(
            bearer(token.access_token),
            ends_at,
            early=min(RENEW_BEFORE_END_SECONDS, life * RENEW_BEFORE_END_SHARE),
            lead=arrived_at - asked_at,
            floor=max(
                ends_at - life * LONGEST_CALL_SHARE, arrived_at + (ends_at - arrived_at) * LEAST_USED_SHARE
            ),
        )
