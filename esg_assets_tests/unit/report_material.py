"""Reports made up for tests: snapshots with awkward texts, and rows as a report has them."""

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa
from hypothesis import strategies as st

from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.ratings import Metric

DAY, AS_OF = date(2026, 1, 15), date(2026, 1, 14)
WACI = Metric("waci", "tCO2e/MUSD", "lower")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ids = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), unique=True)


def snapshot(account_ids: Sequence[str], names: Mapping[str, str] | None = None) -> Snapshot:
    """A snapshot of these accounts in their order, as a report needs it."""
    ordered = sorted(account_ids)
    known = names or {}
    columns = [
        ordered,
        [known.get(each) for each in ordered],
        ["ira"] * len(ordered),
        ["USD"] * len(ordered),
        [f"{number}.50" for number in range(len(ordered))],
    ]
    table = pa.Table.from_arrays([pa.array(c, pa.string()) for c in columns], schema=ACCOUNT_SCHEMA)
    return Snapshot(DAY, 1, AS_OF, AS_OF.isoformat(), table, (WACI,), "", b"s" * 32)


def row(account_id: str = "A", **cells: str) -> dict[str, str]:
    """A rated account's row; `cells` replaces some of it."""
    return {
        "report_date": "2026-01-15",
        "as_of": "2026-01-14",
        "account_id": account_id,
        "account_name": "Ann",
        "account_type": "ira",
        "base_currency": "USD",
        "market_value": "1000.00",
        "overall_esg_score": "52.50",
        "environmental_score": "50",
        "social_score": "60.25",
        "governance_score": "40",
        "esg_rating": "BBB",
        "primary_esg_focus": "social",
        "coverage_pct": "82.2",
        "rating_as_of": "2025-12-31",
        "waci": "389.6",
        "processing_status": "SUCCESS",
        "reason": "",
    } | cells


def unrated(account_id: str = "A", status: str = "NOT_RATED", reason: str = "not_covered") -> dict[str, str]:
    """The row of an account without a rating."""
    empty = ("overall_esg_score", "environmental_score", "social_score", "governance_score", "esg_rating")
    none = dict.fromkeys((*empty, "primary_esg_focus", "coverage_pct", "rating_as_of", "waci"), "")
    return row(account_id, **none, processing_status=status, reason=reason)
