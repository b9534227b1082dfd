"""The report file: RFC 4180 CSV, the same answers give the same bytes, no spreadsheet runs a cell.

Sealing and publishing it is `esg_assets.adapters.publications`; which outcome counts is
`esg_assets.core.outcomes`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

import pyarrow as pa

from esg_assets.core.accounts import Snapshot
from esg_assets.core.ratings import Metric
from esg_assets.core.report_cells import TEXT_COLUMNS, guard

ROWS_PER_CHUNK = 5_000

_SCORES = ("overall_score", "environmental_score", "social_score", "governance_score")
_RATING = ("rating", "primary_focus", "coverage_pct", "rating_as_of")


def columns(metrics: Sequence[Metric]) -> list[str]:
    """The header row, with one column for each of ESG_METRICS."""
    return [
        "report_date",
        "as_of",
        *TEXT_COLUMNS,
        "market_value",
        "overall_esg_score",
        *_SCORES[1:],
        "esg_rating",
        "primary_esg_focus",
        "coverage_pct",
        "rating_as_of",
        *(m.name for m in metrics),
        "processing_status",
        "reason",
    ]


def render(snapshot: Snapshot, outcomes: pa.Table) -> Iterator[bytes]:
    """The report as UTF-8 chunks, header first.

    Args:
        snapshot: the day's accounts.
        outcomes: OUTCOME_SCHEMA without `raw`, one row for each account of the snapshot in the
            snapshot's order, every one with a status (`outcomes.latest`).
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns(snapshot.metrics))
    for start in range(0, snapshot.count, ROWS_PER_CHUNK):
        accounts = snapshot.accounts.slice(start, ROWS_PER_CHUNK)
        writer.writerows(_rows(snapshot, accounts, outcomes.slice(start, ROWS_PER_CHUNK)))
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    if snapshot.count == 0:
        yield out.getvalue().encode()


def _rows(snapshot: Snapshot, accounts: pa.Table, outcomes: pa.Table) -> Iterator[Sequence[str]]:
    def texts(table: pa.Table, name: str) -> list[str]:
        return [value or "" for value in table.column(name).to_pylist()]

    dates = [
        [text] * accounts.num_rows for text in (snapshot.partition.isoformat(), snapshot.as_of.isoformat())
    ]
    guarded = [[guard(cell) for cell in texts(accounts, name)] for name in TEXT_COLUMNS]
    sent = [dict(pairs or ()) for pairs in outcomes.column("metrics").to_pylist()] if snapshot.metrics else []
    return zip(
        *dates,
        *guarded,
        texts(accounts, "market_value"),
        *(texts(outcomes, name) for name in (*_SCORES, *_RATING)),
        *([values.get(m.name, "") for values in sent] for m in snapshot.metrics),
        texts(outcomes, "status"),
        texts(outcomes, "reason"),
        strict=True,
    )


def file_name(partition: date, version: int) -> str:
    """What a decrypted report is called."""
    return f"esg_report_{partition.isoformat()}_v{version}.csv"
