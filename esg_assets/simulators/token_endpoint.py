"""POST /oauth2/token: the client-credentials grant of RFC 6749 section 4.4."""

import json

from esg_assets.simulators.credentials import SCOPES, Credentials
from esg_assets.simulators.exchange import (
    Malformed,
    Reply,
    Request,
    json_reply,
    query_of,
    single,
    with_header,
)
from esg_assets.simulators.faults import Fault
from esg_assets.simulators.misbehaviour import misbehave

_RFC_6749_ERRORS = {400: "invalid_request", 401: "invalid_client"}
_FORM = b"application/x-www-form-urlencoded"


class _Refused(Exception):
    """The RFC 6749 error code and its description."""


def token(credentials: Credentials, request: Request, now: float) -> Reply:
    """A bearer token, or the RFC 6749 error that the request earns."""
    if not credentials.knows_client(request):
        reply = _error(401, "invalid_client", "client id and secret are wanted by HTTP Basic")
        return with_header(reply, b"www-authenticate", b'Basic realm="simulators", charset="UTF-8"')
    try:
        scopes = _asked(request)
    except Malformed as error:
        return _error(400, "invalid_request", str(error))
    except _Refused as refused:
        return _error(400, *refused.args)
    answer = {
        "access_token": credentials.issue(frozenset(scopes), now),
        "token_type": "Bearer",
        "expires_in": credentials.token_seconds,
        "scope": " ".join(scopes),
    }
    return _uncached(json_reply(json.dumps(answer).encode()))


def faulty(kind: str) -> Reply:
    """What is answered for a kind of `token_faults`."""
    if kind == "no_token":
        return json_reply(b'{"token_type":"Bearer","expires_in":3600}')
    if kind.isdigit() and (error := _RFC_6749_ERRORS.get(int(kind))) is not None:
        return _error(int(kind), error, "this answer was ordered")
    return misbehave(Fault(kind), json_reply(b"{}"), "")


def _asked(request: Request) -> list[str]:
    """The scopes that a well-formed request asks for."""
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type != _FORM:
        raise Malformed(f"the body must be {_FORM.decode()}")
    form = query_of(request.body)
    grant_type, scope = single(form, "grant_type"), single(form, "scope")
    if not grant_type:
        raise Malformed("grant_type is missing")
    if grant_type != "client_credentials":
        raise _Refused("unsupported_grant_type", "only client_credentials is supported")
    scopes = list(dict.fromkeys(scope.split(" "))) if scope else list(SCOPES)
    if not set(scopes) <= set(SCOPES):
        raise _Refused("invalid_scope", f"the scopes are {', '.join(SCOPES)}")
    return scopes


def _error(status: int, code: str, description: str) -> Reply:
    body = json.dumps({"error": code, "error_description": description}).encode()
    return _uncached(json_reply(body, status))


def _uncached(reply: Reply) -> Reply:
    return with_header(reply, b"cache-control", b"no-store")
