"""GET /v1/accounts: pages of accounts behind opaque cursors, as of a date or now."""

import re
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from esg_assets.simulators.account_faults import AccountFaults
from esg_assets.simulators.accounts import STATUSES, AccountBook, listing
from esg_assets.simulators.exchange import (
    Malformed,
    Reply,
    Request,
    date_in,
    json_reply,
    problem,
    query_of,
    single,
    with_header,
)

if TYPE_CHECKING:
    from array import array

DEFAULT_PAGE, LARGEST_PAGE = 500, 1000

_PAGE_SIZE = re.compile(r"[0-9]{1,4}")
_KEPT_LISTINGS = 4
_KEPT_CURSORS = 100_000


class _Cursor(NamedTuple):
    status: str
    as_of: str | None
    positions: "array[int]"
    start: int
    expires_at: float


class _Query(NamedTuple):
    status: str | None
    as_of: str | None
    page_size: int
    cursor: str | None


class AccountSystem:
    """The account system of one book.

    A listing is frozen when its first page is asked for: its cursors go on in the same list, whose
    length `total` tells on each page. `history` false means that `as_of` is refused.
    """

    def __init__(
        self, book: AccountBook, *, history: bool = True, cursor_seconds: float = 300.0, faults: AccountFaults
    ) -> None:
        self._book, self._history, self._cursor_seconds = book, history, cursor_seconds
        self.faults = faults
        self._listings: OrderedDict[tuple[str, str | None], array[int]] = OrderedDict()
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()

    def page(self, request: Request, now: float) -> Reply:
        """One page, or the problem document that the query earns."""
        try:
            query = _read(request.query)
        except Malformed as error:
            return problem(400, "invalid_parameter", "Bad Request", str(error))
        if (ordered := self.faults.of_call(has_cursor=query.cursor is not None)) is not None:
            return _ordered(ordered)
        if query.as_of is not None and not self._history:
            return problem(
                400, "as_of_unsupported", "Bad Request", "this system keeps no history; leave as_of out"
            )
        if query.cursor is None:
            status = query.status or "active"
            positions, start, as_of = self._listing(status, query.as_of), 0, query.as_of
        else:
            held = self._cursors.get(query.cursor)
            if held is None or held.expires_at <= now:
                return _cursor_gone()
            if query.status not in (None, held.status) or query.as_of not in (None, held.as_of):
                return problem(400, "cursor_mismatch", "Bad Request", "the cursor is of another listing")
            status, as_of, positions, start = held.status, held.as_of, held.positions, held.start
        return self._page(status, as_of, positions, start, query.page_size, now)

    def _page(
        self, status: str, as_of: str | None, positions: "array[int]", start: int, size: int, now: float
    ) -> Reply:
        end = min(start + size, len(positions))
        cursor = None
        if end < len(positions):
            cursor = secrets.token_urlsafe(18)
            self._cursors[cursor] = _Cursor(status, as_of, positions, end, now + self._cursor_seconds)
            while len(self._cursors) > _KEPT_CURSORS:
                self._cursors.popitem(last=False)
        rows = [self._book.account(at).json(status) for at in positions[start:end]]
        total = len(positions)
        if self.faults.repeated_account and end == total and rows:
            rows.append(rows[-1])
            total += 1
        if self.faults.wrong_total:
            total += 1
        following = "null" if cursor is None else f'"{cursor}"'
        body = f'{{"accounts":[{",".join(rows)}],"next_cursor":{following},"total":{total}}}'
        return json_reply(body.encode())

    def _listing(self, status: str, as_of: str | None) -> "array[int]":
        key = (status, as_of)
        found = self._listings.get(key)
        if found is None:
            found = self._listings[key] = listing(self._book, status, as_of)
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        return found


def _read(query: bytes) -> _Query:
    parameters = query_of(query)
    status = single(parameters, "status")
    if status is not None and status not in STATUSES:
        raise Malformed(f"status is none of {', '.join(STATUSES)}")
    text = single(parameters, "page_size")
    size = DEFAULT_PAGE
    if text is not None:
        if not (_PAGE_SIZE.fullmatch(text) and 1 <= int(text) <= LARGEST_PAGE):
            raise Malformed(f"page_size is not a whole number from 1 to {LARGEST_PAGE}")
        size = int(text)
    return _Query(status, date_in(parameters, "as_of"), size, single(parameters, "cursor"))


def _cursor_gone() -> Reply:
    return problem(
        410, "cursor_expired", "Gone", "the cursor is unknown or has expired; start over without one"
    )


def _ordered(kind: str) -> Reply:
    if kind == "expired":
        return _cursor_gone()
    if kind == "truncated":
        return json_reply(b'{"accounts":[{"account_id":"A')
    if kind == "not_json":
        return Reply(200, [(b"content-type", b"text/html"), (b"content-length", b"6")], b"<html>")
    status = int(kind)
    reply = problem(status, "ordered", "Ordered fault", "this answer was ordered")
    return with_header(reply, b"retry-after", b"1") if status in (429, 503) else reply
