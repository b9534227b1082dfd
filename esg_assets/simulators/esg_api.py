"""The ESG API: one account's rating, or several at once.

A call passes, in this order: outage, credentials, rate limit, the query, the account's fault. Only
what gets past the rate limit counts as a try of the account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from esg_assets.simulators.call_statistics import Statistics
from esg_assets.simulators.credentials import Credentials
from esg_assets.simulators.exchange import (
    Malformed,
    Reply,
    Request,
    date_in,
    is_full_date,
    json_reply,
    json_text,
    problem,
    query_of,
    with_header,
)
from esg_assets.simulators.faults import ENTRY_KINDS, Fault, Faults, expected_fault
from esg_assets.simulators.misbehaviour import misbehave, outage_reply, spoilt
from esg_assets.simulators.outage import Outage
from esg_assets.simulators.rate_limit import TokenBucket
from esg_assets.simulators.ratings import RatingBook

MOST_ACCOUNTS = 100
"""Accounts in one call of the several-accounts endpoint."""

_ENTRY_STATUSES = {"403": "forbidden", "404": "not_rated", "422": "not_ratable"}
"""Statuses that concern one account; in a call for several they stand in its entry."""

_UNDELIVERED = frozenset({"timeout", "reset", "cut"})


@dataclass
class EsgApi:
    """The ESG API of one book of ratings.

    Attributes:
        book: the ratings.
        credentials: who may call.
        bucket: the rate limit, one for all calls.
        faults, outage: what was ordered.
        redirect_to: where a redirect leads.
        statistics: what it counts into.
        clock: seconds that only go forward.
    """

    book: RatingBook
    credentials: Credentials
    bucket: TokenBucket
    faults: Faults
    outage: Outage
    redirect_to: str
    statistics: Statistics
    clock: Callable[[], float] = monotonic

    def one(self, request: Request, account_id: str) -> Reply:
        """GET /v1/accounts/{account_id}/esg-rating."""
        self.statistics.call_for(account_id)
        refusal = self._refusal(request)
        if refusal is not None:
            return self._counted(refusal)
        nth = self.statistics.try_for(account_id)
        try:
            as_of = _as_of(request.query)
        except Malformed as error:
            return self._counted(problem(422, "invalid_parameter", "Unprocessable Content", str(error)))
        fault = expected_fault(self.faults, account_id, nth) if self.faults.orders else None
        return self._counted(self._rating(request, account_id, as_of, fault), fault)

    def several(self, request: Request) -> Reply:
        """GET /v1/esg-ratings: one entry for each account, in the order asked."""
        try:
            parameters = query_of(request.query)
            account_ids, as_of = parameters.get("account_id", []), date_in(parameters, "as_of")
            wrong = _wrong_count(len(account_ids))
        except Malformed as error:
            account_ids, as_of, wrong = [], None, str(error)
        for account_id in account_ids:
            self.statistics.call_for(account_id)
        refusal = self._refusal(request)
        if refusal is not None:
            return self._counted(refusal)
        if wrong:
            return self._counted(problem(422, "invalid_parameter", "Unprocessable Content", wrong))
        faults = [self._next_fault(account_id) for account_id in account_ids]
        entries = [self._entry(i, as_of, f) for i, f in zip(account_ids, faults, strict=True)]
        reply = json_reply(f'{{"ratings":[{",".join(filter(None, entries))}]}}'.encode())
        self.bucket.announce(reply.headers)
        # The first account whose fault cannot stand in an entry spoils the reply for all.
        whole = next(
            (f for f in faults if f and f.kind not in ENTRY_KINDS and f.kind not in _ENTRY_STATUSES), None
        )
        if whole is not None:
            return self._counted(misbehave(whole, reply, self.redirect_to), whole)
        for account_id, fault in zip(account_ids, faults, strict=True):
            if fault is None or fault.kind not in ENTRY_KINDS:
                self.statistics.answer_for(account_id, as_of)
        return self._counted(reply)

    def _refusal(self, request: Request) -> Reply | None:
        now = self.clock()
        if self.outage.covers(self.statistics.calls, now):
            return outage_reply(self.outage.kind)
        refusal = self.credentials.refusal(request, now)
        if refusal is not None:
            return refusal
        if self.bucket.take(now):
            return None
        self.statistics.refused += 1
        refusal = problem(429, "rate_limited", "Too Many Requests", "the rate limit is used up")
        with_header(refusal, b"retry-after", b"%d" % self.bucket.wait_seconds(now))
        self.bucket.announce(refusal.headers)
        return refusal

    def _next_fault(self, account_id: str) -> Fault | None:
        nth = self.statistics.try_for(account_id)
        fault = expected_fault(self.faults, account_id, nth)
        if fault is not None:
            self.statistics.faults[fault.kind] += 1
        return fault

    def _rating(self, request: Request, account_id: str, as_of: str | None, fault: Fault | None) -> Reply:
        rating = self.book.rating(account_id, as_of)
        if rating is None and fault is not None and fault.kind in ENTRY_KINDS:
            fault = None
        if rating is None:
            reply = problem(
                404, "not_rated", "Not Found", "the account is unknown or holds nothing that is rated"
            )
        elif fault is None and _matches(request.header(b"if-none-match"), rating.etag):
            reply = Reply(304, [(b"etag", rating.etag)])
        else:
            body = rating.body
            if fault is not None and fault.kind in ENTRY_KINDS:
                body = spoilt(fault.kind, body, account_id, as_of) or b"{}"
            reply = json_reply(body)
            if body is rating.body:
                reply.headers.append((b"etag", rating.etag))
        self.bucket.announce(reply.headers)
        if fault is None:
            self.statistics.answer_for(account_id, as_of)
            return reply
        self.statistics.faults[fault.kind] += 1
        if fault.kind in {"404", "422", "slow", "drip"}:
            self.statistics.answer_for(account_id, as_of)
        return reply if fault.kind in ENTRY_KINDS else misbehave(fault, reply, self.redirect_to)

    def _entry(self, account_id: str, as_of: str | None, fault: Fault | None) -> str:
        rating = self.book.rating(account_id, as_of)
        if fault is not None and fault.kind in _ENTRY_STATUSES:
            return _error_entry(account_id, int(fault.kind))
        if rating is None:
            return _error_entry(account_id, 404)
        if fault is not None and fault.kind in ENTRY_KINDS:
            return spoilt(fault.kind, rating.body, account_id, as_of).decode()
        return rating.body.decode()

    def _counted(self, reply: Reply, fault: Fault | None = None) -> Reply:
        undelivered = fault is not None and fault.kind in _UNDELIVERED
        self.statistics.answers[fault.kind if fault and undelivered else str(reply.status)] += 1
        return reply


def _as_of(query: bytes) -> str | None:
    # The ordinary query, without the general parser.
    if query.startswith(b"as_of=") and is_full_date(text := query[6:].decode("latin-1")):
        return text
    return date_in(query_of(query), "as_of") if query else None


def _wrong_count(count: int) -> str:
    if 1 <= count <= MOST_ACCOUNTS:
        return ""
    return f"account_id must be given 1 to {MOST_ACCOUNTS} times, not {count}"


def _error_entry(account_id: str, status: int) -> str:
    code = _ENTRY_STATUSES[str(status)]
    return f'{{"account_id":{json_text(account_id)},"error":{{"status":{status},"code":"{code}"}}}}'


def _matches(if_none_match: bytes | None, etag: bytes) -> bool:
    """RFC 9110 section 13.1.2: weak comparison with each tag of the list, or `*`."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return tags == [b"*"] or etag in tags
