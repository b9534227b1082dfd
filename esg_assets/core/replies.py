"""Judging one reply of the provider: an outcome, or a reason to ask again.

HTTP statuses and faults are ruled by tables; the body of a 200 is believed only after
`read_rating` has checked all of it. When to ask again, and what a 401 or a 403 means for the whole
run, is decided in `esg_assets.core.collection`, which alone knows whether any call succeeded.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NoReturn

from esg_assets.core.ratings import PILLARS, Fault, Metric, Rating, Reason, Reply, Status

RATINGS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")

MAX_NUMBER_CHARS = 40
"""Longest number text that is kept; 17 digits are all that a double has."""

MAX_EXPONENT = 40
"""A number of another order of magnitude (10^±40) is an error or an attack, whatever it measures."""


class Ruling(StrEnum):
    """What a reply means for the account's place in the queue."""

    FINAL = "final"  # this is how the account ends
    TRANSIENT = "transient"  # ask again while tries are left
    UNAUTHORIZED = "unauthorized"  # 401: try once more if the token was renewed
    FORBIDDEN = "forbidden"  # 403: the run's end if no call has ever succeeded


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one reply means.

    Attributes:
        ruling: what to do with the account.
        status, reason: how the account ends now (FINAL) or if no better reply comes (the others).
        rating: present exactly when status is SUCCESS.
        code: for a 200 that is not believed, one of our own short codes (see `read_rating`);
            otherwise "". Safe in logs: it holds nothing that the provider sent.
    """

    ruling: Ruling
    status: Status
    reason: Reason | None = None
    rating: Rating | None = None
    code: str = ""


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


def judge(reply: Reply, account_id: str, as_of: date, metrics: Sequence[Metric]) -> Judgement:
    """What `reply` means for the account it was asked for.

    Args:
        reply: what the call brought.
        account_id: the account that was asked for.
        as_of: the date that was asked for.
        metrics: the further metrics to keep.

    Never raises for anything that the provider can send.
    """
    if reply.fault is not None:
        return FAULT_RULINGS[reply.fault]
    status = reply.status or 0
    if status != 200:  # noqa: PLR2004  # the one status that is ruled by its body
        return STATUS_RULINGS.get(status) or CLASS_RULINGS.get(status // 100, _BAD_RESPONSE)
    try:
        rating = read_rating(reply.body, account_id, as_of, metrics)
    except InvalidRating as invalid:
        return Judgement(Ruling.TRANSIENT, Status.FAILED, Reason.BAD_RESPONSE, code=invalid.code)
    return Judgement(Ruling.FINAL, Status.SUCCESS, rating=rating)


class InvalidRating(Exception):
    """The body of a 200 is not the rating that was asked for.

    Attributes:
        code: which rule it breaks; one of ours, never the provider's text.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_rating(body: bytes, account_id: str, as_of: date, metrics: Sequence[Metric]) -> Rating:
    """The rating in `body` (the contract's EsgRating as JSON), with the number texts as sent.

    Fields that the contract does not know, and metrics that nobody asked for, are ignored.

    Raises:
        InvalidRating: with one of the codes not_utf8, not_json, nested_too_deeply, duplicate_key,
            not_an_object, wrong_account, as_of_invalid, as_of_in_future, score_invalid,
            score_out_of_range, focus_invalid, rating_invalid, coverage_invalid,
            coverage_out_of_range, metrics_invalid, metric_invalid.
    """
    fields = _parse(body)
    # An exact type: a JSON number is a str here too, but a _NumberText.
    if type(sent := fields.get("account_id")) is not str or sent != account_id:
        raise InvalidRating("wrong_account")
    focus = fields.get("primary_focus")
    if type(focus) is not str or focus not in PILLARS:
        raise InvalidRating("focus_invalid")
    grade = fields.get("rating", "")
    if type(grade) is not str or (grade not in RATINGS and "rating" in fields):
        raise InvalidRating("rating_invalid")
    return Rating(
        as_of=_date(fields.get("as_of"), as_of),
        overall_score=_percentage(fields.get("overall_score"), "score"),
        environmental_score=_percentage(fields.get("environmental_score"), "score"),
        social_score=_percentage(fields.get("social_score"), "score"),
        governance_score=_percentage(fields.get("governance_score"), "score"),
        primary_focus=focus,
        rating=grade,
        coverage_pct=_percentage(fields["coverage_pct"], "coverage") if "coverage_pct" in fields else "",
        metrics=_metrics(fields.get("metrics", {}), metrics),
    )


class _NumberText(str):
    """The text of a JSON number, told apart from a JSON string by its type."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Parsers differ on which one counts, so what we keep could differ from what others read.
        raise InvalidRating("duplicate_key")
    return found


def _not_json(_text: str) -> NoReturn:
    raise InvalidRating("not_json")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_NumberText,
    parse_int=_NumberText,
    parse_constant=_not_json,  # NaN and Infinity: Python's json takes them, JSON does not
)


def _parse(body: bytes) -> Mapping[str, object]:
    try:
        fields = _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise InvalidRating("not_utf8") from None
    except RecursionError:
        raise InvalidRating("nested_too_deeply") from None
    except ValueError:  # its text and its `doc` hold the body
        raise InvalidRating("not_json") from None
    if type(fields) is not dict:
        raise InvalidRating("not_an_object")
    return fields


def _number(value: object, what: str) -> Decimal:
    """`value` as an exact number; it must be a JSON number (true is none) of a sane size."""
    if type(value) is not _NumberText or len(value) > MAX_NUMBER_CHARS:
        raise InvalidRating(f"{what}_invalid")
    try:
        number = Decimal(value)
    except InvalidOperation:  # an exponent that not even Decimal can hold
        raise InvalidRating(f"{what}_invalid") from None
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise InvalidRating(f"{what}_invalid")
    return number


def _percentage(value: object, what: str) -> str:
    if not 0 <= _number(value, what) <= 100:  # noqa: PLR2004  # the contract's maximum
        raise InvalidRating(f"{what}_out_of_range")
    return str(value)


def _date(value: object, latest: date) -> date:
    if type(value) is not str:
        raise InvalidRating("as_of_invalid")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidRating("as_of_invalid") from None
    if day.isoformat() != value:  # fromisoformat also takes 20260115 and 2026-W03-4
        raise InvalidRating("as_of_invalid")
    if day > latest:
        raise InvalidRating("as_of_in_future")
    return day


def _metrics(sent: object, wanted: Sequence[Metric]) -> dict[str, str]:
    if type(sent) is not dict:
        raise InvalidRating("metrics_invalid")
    kept = {}
    for metric in wanted:
        if metric.name in sent:
            _number(sent[metric.name], "metric")
            kept[metric.name] = str(sent[metric.name])
    return kept
