"""Credentials of HTTP clients, whichever of the two systems they call."""

from collections.abc import Mapping
from typing import Protocol


class Authorization(Protocol):
    """Credentials of an HTTP client; safe to call from many threads."""

    def headers(self) -> Mapping[str, str]:
        """Header fields for the next request; may fetch a token first (one caller, others wait).

        Raises:
            AccessDenied: the token endpoint refuses the credentials.
            Unavailable: it does not answer, after retries.
        """

    def renew(self, refused: Mapping[str, str]) -> bool:
        """After a 401 to a request that carried `refused`: see to new credentials.

        One new token serves all callers who carried the refused one. Returns whether there is now
        something else to try (False for credentials that cannot be renewed).
        """
