"""A history of years, put in by the database: ten years of days, and backfilled dates with two versions.

For query plans (`adapters/test_history_plans.py`) and times (`proof/test_long_history.py`): what the port
itself records row by row would take minutes.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from esg_assets.adapters.database import models, opening
from esg_assets.adapters.database.opening import open_database
from esg_assets.core.trend_figures import NAMES

FIRST = date(2016, 1, 1)
DAYS, BACKFILLED = 3_653, 1_000
RECORDED = datetime(2016, 1, 1, 12, 30, tzinfo=UTC)
OTHERS = [f"histogram.overall.{n:02}" for n in range(20)]
"""Figures that a trend does not ask for, as every publication has them."""


def fill(
    url: str, *, days: int = DAYS, backfilled: int = BACKFILLED, others: Collection[str] = OTHERS
) -> int:
    """Make such a history; returns its rows in all tables.

    Args:
        url: of an empty database.
        days: dates from FIRST on, each published at its noon with every figure of a trend.
        backfilled: how many of the last dates have a second version, recorded after all of the first.
        others: further figures of each.
    """
    publications = [*_versions(days, 1, 0), *_versions(days, 2, days, last=backfilled)]
    runs, heads = [_run(row) for row in publications], [_head(row) for row in publications]
    tables = {models.PUBLICATIONS: publications, models.RUNS: runs, models.CHAIN_HEAD: heads}
    tables[models.PRUNINGS] = [_pruning(n) for n in range(backfilled)]
    engine = open_database(url)
    with opening.writing(engine).begin() as connection:
        for table, rows in tables.items():
            connection.execute(table.insert(), rows)
        named = sa.union_all(
            *(sa.select(sa.literal(name).label("name")) for name in [*sorted(NAMES), *others])
        )
        names, columns = named.subquery(), models.PUBLICATIONS.c
        crossed = sa.select(columns.id, names.c.name, columns.report_date, columns.sequence / 7.0)
        chosen = crossed.select_from(models.PUBLICATIONS.join(names, sa.true()))
        into = ["publication_id", "name", "report_date", "value"]
        connection.execute(models.FIGURES.insert().from_select(into, chosen))
        connection.exec_driver_sql("ANALYZE")
        counts = [sa.select(sa.func.count()).select_from(each) for each in (*tables, models.FIGURES)]
        return sum(connection.scalar(each) or 0 for each in counts)


def _versions(days: int, version: int, after: int, last: int | None = None) -> list[dict[str, object]]:
    numbers = range(days if last is None else last)
    first = 0 if last is None else days - last
    return [
        {
            "report_date": FIRST + timedelta(days=first + n),
            "version": version,
            "sequence": after + n + 1,
            "head_sha256": f"{after + n + 1:064d}",
            "recorded_at": RECORDED + timedelta(days=after + n),
            "run_id": f"{after + n:036d}",
            "success": 90_000,
            "not_rated": 7_000,
            "failed": 3_000,
            "as_of": FIRST + timedelta(days=first + n - 1),
            "accounts_as_of": (FIRST + timedelta(days=first + n - 1)).isoformat(),
            "current_accounts": False,
            "requested_by": "",
            "reason": "",
        }
        for n in numbers
    ]


def _run(row: dict[str, object]) -> dict[str, object]:
    same = {name: row[name] for name in ("run_id", "report_date", "recorded_at", "version", "requested_by")}
    counted = {"calls": 100_000, "retries": 10, "refusals": 0, "seconds": 200.0, "figures": {}}
    return {**same, **counted, "status": "published", "started_at": row["recorded_at"], "ended_at": None}


def _head(row: dict[str, object]) -> dict[str, object]:
    restored = row["sequence"] == DAYS // 2
    return {
        "sequence": row["sequence"],
        "sha256": row["head_sha256"],
        "restored": restored,
        "recorded_at": row["recorded_at"],
    }


def _pruning(number: int) -> dict[str, object]:
    """One a night: of run records from before all that are there, and of figures that never were."""
    recorded_at = RECORDED + timedelta(days=number)
    same = {"recorded_at": recorded_at, "counts": {}, "totals": {}}
    if number % 2:
        return {**same, "what": "figures", "publication_id": number, "before": None}
    return {**same, "what": "runs", "publication_id": None, "before": RECORDED - timedelta(days=1)}
