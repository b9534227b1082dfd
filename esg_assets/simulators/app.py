"""The ASGI application: routing for both simulators, and their construction from options.

Nothing but ASGI itself is used: one process should answer several thousand ratings a second.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from urllib.parse import unquote_to_bytes

from esg_assets.simulators.account_faults import AccountFaults
from esg_assets.simulators.account_system import AccountSystem
from esg_assets.simulators.accounts import AccountBook, CsvAccounts
from esg_assets.simulators.call_statistics import Statistics
from esg_assets.simulators.control import ACTIONS, Control
from esg_assets.simulators.credentials import Credentials
from esg_assets.simulators.deliveries import send_reply
from esg_assets.simulators.esg_api import EsgApi
from esg_assets.simulators.exchange import Line, Receive, Reply, Request, Scope, Send, problem, with_header
from esg_assets.simulators.faults import Faults
from esg_assets.simulators.generated import EverybodyRated, GeneratedAccounts, GeneratedRatings
from esg_assets.simulators.options import Options
from esg_assets.simulators.outage import Outage
from esg_assets.simulators.providers import Providers
from esg_assets.simulators.rate_limit import TokenBucket
from esg_assets.simulators.ratings import CsvRatings, RatingBook
from esg_assets.simulators.token_endpoint import faulty, token
from esg_assets.simulators.token_faults import TokenFaults

_Route = tuple[tuple[str, ...], Callable[[Request], Reply]]
_READ, _WRITE = ("GET", "HEAD"), ("POST",)
_SEVERAL = b"/v1/esg-ratings"
_ONE_HEAD, _ONE_TAIL = b"/v1/accounts/", b"/esg-rating"
_MOST_BODY = 64 * 1024


class Simulators:
    """Account system and ESG API on one port, as an ASGI application."""

    def __init__(self, options: Options) -> None:
        accounts, ratings = books(options)
        self._credentials = Credentials(
            options.schemes("auth"),
            options.schemes("accounts_auth"),
            options.client_id,
            options.client_secret,
            options.api_key,
            options.bearer_token,
            options.token_seconds,
        )
        self._token_faults = TokenFaults.parse(options.token_faults)
        self._statistics = Statistics()
        self._account_system = AccountSystem(
            accounts,
            history=not options.no_history,
            cursor_seconds=options.cursor_seconds,
            faults=AccountFaults.parse(options.accounts_faults),
        )
        self._api = EsgApi(
            ratings,
            self._credentials,
            TokenBucket(options.rate, options.burst_in_force, monotonic(), options.limit_headers),
            Faults.parse(options.faults, options.seed),
            Outage.parse(options.outage),
            options.redirect_to,
            self._statistics,
        )
        self._provider = Providers(options.provider, self._api, "https" if options.tls_cert else "http")
        self._latency = options.latency
        self._routes = self._other_routes(Control(self._api, self._token_faults) if options.control else None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: bytes = scope["raw_path"]
        line = Line(scope, receive, send)
        if path == _SEVERAL:
            await self._rating_call(_READ, self._api.several, line)
        elif (account_id := _account_id(path)) is not None:
            await self._rating_call(_READ, partial(self._api.one, account_id=account_id), line)
        elif (route := self._provider.routes.get(path)) is not None:
            method, answer = route
            await self._rating_call((method,), answer, line)
        else:
            reply = await self._other(path, line)
            await (reply.delivery or send_reply)(reply, line)

    async def _rating_call(
        self, methods: tuple[str, ...], answer: Callable[[Request], Reply], line: Line
    ) -> None:
        """A call of the ESG API, for one account or for several."""
        scope = line.scope
        if scope["method"] not in methods:
            await send_reply(_not_allowed(methods), line)
            return
        self._statistics.arrive(monotonic())
        try:
            body = await _body(line.receive) if methods == _WRITE else b""
            if body is None:
                reply = _too_large()
            else:
                reply = answer(Request(scope["headers"], scope["query_string"], body))
            if self._latency:
                await asyncio.sleep(self._latency)
            await (reply.delivery or send_reply)(reply, line)
        finally:
            self._statistics.in_flight -= 1

    async def _other(self, path: bytes, line: Line) -> Reply:
        methods, handle = self._routes.get(path, ((), None))
        if handle is None:
            return problem(404, "no_such_resource", "Not Found")
        if line.scope["method"] not in methods:
            return _not_allowed(methods)
        body = await _body(line.receive) if methods == _WRITE else b""
        if body is None:
            return _too_large()
        return handle(Request(line.scope["headers"], line.scope["query_string"], body))

    def _other_routes(self, control: Control | None) -> dict[bytes, _Route]:
        routes: dict[bytes, _Route] = {
            b"/v1/accounts": (_READ, self._page),
            b"/oauth2/token": (_WRITE, self._token),
        }
        if control is not None:
            for action, methods in ACTIONS.items():
                routes[b"/_simulator/" + action.encode()] = (methods, partial(control.handle, action))
        return routes

    def _page(self, request: Request) -> Reply:
        self._statistics.pages += 1
        now = monotonic()
        return self._credentials.refusal(request, now, scope=None) or self._account_system.page(request, now)

    def _token(self, request: Request) -> Reply:
        self._statistics.token_requests += 1
        if (kind := self._token_faults.of_call()) is not None:
            return faulty(kind)
        return token(self._credentials, request, monotonic())


def books(options: Options) -> tuple[AccountBook, RatingBook]:
    """The accounts and the ratings that the options ask for.

    Raises:
        WrongInput: a file cannot be served.
    """
    accounts: AccountBook
    ratings: RatingBook
    if options.accounts_file:
        accounts = CsvAccounts(Path(options.accounts_file))
    else:
        accounts = GeneratedAccounts(
            options.accounts, options.seed, options.inactive, awkward=not options.plain_ids
        )
    if options.ratings_file:
        ratings = CsvRatings(Path(options.ratings_file))
    else:
        rated = EverybodyRated() if options.any_account else accounts
        ratings = GeneratedRatings(rated, options.seed, options.unrated)
    return accounts, ratings


def _account_id(path: bytes) -> str | None:
    """The id in the path of a rating, None for another path: one segment, whatever it stands for."""
    segment = path[len(_ONE_HEAD) : -len(_ONE_TAIL)]
    if not segment or b"/" in segment or not (path.startswith(_ONE_HEAD) and path.endswith(_ONE_TAIL)):
        return None
    try:
        return (unquote_to_bytes(segment) if b"%" in segment else segment).decode()
    except UnicodeDecodeError:
        return None


def _not_allowed(methods: tuple[str, ...]) -> Reply:
    reply = problem(405, "method_not_allowed", "Method Not Allowed")
    return with_header(reply, b"allow", ", ".join(methods).encode())


def _too_large() -> Reply:
    return problem(413, "body_too_large", "Content Too Large", f"at most {_MOST_BODY} bytes")


async def _body(receive: Receive) -> bytes | None:
    """The request's body, None if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > _MOST_BODY:
            return None
        if not message.get("more_body", False):
            return body
