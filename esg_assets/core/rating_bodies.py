"""The JSON of a 200: decoding it with the number texts as sent, and checking one rating in it.

Where in a document the ratings stand is `esg_assets.core.reply_shapes`; what a reply means for the
account is `esg_assets.core.replies`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from esg_assets.core.ratings import PILLARS, Metric, Rating

RATINGS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")

MAX_NUMBER_CHARS = 40
"""Longest number text that is kept; 17 digits are all that a double has."""

MAX_EXPONENT = 40
"""A number of another order of magnitude (10^±40) is an error or an attack, whatever it measures."""


_LABEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,23}", re.ASCII)
"""Of a methodology's version: short and plain, since it is shown where ratings are counted."""


class InvalidRating(Exception):
    """The body of a 200 is not the rating that was asked for.

    Attributes:
        code: which rule it breaks; one of ours, never the provider's text.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_rating(fields: Mapping[str, object], as_of: date, metrics: Sequence[Metric]) -> Rating:
    """The rating in `fields` (the contract's EsgRating as `parse` gives it), with the number texts as sent.

    Whose rating it is has been looked at before. Fields that the contract does not know, and metrics
    that nobody asked for, are ignored; so is a methodology_version that is no plain label, for a rating
    is none the worse for it.

    Raises:
        InvalidRating: with one of the codes as_of_invalid, as_of_in_future, score_invalid,
            score_out_of_range, focus_invalid, rating_invalid, coverage_invalid,
            coverage_out_of_range, metrics_invalid, metric_invalid.
    """
    return Rating(
        as_of=_date(fields.get("as_of"), as_of),
        overall_score=_percentage(fields.get("overall_score"), "score"),
        environmental_score=_percentage(fields.get("environmental_score"), "score"),
        social_score=_percentage(fields.get("social_score"), "score"),
        governance_score=_percentage(fields.get("governance_score"), "score"),
        primary_focus=_word(fields.get("primary_focus"), PILLARS, "focus"),
        rating=_word(fields["rating"], RATINGS, "rating") if "rating" in fields else "",
        coverage_pct=_percentage(fields["coverage_pct"], "coverage") if "coverage_pct" in fields else "",
        metrics=_metrics(fields.get("metrics", {}), metrics),
        methodology_version=_label(fields.get("methodology_version")),
    )


class NumberText(str):
    """The text of a JSON number, told apart from a JSON string by its type."""

    __slots__ = ()


class Spoilt:
    """Stands in a leniently parsed document for what no two parsers read alike."""

    __slots__ = ()


_SPOILT = Spoilt()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Parsers differ on which one counts, so what we keep could differ from what others read.
        raise InvalidRating("duplicate_key")
    return found


def _unique_or_spoilt(pairs: list[tuple[str, object]]) -> object:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _SPOILT


def _not_json(_text: str) -> NoReturn:
    raise InvalidRating("not_json")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=NumberText,
    parse_int=NumberText,
    parse_constant=_not_json,  # NaN and Infinity: Python's json takes them, JSON does not
)
_LENIENT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_or_spoilt,
    parse_float=NumberText,
    parse_int=NumberText,
    parse_constant=lambda _text: _SPOILT,
)


def parse(body: bytes, *, lenient: bool = False) -> object:
    """The JSON document in `body`, every number as a NumberText.

    Args:
        body: as received.
        lenient: a key that stands twice in one object, and NaN or Infinity, spoil that object or
            that value alone (it is a Spoilt), instead of the document.

    Raises:
        InvalidRating: with one of the codes not_utf8, not_json, nested_too_deeply, duplicate_key.
    """
    try:
        return (_LENIENT_DECODER if lenient else _DECODER).decode(body.decode())
    except UnicodeDecodeError:
        raise InvalidRating("not_utf8") from None
    except RecursionError:
        raise InvalidRating("nested_too_deeply") from None
    except ValueError:  # its text and its `doc` hold the body
        raise InvalidRating("not_json") from None


def number(value: object) -> Decimal | None:
    """`value` as an exact number if it is a JSON number (true is none) of a sane size, else None."""
    if type(value) is not NumberText or len(value) > MAX_NUMBER_CHARS:
        return None
    try:
        exact = Decimal(value)
    except InvalidOperation:  # an exponent that not even Decimal can hold
        return None
    return exact if exact.is_finite() and abs(exact.adjusted()) <= MAX_EXPONENT else None


def _number(value: object, what: str) -> Decimal:
    exact = number(value)
    if exact is None:
        raise InvalidRating(f"{what}_invalid")
    return exact


def _percentage(value: object, what: str) -> str:
    if not 0 <= _number(value, what) <= 100:  # noqa: PLR2004  # the contract's maximum
        raise InvalidRating(f"{what}_out_of_range")
    return str(value)


def _word(value: object, words: Sequence[str], what: str) -> str:
    # An exact type: a JSON number is a str here too, but a NumberText.
    if type(value) is not str or value not in words:
        raise InvalidRating(f"{what}_invalid")
    return value


def _label(value: object) -> str:
    """A version as sent, a JSON number too (2.1); "" for whatever is no plain label."""
    return str(value) if isinstance(value, str) and _LABEL.fullmatch(value) else ""


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
