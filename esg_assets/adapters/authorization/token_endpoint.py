"""One request for an OAuth 2.0 token, with its retries.

Whether a token is wanted at all is decided in `oauth2`. Nothing that the endpoint sends reaches a
message: only RFC 6749's own error codes are repeated.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

import requests
import tenacity

from esg_assets.adapters.authorization.header_fields import is_field_value
from esg_assets.adapters.verified_tls import client_context, verified_session
from esg_assets.core.endpoints import checked_endpoint
from esg_assets.core.errors import AccessDenied, ApiUnavailable, SettingsWrong, Unavailable

MAX_BODY_BYTES = 64 * 1024
MAX_LIFE_SECONDS = 86_400.0
LIFE_WHEN_UNSAID_SECONDS = 300.0
"""expires_in is only recommended by the RFC; a 401 renews whatever was assumed."""

TRANSIENT_STATUSES = frozenset({408, 425, 429})
RFC_6749_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token and its life in seconds, counted from before it was asked for."""

    access_token: str
    expires_in: float


class _AskAgain(Exception):
    """The endpoint did not answer well this time; its text is ours."""


class TokenEndpoint:
    """A token endpoint and this client's credentials there; for one thread at a time.

    Args:
        url: the endpoint; plain http only on loopback.
        client_id: sent with the secret by HTTP Basic (RFC 6749 section 2.3.1).
        client_secret: see client_id.
        scope: sent when it is not empty; so is `audience`.
        audience: see scope.
        parameters: sent besides, such as a provider wants them; these others win.
        settings: prefix of the settings that messages name, ESG_API or ESG_ACCOUNTS.
        ca_bundle: PEM file of authorities that are trusted besides the public ones.
        client_cert: PEM file for mutual TLS.
        client_key: its private key; may also stand in `client_cert`.
        proxy: URL, "" for a direct connection; the environment's proxies are never used.
        timeout_seconds: for connecting, for each wait for bytes, and for the body as a whole.
        attempts: requests until the endpoint counts as unavailable.
        sleep: waits between them.
        unavailable: what is raised then.

    Raises:
        SettingsWrong: the URL, the credentials or a PEM file cannot be used.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str = "",
        audience: str = "",
        *,
        parameters: Mapping[str, str] | None = None,
        settings: str = "ESG_API",
        ca_bundle: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxy: str = "",
        timeout_seconds: float = 10.0,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        unavailable: type[Unavailable] = ApiUnavailable,
    ) -> None:
        if not client_id or not client_secret:
            missing = "CLIENT_SECRET" if client_id else "CLIENT_ID"
            raise SettingsWrong(f"{settings}_{missing} is empty; OAuth 2.0 needs the client's id and secret.")
        self._settings = settings
        self._url = checked_endpoint(url, f"{settings}_TOKEN_URL")
        form = {"grant_type": "client_credentials", "scope": scope, "audience": audience}
        self._form = {**(parameters or {}), **{name: value for name, value in form.items() if value}}
        self._timeout = timeout_seconds
        self._attempts = attempts
        self._sleep = sleep
        self._unavailable = unavailable
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
        self._session = verified_session(client_context(settings, ca_bundle, client_cert, client_key), proxy)
        self._session.headers["Accept"] = "application/json"
        # Minutes lie between two requests: a kept connection would only be one that was just closed.
        self._session.headers["Connection"] = "close"
        self._session.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()

    def fetch(self) -> Token:
        """A new token.

        Raises:
            AccessDenied: the endpoint refuses the credentials or the request.
            Unavailable: (the type given) it did not answer well in any attempt.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_AskAgain),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=8.0),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._fetch_once)
        except _AskAgain as last:
            raise self._unavailable(
                f"Asking the token endpoint for a token failed in {self._attempts} attempts: in the last one "
                f"{last}. Run again later; if it stays so, check {self._settings}_TOKEN_URL."
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __repr__(self) -> str:
        return "TokenEndpoint(***)"

    def _fetch_once(self) -> Token:
        status, body = self._post()
        if status == requests.codes.ok:
            return _token(body)
        transient = status in TRANSIENT_STATUSES or status >= requests.codes.internal_server_error
        if transient or status < requests.codes.multiple_choices:
            raise _AskAgain(f"it answered {status}")
        raise self._refusal(status, body)

    def _post(self) -> tuple[int, bytes]:
        try:
            with self._session.post(
                self._url, data=self._form, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                body = b""
                deadline = time.monotonic() + self._timeout
                for piece in response.iter_content(8192):
                    body += piece
                    if len(body) > MAX_BODY_BYTES or time.monotonic() > deadline:
                        raise _AskAgain("its answer did not end")
                return response.status_code, body
        except requests.exceptions.SSLError:
            raise _AskAgain("no TLS connection could be agreed on (certificate or protocol)") from None
        except requests.exceptions.Timeout:
            raise _AskAgain(f"it sent nothing for {self._timeout:g} s") from None
        except requests.exceptions.ConnectionError:
            raise _AskAgain("no connection could be made, or it broke off") from None
        except (requests.exceptions.RequestException, OSError, ValueError):
            raise _AskAgain("its answer was not valid HTTP") from None

    def _refusal(self, status: int, body: bytes) -> AccessDenied:
        error = _object(body).get("error")
        said = f" ({error})" if isinstance(error, str) and error in RFC_6749_ERRORS else ""
        prefix = self._settings
        return AccessDenied(
            f"The token endpoint refused this client: it answered {status}{said}. Check {prefix}_TOKEN_URL, "
            f"{prefix}_CLIENT_ID, {prefix}_CLIENT_SECRET, {prefix}_SCOPE and {prefix}_AUDIENCE."
        )


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _token(body: bytes) -> Token:
    """The token in a 200's body; anything odd may be a passing fault of what stands in between."""
    fields = _object(body)
    token, kind = fields.get("access_token"), fields.get("token_type")
    if not isinstance(token, str) or not is_field_value(token):
        raise _AskAgain("its answer held no usable access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _AskAgain("the token it gave is not a bearer token")
    return Token(token, _life(fields.get("expires_in", LIFE_WHEN_UNSAID_SECONDS)))


def _life(seconds: object) -> float:
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = float(seconds)  # some endpoints send "3599"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise _AskAgain("the token it gave has no life left")
    return float(min(seconds, MAX_LIFE_SECONDS))
