"""The columns of what each asset holds, for Dagster's catalogue: types, what they hold, where they come from.

Names and order are those of the schemas that are really written (`core.accounts`, `core.outcomes`,
`core.report`); a test compares them with a report. What the files look like is decided there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from esg_assets.asset_metadata import Metadata
from esg_assets.core.ratings import Metric

ACCOUNTS, RATINGS, REPORT, SUMMARY = "active_accounts", "esg_ratings", "encrypted_report_csv", "daily_summary"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: as it is written.
        type: what a cell is, as a reader takes it; numbers of the provider are kept as their text.
        holds: in a few words.
        sources: columns that it is made of, as (asset, column).
        required: whether every row has one.
        unique: whether no two rows have the same.
    """

    name: str
    type: str
    holds: str
    sources: Sequence[tuple[str, str]] = ()
    required: bool = False
    unique: bool = False


_ID = "The account, as the account system calls it; no two rows have the same."
_SCORES = {
    "overall_score": "Overall ESG score, 0 to 100 as the provider sent it.",
    "environmental_score": "Environmental score, 0 to 100 as the provider sent it.",
    "social_score": "Social score, 0 to 100 as the provider sent it.",
    "governance_score": "Governance score, 0 to 100 as the provider sent it.",
}
_RATING = {
    "rating": ("string", "Letter rating, AAA to CCC."),
    "primary_focus": ("string", "The pillar that weighs most: environmental, social or governance."),
    "coverage_pct": ("decimal", "Share of the portfolio that the scores cover, in percent."),
    "rating_as_of": ("date", "The day of the rating."),
}
_STATUS = "SUCCESS, NOT_RATED (the provider has no rating) or FAILED."
_REASON = "Why there is no rating; empty where there is one."
_RENAMED = {
    "overall_score": "overall_esg_score",
    "rating": "esg_rating",
    "primary_focus": "primary_esg_focus",
    "status": "processing_status",
}
"""What the report calls columns of the ratings, where it is not the same."""

_ACCOUNT_COLUMNS = (
    Column("account_id", "string", _ID, required=True, unique=True),
    Column("account_name", "string", "Its name; empty where the account system has none."),
    Column("account_type", "string", "What kind of account it is, in the account system's words."),
    Column("base_currency", "string", "The currency of its market value."),
    Column("market_value", "decimal", "Its market value in that currency, as the account system sent it."),
)

_RATING_COLUMNS = (
    Column("account_id", "string", _ID, [(ACCOUNTS, "account_id")], required=True, unique=True),
    Column("status", "string", _STATUS, required=True),
    Column("reason", "string", _REASON),
    Column("attempts", "integer", "Tries that the outcome took.", required=True),
    Column("last_status", "integer", "HTTP status of the last answer; empty where there was none."),
    *(Column(name, "decimal", holds) for name, holds in _SCORES.items()),
    Column("primary_focus", *_RATING["primary_focus"]),
    Column("rating", *_RATING["rating"]),
    Column("coverage_pct", *_RATING["coverage_pct"]),
    Column("rating_as_of", *_RATING["rating_as_of"]),
    Column("metrics", "map<string, decimal>", "Further metrics (ESG_METRICS) by name."),
    Column("methodology_version", "string", "The version of the provider's method, where it states one."),
    Column("etag", "string", "The provider's mark of this answer, to ask whether it has changed."),
    Column("raw", "binary", "The provider's answer, byte for byte.", required=True),
)

_FIGURES_ARE_OF = (
    *((ACCOUNTS, name) for name in ("base_currency", "market_value")),
    *((RATINGS, name) for name in ("status", "reason", *_SCORES, *_RATING, "metrics", "methodology_version")),
)

_SUMMARY_COLUMNS = (
    Column("figure", "string", "Its name, as in the history database.", required=True, unique=True),
    Column(
        "value",
        "decimal",
        "Rounded; empty where it is withheld: over fewer than ESG_MIN_CELL accounts, or telling of such.",
        _FIGURES_ARE_OF,
    ),
)


def report_columns(metrics: Iterable[Metric]) -> tuple[Column, ...]:
    """The columns of the report file, with one for each of ESG_METRICS."""

    def rated(name: str, kind: str, holds: str, *, required: bool = False) -> Column:
        return Column(_RENAMED.get(name, name), kind, holds, [(RATINGS, name)], required=required)

    return (
        Column("report_date", "date", "The partition: the date of the report.", required=True),
        Column("as_of", "date", "The date that both systems were asked for.", required=True),
        *(
            Column(c.name, c.type, c.holds, [(ACCOUNTS, c.name)], c.required, c.unique)
            for c in _ACCOUNT_COLUMNS
        ),
        *(rated(name, "decimal", f"{holds} Empty unless SUCCESS.") for name, holds in _SCORES.items()),
        *(rated(name, kind, f"{holds} Empty unless SUCCESS.") for name, (kind, holds) in _RATING.items()),
        *(
            Column(
                m.name,
                "decimal",
                f"In {m.unit}; {m.better} is better. Empty unless SUCCESS.",
                [(RATINGS, "metrics")],
            )
            for m in metrics
        ),
        rated("status", "string", _STATUS, required=True),
        rated("reason", "string", _REASON),
    )


def columns_of(asset: str, metrics: Iterable[Metric]) -> tuple[Column, ...]:
    """The columns of an asset; none of `esg_site`, whose pages are no table."""
    if asset == REPORT:
        return report_columns(metrics)
    return {ACCOUNTS: _ACCOUNT_COLUMNS, RATINGS: _RATING_COLUMNS, SUMMARY: _SUMMARY_COLUMNS}.get(asset, ())


def schema_and_lineage(asset: str, metrics: Iterable[Metric]) -> Metadata:
    """What Dagster's catalogue knows of an asset's columns; nothing where it has none."""
    columns = columns_of(asset, metrics)
    if not columns:
        return {}
    schema = dg.TableSchema([_shown(column) for column in columns])
    told: dict[str, dg.MetadataValue[Any]] = {"dagster/column_schema": dg.MetadataValue.table_schema(schema)}
    sources = {
        column.name: [dg.TableColumnDep(dg.AssetKey(of), name) for of, name in column.sources]
        for column in columns
        if column.sources
    }
    if sources:
        lineage = dg.TableColumnLineage(sources)
        told["dagster/column_lineage"] = dg.MetadataValue.column_lineage(lineage)
    return told


def rows_written(asset: str, rows: int, metrics: Iterable[Metric]) -> Metadata:
    """For a materialization with a row for each account: its columns then, and the rows of its partition."""
    return {**schema_and_lineage(asset, metrics), "dagster/partition_row_count": rows}


def _shown(column: Column) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=not column.required, unique=column.unique)
    return dg.TableColumn(column.name, column.type, column.holds, constraints)
