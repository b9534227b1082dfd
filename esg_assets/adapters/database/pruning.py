"""`SqlPruning`: the port `Pruning`, removing what is old in short transactions that enter what they did.

The entry comes first: triggers let no row of the history go that no entry of `esg_prunings` covers. What is
chosen is locked, so that of two who remove at once (Dagster and a command) one counts it; SQLite, which knows
no such lock, lets only one write at a time.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database import run_rows
from esg_assets.adapters.database.models import (
    DETAILS,
    EVIDENCE,
    FIGURES,
    INCIDENTS,
    MESSAGES,
    PRUNINGS,
    PUBLICATIONS,
    RUNS,
)
from esg_assets.adapters.database.opening import changing, open_database, reading

_Counts = Mapping[str, int]


class SqlPruning:
    """Removes old rows; safe beside everything else that uses the database.

    Args:
        url: ESG_DATABASE_URL.
        environment: ESG_ENV; alerts of others in the same database are left alone.
        clock: the time that removals are entered at, with a time zone.

    Raises:
        SettingsWrong, StoreUnavailable: on opening, see `open_database`.
    """

    def __init__(self, url: str, environment: str, clock: Callable[[], datetime]) -> None:
        self._engine = open_database(url)
        self._environment = environment
        self._clock = clock

    def published_before(self, moment: datetime) -> Collection[str]:
        """Chain entries of publications recorded before that still have figures or details."""
        table = PUBLICATIONS.c
        has = [sa.exists().where(each.c.publication_id == table.id) for each in (FIGURES, DETAILS)]
        query = sa.select(table.head_sha256).where(table.recorded_at < moment, sa.or_(*has))
        with reading(self._engine, "looking for old figures") as connection:
            return frozenset(connection.scalars(query))

    def forget_figures(self, head_sha256: str) -> _Counts:
        """Remove figures and details of one publication; the publication itself stays."""
        removed: dict[str, int] = {}
        with changing(self._engine, "removing old figures") as connection:
            wanted = sa.select(PUBLICATIONS.c.id).where(PUBLICATIONS.c.head_sha256 == head_sha256)
            for key in connection.scalars(wanted.with_for_update()).all():
                which = {table: table.c.publication_id == key for table in (FIGURES, DETAILS)}
                counts = _counts(connection, which)
                if any(counts.values()):
                    self._enter(connection, "figures", counts, publication_id=key)
                    _remove(connection, which)
                    removed = {name: removed.get(name, 0) + count for name, count in counts.items()}
        return removed

    def forget_runs(self, before: datetime, most: int) -> _Counts:
        """Remove the oldest records of runs that started before; totals keep them."""
        old = sa.select(RUNS.c.id).where(RUNS.c.started_at < before).order_by(RUNS.c.started_at).limit(most)
        with changing(self._engine, "removing old records of runs") as connection:
            keys = connection.scalars(old.with_for_update()).all()
            if not keys:
                return {}
            which = {RUNS: RUNS.c.id.in_(keys)}
            counts = _counts(connection, which)
            totals = run_rows.sums(connection, which[RUNS])
            self._enter(connection, run_rows.PRUNED, counts, before=before, totals=totals)
            _remove(connection, which)
        return counts

    def forget_alerts(self, before: datetime, most: int) -> _Counts:
        """Remove messages of incidents that ended before, and evidence of then; see the port."""
        with changing(self._engine, "removing old alerts") as connection:
            ended = connection.scalars(self._ended(before).limit(most).with_for_update()).all()
            evidence = connection.scalars(self._evidence(before).limit(most).with_for_update()).all()
            which = {
                MESSAGES: MESSAGES.c.incident_id.in_(ended),
                INCIDENTS: sa.and_(INCIDENTS.c.id.in_(ended), _is_followed()),
                EVIDENCE: EVIDENCE.c.id.in_(evidence),
            }
            counts = _counts(connection, which)
            if not any(counts.values()):
                return {}
            self._enter(connection, "alerts", counts, before=before)
            _remove(connection, which)
        return counts

    def _ended(self, before: datetime) -> sa.Select[Any]:
        """Incidents that ended before, of which something is left to remove and nothing waits."""
        table = INCIDENTS.c
        own = MESSAGES.c.incident_id == table.id
        return (
            sa.select(table.id)
            .where(
                table.environment == self._environment,
                table.resolved_at < before,
                ~sa.exists().where(own, MESSAGES.c.next_at.is_not(None)),
                sa.or_(sa.exists().where(own), _is_followed()),
            )
            .order_by(table.id)
        )

    def _evidence(self, before: datetime) -> sa.Select[Any]:
        table = EVIDENCE.c
        holds_no_more = sa.or_(table.well_at.is_(None), table.well_at < before)
        ours = table.environment == self._environment
        return sa.select(table.id).where(ours, table.recorded_at < before, holds_no_more).order_by(table.id)

    def _enter(
        self,
        connection: sa.Connection,
        what: str,
        counts: _Counts,
        *,
        publication_id: int | None = None,
        before: datetime | None = None,
        totals: Mapping[str, object] | None = None,
    ) -> None:
        row = {"recorded_at": self._clock(), "what": what, "publication_id": publication_id, "before": before}
        connection.execute(PRUNINGS.insert(), {**row, "counts": dict(counts), "totals": dict(totals or {})})


def _is_followed() -> sa.ColumnElement[bool]:
    """Whether a later incident began with the same cause."""
    later = INCIDENTS.alias("later")
    return sa.exists().where(later.c.cause == INCIDENTS.c.cause, later.c.number > INCIDENTS.c.number)


_Which = Mapping[sa.Table, sa.ColumnElement[bool]]


def _counts(connection: sa.Connection, which: _Which) -> dict[str, int]:
    def count(table: sa.Table) -> int:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(which[table])) or 0

    return {table.name: count(table) for table in which}


def _remove(connection: sa.Connection, which: _Which) -> None:
    for table, condition in which.items():
        connection.execute(table.delete().where(condition))
