"""Who may call: issued tokens, the API key, the static bearer token, and the refusals they lead to."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from esg_assets.simulators.exchange import Reply, Request, problem, with_header

SCOPES = ("esg.read", "accounts.read")
"""Scopes that a client may ask for; without asking it gets both."""

SCHEMES = ("oauth2", "api_key", "bearer", "mtls", "none")
"""Ways to authenticate. `mtls` leaves it to the TLS handshake, `none` lets everybody in."""


@dataclass
class Credentials:
    """The one client that the simulators know, and the tokens issued to it.

    Attributes:
        accepted: the SCHEMES that the ESG API accepts.
        accounts_accepted: those that the account system accepts.
        client_id, client_secret: for the token endpoint.
        api_key, bearer_token: the static credentials.
        token_seconds: how long an issued token lives.
    """

    accepted: frozenset[str]
    accounts_accepted: frozenset[str]
    client_id: str
    client_secret: str
    api_key: str
    bearer_token: str
    token_seconds: int
    issued: int = 0
    _tokens: dict[bytes, tuple[float, frozenset[str]]] = field(default_factory=dict)

    def issue(self, scopes: frozenset[str], now: float) -> str:
        """A new token for `scopes`, valid from `now` for `token_seconds`."""
        for old in [t for t, (end, _) in self._tokens.items() if end <= now]:
            del self._tokens[old]
        token = secrets.token_urlsafe(24)
        self._tokens[token.encode()] = (now + self.token_seconds, scopes)
        self.issued += 1
        return token

    def revoke(self) -> int:
        """End every token now; how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def refusal(self, request: Request, now: float, scope: str | None = "esg.read") -> Reply | None:
        """None if the request may pass, else the 401 or 403 that it gets.

        Args:
            request: the call.
            now: seconds of the clock that `issue` was given.
            scope: what an issued token must be good for; None asks as the account system does,
                whose contract knows no scopes.
        """
        accepted = self.accounts_accepted if scope is None else self.accepted
        if "none" in accepted or "mtls" in accepted:
            return None
        authorization = api_key = None
        for name, value in request.headers:
            if name == b"authorization":
                authorization = value
            elif name == b"x-api-key":
                api_key = value
        if api_key is not None and "api_key" in accepted and _same(api_key, self.api_key):
            return None
        if authorization is None or authorization[:7].lower() != b"bearer ":
            return _unauthorized(accepted, "no credentials that are accepted here", error=None)
        token = authorization[7:].strip()
        if "bearer" in accepted and _same(token, self.bearer_token):
            return None
        if "oauth2" in accepted and (held := self._tokens.get(token)) is not None and held[0] > now:
            return None if scope is None or scope in held[1] else _out_of_scope(scope)
        return _unauthorized(accepted, "the token is unknown or has expired", error="invalid_token")

    def knows_client(self, request: Request) -> bool:
        """Whether the request carries the client's id and secret by HTTP Basic, each form-encoded.

        RFC 6749 section 2.3.1: a secret with `+` or `%` in it that is sent as it is, is another one.
        """
        authorization = request.header(b"authorization")
        if authorization is None or authorization[:6].lower() != b"basic ":
            return False
        try:
            pair = base64.b64decode(authorization[6:].strip(), validate=True)
        except binascii.Error:
            return False
        client_id, colon, secret = pair.partition(b":")
        known = [_same(_form_decoded(client_id), self.client_id)]
        known.append(_same(_form_decoded(secret), self.client_secret))
        return bool(colon) and all(known)


def _form_decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _same(given: bytes, wanted: str) -> bool:
    return hmac.compare_digest(given, wanted.encode())


def _unauthorized(accepted: frozenset[str], detail: str, error: str | None) -> Reply:
    reply = problem(401, error or "unauthorized", "Unauthorized", detail)
    if accepted & {"oauth2", "bearer"}:
        challenge = b'Bearer realm="simulators"' + (b', error="invalid_token"' if error else b"")
        with_header(reply, b"www-authenticate", challenge)
    if "api_key" in accepted:
        with_header(reply, b"www-authenticate", b'ApiKey realm="simulators"')
    return reply


def _out_of_scope(scope: str) -> Reply:
    reply = problem(403, "insufficient_scope", "Forbidden", f"the token is not good for {scope}")
    return with_header(
        reply, b"www-authenticate", b'Bearer error="insufficient_scope", scope="%s"' % scope.encode()
    )
