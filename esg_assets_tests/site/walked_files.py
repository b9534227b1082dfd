"""A firm's two files, walked from night to night by a seed: what the systems would have answered then.

`accounts.csv` and `ratings.csv` have the columns of the simulators. Who runs the nights is `real_month`.
"""

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

LETTERS = ("CCC", "B", "BB", "BBB", "A", "AA", "AAA")
PILLARS = ("environmental", "social", "governance")
Row = Mapping[str, str]

_DAILY, _RENEWED = 0.05, 2.4
"""Share of ratings that are renewed in a night, and by how many points at most times."""


@dataclass(frozen=True)
class Book:
    """Accounts and the latest rating of each that has one, as rows of the two files."""

    accounts: Sequence[Row]
    ratings: Mapping[str, Row]


def read(accounts: Path, ratings: Path) -> Book:
    """The book as the files have it; of several ratings of an account the last."""
    latest: dict[str, Row] = {}
    for row in _rows(ratings):
        known = latest.get(row["account_id"])
        if known is None or known["as_of"] < row["as_of"]:
            latest[row["account_id"]] = row
    return Book(_rows(accounts), latest)


def walked(dice: random.Random, book: Book, day: date) -> Book:
    """The book a day later, `day`: a few accounts come and go, values move, some ratings are renewed."""
    mood = dice.gauss(0, 0.4)  # what a night's renewals have in common
    accounts = [_aged(dice, row, day) for row in book.accounts]
    ratings = {
        name: _renewed(dice, row, day, mood) if dice.random() < _DAILY else row
        for name, row in book.ratings.items()
    }
    for number in range(dice.randint(0, 3)):
        like = dice.choice(accounts)
        name = f"{like['account_id']}-{day:%m%d}-{number}"
        accounts.append({**like, "account_id": name, "status": "active", "opened_on": day.isoformat()})
        found = ratings.get(like["account_id"])
        if found is not None:
            ratings[name] = _renewed(dice, {**found, "account_id": name}, day, mood)
    return Book(accounts, ratings)


def renewed_governance(dice: random.Random, book: Book, day: date, share: float) -> Book:
    """The book after the provider mended one pillar of a share of its ratings."""
    mended = {}
    for name, row in book.ratings.items():
        if dice.random() < share:
            up = min(float(row["governance_score"]) + dice.uniform(1, 6), 100.0)
            row = _scored({**row, "governance_score": f"{up:.2f}"}, day)  # noqa: PLW2901 - the same row, mended
        mended[name] = row
    return replace(book, ratings=mended)


def write(book: Book, folder: Path) -> tuple[Path, Path]:
    """Both files, in a folder that is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "accounts.csv", folder / "ratings.csv"
    for path, rows in zip(paths, (book.accounts, list(book.ratings.values())), strict=True):
        names = list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return paths


def _aged(dice: random.Random, row: Row, day: date) -> Row:
    if row["status"] != "active":
        return row
    moved = dict(row)
    if moved["market_value"]:
        moved["market_value"] = f"{float(moved['market_value']) * dice.lognormvariate(0.0002, 0.009):.2f}"
    if dice.random() < 0.0006:
        moved |= {"status": "closed", "status_since": day.isoformat()}
    return moved


def _renewed(dice: random.Random, row: Row, day: date, mood: float) -> Row:
    new = dict(row)
    for pillar in PILLARS:
        score = float(row[f"{pillar}_score"]) + mood + dice.gauss(0, _RENEWED)
        new[f"{pillar}_score"] = f"{min(max(score, 0.0), 100.0):.2f}"
    return _scored(new, day)


def _scored(row: Row, day: date) -> Row:
    """The row with what follows from its pillars; rated the day before, as systems are asked for then."""
    pillars = {pillar: float(row[f"{pillar}_score"]) for pillar in PILLARS}
    overall = round(sum(pillars.values()) / len(pillars), 2)
    return {
        **row,
        "as_of": (day - timedelta(days=1)).isoformat(),
        "overall_score": f"{overall:.2f}",
        "primary_focus": max(pillars, key=lambda pillar: pillars[pillar]),
        "rating": LETTERS[min(int(overall * len(LETTERS) / 100), len(LETTERS) - 1)],
    }


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
