"""One OAuth 2.0 token for all threads: when it is renewed, by whom, and who waits.

How a token is asked for over HTTP lives in `token_endpoint`.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from esg_assets.adapters.authorization.header_fields import SecretFields, bearer
from esg_assets.adapters.authorization.token_endpoint import TokenEndpoint
from esg_assets.core.errors import EsgError, Unavailable

RENEW_BEFORE_END_SECONDS = 30.0
RENEW_BEFORE_END_SHARE = 0.25
"""A token is renewed this long, or this share of its life, before it ends: the shorter of the two."""

PAUSE_AFTER_FAILURE_SECONDS = 5.0
"""After an early renewal failed, the old token serves this long before the next attempt."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use; times are the monotonic clock's."""

    headers: SecretFields
    renew_at: float
    ends_at: float


class OAuth2ClientCredentials:
    """Tokens of the OAuth 2.0 client-credentials grant (RFC 6749 section 4.4), shared by all threads.

    One caller renews the token, a little before it ends. While it is still valid the others go on
    using it; afterwards, and after a 401, they wait for the new one.

    Args:
        endpoint: where tokens come from.
        clock: seconds that never go back.
    """

    def __init__(self, endpoint: TokenEndpoint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._clock = clock
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
            held, now = self._held, self._clock()
            if held is not None and now < held.renew_at:
                return held.headers
            if held is not None and now < held.ends_at and self._flight is not None:
                return held.headers
            flight, mine = self._join()
        return self._land(flight, mine=mine, old=held).headers

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
            return _Held(old.headers, now + pause, old.ends_at)
        ends_at = asked_at + token.expires_in
        early = min(RENEW_BEFORE_END_SECONDS, token.expires_in * RENEW_BEFORE_END_SHARE)
        return _Held(bearer(token.access_token), ends_at - early, ends_at)
