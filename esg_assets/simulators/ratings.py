"""The ratings that the ESG API serves: their JSON, and the book of a CSV file."""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from esg_assets.simulators.csv_input import Row, WrongInput, read_rows
from esg_assets.simulators.exchange import json_text

SCORES = ("overall_score", "environmental_score", "social_score", "governance_score")
FOCI = ("environmental", "social", "governance")
LETTERS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")

_NEEDED = ("account_id", "as_of", *SCORES, "primary_focus")
_OF_CONTRACT = (*_NEEDED, "rating", "coverage_pct")


class Rating(NamedTuple):
    """A rating as it is sent.

    Attributes:
        body: the contract's EsgRating as JSON; `account_id`, `as_of` and `overall_score` come first,
            so that faults can be cut into it.
        etag: strong entity tag of the body.
    """

    body: bytes
    etag: bytes


class RatingBook(Protocol):
    """Ratings by account and date."""

    def rating(self, account_id: str, as_of: str | None) -> Rating | None:
        """The latest rating not after `as_of` (None: the latest); None if there is none."""


def rating_json(
    account_id: str,
    as_of: str,
    numbers: Mapping[str, str],
    words: Mapping[str, str],
    metrics: Mapping[str, str],
) -> Rating:
    """A rating from number texts, which are sent exactly as they are; "" leaves a field out."""
    parts = [f'"account_id":{json_text(account_id)},"as_of":"{as_of}"']
    parts += [f'"{name}":{number}' for name, number in numbers.items() if number]
    parts += [f'"{name}":"{word}"' for name, word in words.items() if word]
    sent = [f"{json_text(name)}:{number}" for name, number in metrics.items() if number]
    if sent:
        parts.append(f'"metrics":{{{",".join(sent)}}}')
    body = f"{{{','.join(parts)}}}".encode()
    return Rating(body, b'"%s"' % hashlib.blake2b(body, digest_size=9).hexdigest().encode())


class CsvRatings:
    """Ratings of a CSV file: one row per account and date; columns of its own go into `metrics`."""

    def __init__(self, path: Path) -> None:
        columns, rows = read_rows(path, needed=_NEEDED)
        metrics = [name for name in columns if name not in _OF_CONTRACT]
        by_account: dict[str, dict[str, Rating]] = {}
        for row in rows:
            account_id, as_of, rating = _rating(row, metrics)
            dated = by_account.setdefault(account_id, {})
            if as_of in dated:
                raise WrongInput(f"{row.where}: a second rating of one account on {as_of}")
            dated[as_of] = rating
        self._ratings = {key: (sorted(dated), dated) for key, dated in by_account.items()}

    def rating(self, account_id: str, as_of: str | None) -> Rating | None:
        """The latest row not after `as_of` (None: the latest); None if there is none."""
        found = self._ratings.get(account_id)
        if found is None:
            return None
        dates, dated = found
        at = len(dates) if as_of is None else bisect_right(dates, as_of)
        return dated[dates[at - 1]] if at else None


def _rating(row: Row, metrics: list[str]) -> tuple[str, str, Rating]:
    for name in _NEEDED:
        row.needed(name)
    focus, letter = row.text("primary_focus"), row.text("rating")
    if focus not in FOCI:
        raise WrongInput(f"{row.where}: primary_focus is none of {', '.join(FOCI)}")
    if letter and letter not in LETTERS:
        raise WrongInput(f"{row.where}: rating is none of {', '.join(LETTERS)}")
    account_id, as_of = row.text("account_id"), row.day("as_of")
    rating = rating_json(
        account_id,
        as_of,
        {name: row.number(name) for name in (*SCORES, "coverage_pct")},
        {"primary_focus": focus, "rating": letter},
        {name: row.number(name) for name in metrics},
    )
    return account_id, as_of, rating
