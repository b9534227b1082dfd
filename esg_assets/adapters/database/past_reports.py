"""Queries about publications: the newest, every version, and figures over time."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database.models import CHAIN_HEAD, FIGURES, PRUNINGS, PUBLICATIONS
from esg_assets.core.history import PastReport, PublishedReport, Said
from esg_assets.core.ratings import Status

_RESTORES = CHAIN_HEAD.alias("restores")
# Recorded before a restore, with a sequence that the restored chain has given anew: it was lost.
_LOST = (
    _RESTORES.c.restored,
    _RESTORES.c.sequence <= PUBLICATIONS.c.sequence,
    _RESTORES.c.recorded_at > PUBLICATIONS.c.recorded_at,
)
STANDS = ~sa.exists().where(*_LOST)
"""Whether a publication stands: what a restore of the store has lost does not count."""

_TABLE = PUBLICATIONS.c
_NEWEST_FIRST = (_TABLE.report_date.desc(), _TABLE.version.desc(), _TABLE.id.desc())


def key_of(published: PublishedReport) -> sa.Select[Any]:
    """The id of that publication."""
    same = {name: getattr(published, name) for name in ("report_date", "version", "head_sha256")}
    return sa.select(_TABLE.id).where(*(_TABLE[name] == value for name, value in same.items()))


def newest(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> PastReport | None:
    """The newest publication that stands and meets the condition, with all its figures."""
    query = sa.select(PUBLICATIONS).where(condition, STANDS).order_by(*_NEWEST_FIRST).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _with_figures(connection, dict(row))


def versions(connection: sa.Connection, report_date: date) -> list[PastReport]:
    """Every version of that date's report that stands, oldest first, with its figures.

    Of a version that was published again after a restore, the later one.
    """
    query = sa.select(PUBLICATIONS).where(_TABLE.report_date == report_date, STANDS)
    rows = connection.execute(query.order_by(_TABLE.version, _TABLE.id)).mappings().all()
    latest = {row["version"]: dict(row) for row in rows}
    return [_with_figures(connection, row) for row in latest.values()]


def said_at(connection: sa.Connection, report_date: date, moment: datetime) -> Said | None:
    """The version that stood at that moment, with what was known of it then; None if there was none."""
    stood = ~sa.exists().where(*_LOST, _RESTORES.c.recorded_at <= moment)
    query = sa.select(PUBLICATIONS, (~STANDS).label("lost")).where(
        _TABLE.report_date == report_date, _TABLE.recorded_at <= moment, stood
    )
    row = connection.execute(query.order_by(*_NEWEST_FIRST).limit(1)).mappings().first()
    if row is None:
        return None
    by_then = sa.or_(FIGURES.c.recorded_at.is_(None), FIGURES.c.recorded_at <= moment)
    forgotten = sa.select(sa.func.min(PRUNINGS.c.recorded_at)).where(PRUNINGS.c.publication_id == row["id"])
    return Said(
        _with_figures(connection, dict(row), by_then), bool(row["lost"]), connection.scalar(forgotten)
    )


def trend(connection: sa.Connection, names: Collection[str], since: date) -> list[PastReport]:
    """The newest version of every date from `since` on, ascending, with only those figures."""
    query = sa.select(PUBLICATIONS).where(_TABLE.report_date >= since, STANDS)
    rows = connection.execute(query.order_by(_TABLE.report_date, _TABLE.version, _TABLE.id)).mappings()
    latest = {row["report_date"]: dict(row) for row in rows}
    columns = FIGURES.c
    # One name at a time: half the time of one query for all, which gives every name with every row.
    query = sa.select(columns.publication_id, columns.value).where(
        columns.name == sa.bindparam("wanted"), columns.report_date >= since
    )
    kept: dict[int, dict[str, float | None]] = {row["id"]: {} for row in latest.values()}
    for name in sorted(names):
        for key, value in connection.execute(query, {"wanted": name}):
            if key in kept:  # not one of an earlier version
                kept[key][name] = value
    return [PastReport(published_of(row), kept[row["id"]], row["recorded_at"]) for row in latest.values()]


def _with_figures(
    connection: sa.Connection, row: dict[str, Any], *which: sa.ColumnElement[bool]
) -> PastReport:
    own = FIGURES.c.publication_id == row["id"]
    named = sa.select(FIGURES.c.name, FIGURES.c.value).where(own, *which)
    figures: dict[str, float | None] = {name: value for name, value in connection.execute(named)}  # noqa: C416 - rows are not pairs to a type checker
    return PastReport(published_of(row), figures, row["recorded_at"])


def published_of(row: dict[str, Any]) -> PublishedReport:
    """The publication of a row."""
    return PublishedReport(
        report_date=row["report_date"],
        version=row["version"],
        sequence=row["sequence"],
        head_sha256=row["head_sha256"],
        run_id=row["run_id"],
        counts={
            Status.SUCCESS: row["success"],
            Status.NOT_RATED: row["not_rated"],
            Status.FAILED: row["failed"],
        },
        as_of=row["as_of"],
        accounts_as_of=row["accounts_as_of"],
        requested_by=row["requested_by"],
        reason=row["reason"],
    )
