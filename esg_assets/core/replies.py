"""Judging one reply of the provider: for each account asked, an outcome or a reason to ask again.

HTTP statuses and faults are ruled by tables; the body of a 200 is believed only after
`esg_assets.core.rating_bodies` has checked all that is taken from it. When to ask again, and what a 401
or a 403 means for the whole run, is decided in `esg_assets.core.collection`, which alone knows whether
any call succeeded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from esg_assets.core.rating_bodies import InvalidRating, NumberText, parse, read_rating
from esg_assets.core.ratings import Fault, Metric, Rating, Reason, Reply, Status
from esg_assets.core.reply_shapes import CONTRACT_SHAPE, ReplyShape


class Ruling(StrEnum):
    """What a reply means for the account's place in the queue."""

    FINAL = "final"  # this is how the account ends
    TRANSIENT = "transient"  # ask again while tries are left
    UNAUTHORIZED = "unauthorized"  # 401: try once more if the token was renewed
    FORBIDDEN = "forbidden"  # 403: the run's end if no call has ever succeeded


REFUSAL_STATUS = {Ruling.UNAUTHORIZED: 401, Ruling.FORBIDDEN: 403}
"""Rulings that may mean that the client is refused as a whole, of a call or of one account in it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one reply means.

    Attributes:
        ruling: what to do with the account.
        status, reason: how the account ends now (FINAL) or if no better reply comes (the others).
        rating: present exactly when status is SUCCESS.
        code: for a 200 that is not believed, one of our own short codes (see `judge_many`);
            otherwise "". Safe in logs: it holds nothing that the provider sent.
        whole: the call failed as a whole, rather than this account's entry in it.
    """

    ruling: Ruling
    status: Status
    reason: Reason | None = None
    rating: Rating | None = None
    code: str = ""
    whole: bool = False

    @property
    def may_be_outage(self) -> bool:
        """Whether the provider may be down; one that refuses for the rate is up."""
        return self.ruling is Ruling.TRANSIENT and self.reason is not Reason.RATE_LIMITED


def _failed(ruling: Ruling, reason: Reason) -> Judgement:
    return Judgement(ruling, Status.FAILED, reason)


_RATE_LIMITED = _failed(Ruling.TRANSIENT, Reason.RATE_LIMITED)
_TIMEOUT = _failed(Ruling.TRANSIENT, Reason.TIMEOUT)
_UNAVAILABLE = _failed(Ruling.TRANSIENT, Reason.UNAVAILABLE)
_BAD_RESPONSE = _failed(Ruling.TRANSIENT, Reason.BAD_RESPONSE)
_REJECTED = _failed(Ruling.FINAL, Reason.REJECTED)
_MISDIRECTED = _failed(Ruling.FINAL, Reason.BAD_RESPONSE)

STATUS_RULINGS: Mapping[int, Judgement] = {
    401: _failed(Ruling.UNAUTHORIZED, Reason.UNAUTHORIZED),
    403: _failed(Ruling.FORBIDDEN, Reason.UNAUTHORIZED),
    404: Judgement(Ruling.FINAL, Status.NOT_RATED, Reason.NOT_COVERED),
    408: _TIMEOUT,
    425: _UNAVAILABLE,  # Too Early: the server would not risk a replay
    429: _RATE_LIMITED,
    504: _TIMEOUT,
}
"""Statuses with a meaning of their own; 200 is ruled by its body."""

CLASS_RULINGS: Mapping[int, Judgement] = {
    1: _BAD_RESPONSE,
    2: _BAD_RESPONSE,  # a success without the rating that was asked for
    3: _MISDIRECTED,  # never followed; 304 too, since we never ask conditionally
    4: _REJECTED,
    5: _UNAVAILABLE,
}
"""All other statuses, by their first digit."""

FAULT_RULINGS: Mapping[Fault, Judgement] = {
    Fault.TIMEOUT: _TIMEOUT,
    Fault.UNAVAILABLE: _UNAVAILABLE,
    Fault.BAD_RESPONSE: _BAD_RESPONSE,
    Fault.LOCAL_REFUSAL: _REJECTED,
}


OK = 200
"""The one status that is ruled by its body."""


def judge(reply: Reply, account_id: str, as_of: date, metrics: Sequence[Metric]) -> Judgement:
    """What `reply`, in the contract's shape, means for the one account it was asked for."""
    return judge_many(reply, (account_id,), as_of, metrics, CONTRACT_SHAPE)[account_id]


def judge_many(
    reply: Reply,
    account_ids: Sequence[str],
    as_of: date,
    metrics: Sequence[Metric],
    shape: ReplyShape,
) -> Mapping[str, Judgement]:
    """What `reply` means for each of the accounts it was asked for.

    The judgement of an account depends on the reply and the account alone, never on which others are
    asked about: judging the same body again for one of them gives the same.

    Args:
        reply: what the call brought.
        account_ids: the accounts that were asked for, unique.
        as_of: the date that was asked for.
        metrics: the further metrics to keep.
        shape: where the entries of a document stand.

    Returns:
        One judgement for each account. Codes of those with the reason bad_response, where the status
        was 200: those of `parse` and of the shape (then for the whole call), those of `read_rating`,
        wrong_account (the only entry is another's), missing_account, account_twice, error_invalid.

    Never raises for anything that the provider can send.
    """
    if reply.status != OK or reply.fault is not None:
        return dict.fromkeys(account_ids, replace(_ruling(reply), whole=True))
    try:
        entries = _entries(reply.body, shape)
    except InvalidRating as invalid:
        return dict.fromkeys(account_ids, _disbelieved(invalid.code, whole=True))
    found: dict[str, Judgement] = {}
    wanted = frozenset(account_ids)
    nameless = False
    for entry in entries:
        account_id = entry.get("account_id") if type(entry) is dict else None
        if type(entry) is not dict or type(account_id) is not str:  # exact: a JSON number is a str here too
            nameless = True
        elif account_id not in wanted:
            continue
        elif account_id in found:
            found[account_id] = _disbelieved("account_twice")
        else:
            found[account_id] = _judge_entry(entry, as_of, metrics)
    if len(found) < len(wanted):
        absent = _absent(len(entries), omitted=shape.omits_unrated and not nameless)
        found = {account_id: found.get(account_id, absent) for account_id in account_ids}
    return found


def _ruling(reply: Reply) -> Judgement:
    return FAULT_RULINGS[reply.fault] if reply.fault is not None else _status_ruling(reply.status or 0)


def _status_ruling(status: int) -> Judgement:
    return STATUS_RULINGS.get(status) or CLASS_RULINGS.get(status // 100, _BAD_RESPONSE)


def _disbelieved(code: str, *, whole: bool = False) -> Judgement:
    return Judgement(Ruling.TRANSIENT, Status.FAILED, Reason.BAD_RESPONSE, code=code, whole=whole)


def _entries(body: bytes, shape: ReplyShape) -> Sequence[object]:
    try:
        return shape.entries(parse(body))
    except InvalidRating as strict:
        # One NaN, or one key that stands twice, must not harm the other accounts of the call.
        if strict.code in {"duplicate_key", "not_json"} and len(entries := _spoilt(body, shape)) > 1:
            return entries
        raise


def _spoilt(body: bytes, shape: ReplyShape) -> Sequence[object]:
    try:
        return shape.entries(parse(body, lenient=True))
    except InvalidRating:
        return ()


def _judge_entry(entry: Mapping[str, object], as_of: date, metrics: Sequence[Metric]) -> Judgement:
    if (error := entry.get("error")) is not None:
        return _judge_error(error)
    try:
        rating = read_rating(entry, as_of, metrics)
    except InvalidRating as invalid:
        return _disbelieved(invalid.code)
    return Judgement(Ruling.FINAL, Status.SUCCESS, rating=rating)


def _judge_error(error: object) -> Judgement:
    status = error.get("status") if type(error) is dict else None
    # Three digits: a number of a thousand digits would be slow to read, and 4.04e2 is nobody's status.
    if type(status) is not NumberText or not (status.isdecimal() and len(status) == 3):  # noqa: PLR2004
        return _disbelieved("error_invalid")
    return _status_ruling(int(status)) if int(status) != OK else _disbelieved("error_invalid")


def _absent(entries: int, *, omitted: bool) -> Judgement:
    """What it means for an account that the reply has no entry of it."""
    if omitted:
        return STATUS_RULINGS[404]
    return _disbelieved("wrong_account" if entries == 1 else "missing_account")
