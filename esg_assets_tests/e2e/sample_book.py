"""A small book of the shape of a firm's own: accounts.csv and ratings.csv, with every awkward id.

And what a report of such files must say, worked out with the csv module alone.
"""

import csv
import random
from collections.abc import Sequence
from pathlib import Path

AWKWARD_IDS = (
    "a/b", "../../etc", "...", "x..y", "100%", "%2e%2e", "a b", " lead", "trail ", 'quote"inside', "it's",
    "a,b", "semi;colon", "=1+1", "+44", "-7", "@cmd", "'quoted", "?q=1&r=2", "#frag", "a\\b", "口座１２３",
    "счёт", "café", "cafe\u0301", "🏦-1", "null", "NaN", "0001", "1", "1.0", "TRUE", "x" * 64, "账" * 64,
)  # fmt: skip
"""Each a valid, distinct id."""

FOLDED = (".", "..")
"""Valid ids that no URL can carry: FAILED as rejected, without a call."""

_FOCI = ("environmental", "social", "governance")
_LETTERS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")
METRIC = "waci_tco2e_per_musd_revenue"
_ACCOUNT_COLUMNS = (
    "account_id", "status", "account_name", "account_type", "base_currency", "market_value", "advisor_id",
    "opened_on",
)  # fmt: skip
_RATING_COLUMNS = (
    "account_id", "as_of", "overall_score", "environmental_score", "social_score", "governance_score",
    "primary_focus", "rating", "coverage_pct", METRIC,
)  # fmt: skip


def write_book(folder: Path, count: int = 300, seed: int = 1) -> tuple[Path, Path]:
    """Write accounts.csv and ratings.csv; some accounts closed, some unrated, some rated more than once."""
    dice = random.Random(seed)
    ids = [*AWKWARD_IDS, *FOLDED]
    ids += [f"A{number:06d}" for number in range(count - len(ids))]
    dice.shuffle(ids)
    accounts, ratings = [], []
    for number, account_id in enumerate(ids):
        status = "active" if account_id in AWKWARD_IDS or dice.random() < 0.9 else "closed"
        value = f"{dice.uniform(0, 1e6):.2f}" if dice.random() < 0.9 else ""
        name = f"=Müller & Søn, {number}" if dice.random() < 0.9 else ""
        accounts.append((account_id, status, name, "ira", "USD", value, "ADV001", "2010-01-01"))
        if dice.random() < 0.08:
            continue
        for as_of in dice.sample(
            ["2023-12-31", "2024-12-31", "2026-01-14", "2026-01-15"], dice.randint(1, 4)
        ):
            scores = [f"{dice.uniform(0, 100):.2f}" for _ in range(4)]
            further = f"{dice.uniform(0, 900):.1f}" if dice.random() < 0.8 else ""
            words = (dice.choice(_FOCI), dice.choice([*_LETTERS, ""]), f"{dice.uniform(10, 100):.1f}")
            ratings.append((account_id, as_of, *scores, *words, further))
    return _write(folder / "accounts.csv", _ACCOUNT_COLUMNS, accounts), _write(
        folder / "ratings.csv", _RATING_COLUMNS, ratings
    )


def expected(accounts: Path, ratings: Path, day: str, as_of: str) -> dict[str, dict[str, str]]:
    """Rows of the report by account id, as the two files have them."""
    latest: dict[str, dict[str, str]] = {}
    for row in _rows(ratings):
        known = latest.get(row["account_id"])
        if row["as_of"] <= as_of and (known is None or known["as_of"] < row["as_of"]):
            latest[row["account_id"]] = row
    return {
        row["account_id"]: _row(row, latest.get(row["account_id"]), day, as_of)
        for row in _rows(accounts)
        if row["status"] == "active"
    }


def _row(account: dict[str, str], rating: dict[str, str] | None, day: str, as_of: str) -> dict[str, str]:
    folded = account["account_id"] in FOLDED
    sent = {} if rating is None or folded else rating
    return {
        "report_date": day,
        "as_of": as_of,
        "account_id": account["account_id"],
        "account_name": account["account_name"],
        "account_type": account["account_type"],
        "base_currency": account["base_currency"],
        "market_value": account["market_value"],
        "overall_esg_score": sent.get("overall_score", ""),
        "environmental_score": sent.get("environmental_score", ""),
        "social_score": sent.get("social_score", ""),
        "governance_score": sent.get("governance_score", ""),
        "esg_rating": sent.get("rating", ""),
        "primary_esg_focus": sent.get("primary_focus", ""),
        "coverage_pct": sent.get("coverage_pct", ""),
        "rating_as_of": sent.get("as_of", ""),
        METRIC: sent.get(METRIC, ""),
        "processing_status": "FAILED" if folded else "SUCCESS" if sent else "NOT_RATED",
        "reason": "rejected" if folded else "" if sent else "not_covered",
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path
