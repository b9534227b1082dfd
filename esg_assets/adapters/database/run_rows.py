"""Records of runs as rows and back, and what all of them add up to."""

from collections import defaultdict
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database.models import PRUNINGS, RUNS
from esg_assets.core.history import RunRecord, RunTotals

PRUNED = "runs"
"""In esg_prunings: what was removed."""

_ADDED = ("calls", "retries", "refusals", "seconds")


def row_of(run: RunRecord, recorded_at: datetime) -> dict[str, Any]:
    """The columns of esg_runs."""
    told = {each.name: getattr(run, each.name) for each in fields(RunRecord)}
    return {**told, "figures": dict(run.figures), "recorded_at": recorded_at}


def found(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[RunRecord]:
    """Records that meet the condition, oldest start first."""
    query = sa.select(RUNS).where(condition).order_by(RUNS.c.started_at, RUNS.c.id)
    rows = connection.execute(query).mappings()
    return [RunRecord(**{each.name: row[each.name] for each in fields(RunRecord)}) for row in rows]


def is_forgotten(connection: sa.Connection, run: RunRecord) -> bool:
    """Whether runs that started when this one did were removed: it would be counted twice."""
    table = PRUNINGS.c
    later = sa.select(table.id).where(table.what == PRUNED, table.before > run.started_at)
    return connection.scalar(later.limit(1)) is not None


def sums(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> dict[str, list[float]]:
    """By status how many runs, and the sums of _ADDED."""
    return {row[0]: [*map(float, row[1:])] for row in connection.execute(_sums(*which))}


def _sums(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = (sa.func.sum(RUNS.c[name]).label(name) for name in _ADDED)
    counted = sa.func.count().label("runs")
    return sa.select(RUNS.c.status, counted, *columns).where(*which).group_by(RUNS.c.status)


def totals(connection: sa.Connection) -> RunTotals:
    """Those that are there and those that were removed, added up: counters may only grow.

    In one statement, so that no record is missed or counted twice while it is being removed.
    """
    nothing = [sa.null() for _ in range(2 + len(_ADDED))]
    removed = sa.select(PRUNINGS.c.totals, *nothing).where(PRUNINGS.c.what == PRUNED)
    there = sa.select(sa.null(), *_sums().subquery().c)
    added: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * (1 + len(_ADDED)))
    for row in connection.execute(sa.union_all(removed, there)):
        of_row = {row[1]: row[2:]} if row[0] is None else row[0]
        for status, numbers in of_row.items():
            added[status] = [one + float(more) for one, more in zip(added[status], numbers, strict=True)]
    columns = list(zip(*added.values(), strict=True)) or [()] * (1 + len(_ADDED))
    return RunTotals(
        runs={status: int(numbers[0]) for status, numbers in added.items()},
        calls=int(sum(columns[1])),
        retries=int(sum(columns[2])),
        refusals=int(sum(columns[3])),
        seconds=float(sum(columns[4])),
    )
