"""`SqlHistory`: the port `History` on a database."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from esg_assets.adapters.database import past_reports, run_rows
from esg_assets.adapters.database.models import CHAIN_HEAD, DETAILS, FIGURES, PUBLICATIONS, RUNS
from esg_assets.adapters.database.opening import changing, open_database, reading
from esg_assets.adapters.database.past_reports import STANDS, published_of
from esg_assets.core.errors import Tampered
from esg_assets.core.history import (
    ChainHead,
    ClearFigures,
    PastReport,
    PublishedReport,
    RunRecord,
    RunTotals,
    Said,
)
from esg_assets.core.ratings import Status


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class SqlHistory:
    """The history in a database; safe to use from many threads and processes.

    Args:
        url: `sqlite:////folder/history.sqlite` or `postgresql+psycopg://user:password@host/name`.
        clock: the time that rows are recorded at, with a time zone.
        read_only, busy_seconds: see `open_database`.

    Raises:
        SettingsWrong, StoreUnavailable: on opening, see `open_database`.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime] = utc_now,
        *,
        read_only: bool = False,
        busy_seconds: float | None = None,
    ) -> None:
        self._engine = open_database(url, read_only=read_only, busy_seconds=busy_seconds)
        self._clock = clock

    def record_publication(self, published: PublishedReport, figures: ClearFigures) -> None:
        """Remember a publication with its cleared figures, both or none; see the port for a known one."""
        row = {
            "report_date": published.report_date,
            "version": published.version,
            "sequence": published.sequence,
            "head_sha256": published.head_sha256,
            "recorded_at": self._clock(),
            "run_id": published.run_id,
            "success": published.counts[Status.SUCCESS],
            "not_rated": published.counts[Status.NOT_RATED],
            "failed": published.counts[Status.FAILED],
            "as_of": published.as_of,
            "accounts_as_of": published.accounts_as_of,
            "current_accounts": published.current_accounts,
            "requested_by": published.requested_by,
            "reason": published.reason,
        }
        doing = f"recording version {published.version} of the report of {published.report_date}"
        with changing(self._engine, doing) as connection:
            name = ("report_date", "version", "head_sha256")
            key = _insert_or_ignore(connection, PUBLICATIONS, row, name)
            later = key is None
            if later and figures:
                key = connection.scalar(_without_figures(row, name))
            if key is not None and figures:
                fixed = {"publication_id": key, "report_date": published.report_date}
                fixed["recorded_at"] = row["recorded_at"] if later else None
                values = [{**fixed, "name": each, "value": value} for each, value in figures.items()]
                connection.execute(FIGURES.insert(), values)

    def record_details(self, published: PublishedReport, details: Mapping[str, object]) -> None:
        """Keep what is shown of a recorded publication beside its figures, once."""
        with changing(
            self._engine, f"recording details of the report of {published.report_date}"
        ) as connection:
            key = connection.scalar(past_reports.key_of(published))
            if key is not None:
                row = {"publication_id": key, "recorded_at": self._clock(), "body": dict(details)}
                _insert_or_ignore(connection, DETAILS, row, ("publication_id",))

    def details(self, published: PublishedReport) -> Mapping[str, Any] | None:
        """What `record_details` kept of that publication, None if nothing."""
        key = past_reports.key_of(published).scalar_subquery()
        with reading(self._engine, f"reading details of the report of {published.report_date}") as connection:
            kept = connection.scalar(sa.select(DETAILS.c.body).where(DETAILS.c.publication_id == key))
        return None if kept is None else dict(kept)

    def versions(self, report_date: date) -> list[PastReport]:
        """Every version of that date's report, oldest first."""
        with reading(self._engine, f"reading the versions of the report of {report_date}") as connection:
            return past_reports.versions(connection, report_date)

    def said_at(self, report_date: date, moment: datetime) -> Said | None:
        """What this history said about a date at a moment; None if nothing."""
        with reading(self._engine, f"reading what was said about {report_date}") as connection:
            return past_reports.said_at(connection, report_date, moment)

    def trend(self, names: Collection[str], since: date) -> list[PastReport]:
        """The newest version of every date from `since` on, ascending, with only those figures."""
        with reading(self._engine, f"reading figures since {since}") as connection:
            return past_reports.trend(connection, names, since)

    def recorded_publications(self) -> dict[str, tuple[date, int]]:
        """Date and version of every publication that was recorded, by its chain entry's SHA-256."""
        table = PUBLICATIONS.c
        query = sa.select(table.head_sha256, table.report_date, table.version)
        with reading(self._engine, "reading which publications are recorded") as connection:
            return {row.head_sha256: (row.report_date, row.version) for row in connection.execute(query)}

    def latest(self, report_date: date) -> PastReport | None:
        """The newest version of that date's report, None if it was never published."""
        return self._newest(PUBLICATIONS.c.report_date == report_date)

    def latest_before(self, report_date: date) -> PastReport | None:
        """The newest version of the latest report dated before `report_date`."""
        return self._newest(PUBLICATIONS.c.report_date < report_date)

    def record_run(self, run: RunRecord) -> None:
        """Remember how a run went, once, and not if it is older than what was removed."""
        with changing(self._engine, f"recording the run of {run.report_date}") as connection:
            if not run_rows.is_forgotten(connection, run):
                row = run_rows.row_of(run, self._clock())
                _insert_or_ignore(connection, RUNS, row, ("run_id", "report_date", "status"))

    def runs_since(self, moment: datetime) -> list[RunRecord]:
        """Every record of a run that started then or later, oldest start first."""
        with reading(self._engine, "reading the records of runs") as connection:
            return run_rows.found(connection, RUNS.c.started_at >= moment)

    def runs_of(self, report_date: date) -> list[RunRecord]:
        """Every record of a run of that date, oldest start first."""
        with reading(self._engine, f"reading the records of runs of {report_date}") as connection:
            return run_rows.found(connection, RUNS.c.report_date == report_date)

    def run_totals(self) -> RunTotals:
        """All runs that were ever recorded, added up."""
        with reading(self._engine, "adding up the records of runs") as connection:
            return run_rows.totals(connection)

    def head(self) -> ChainHead | None:
        """The newest chain entry that was remembered."""
        with reading(self._engine, "reading the remembered chain head") as connection:
            return _head(connection)

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        """Remember the chain's head; see the port for older ones and for restored stores."""
        with changing(self._engine, "remembering the chain head") as connection:
            known = _head(connection)
            if known is not None and not restored:
                if known.sequence == head.sequence and known.sha256 != head.sha256:
                    raise Tampered(
                        f"remembering the chain head: entry {head.sequence:,} is not the one that was seen "
                        "before; run `esg-assets report verify`, and do not publish until it is explained"
                    )
                if known.sequence >= head.sequence:
                    return
            elif known == head:
                return
            row = {"sequence": head.sequence, "sha256": head.sha256, "restored": restored}
            connection.execute(CHAIN_HEAD.insert(), {**row, "recorded_at": self._clock()})

    def first_publication_date(self) -> date | None:
        """The earliest date that has a published report."""
        with reading(self._engine, "reading the first publication's date") as connection:
            query = sa.select(sa.func.min(PUBLICATIONS.c.report_date)).where(STANDS)
            first: date | None = connection.scalar(query)
            return first

    def published_dates(self, since: date) -> list[date]:
        """Dates from `since` on that have a published report, ascending."""
        column = PUBLICATIONS.c.report_date
        query = sa.select(column).where(column >= since, STANDS).distinct().order_by(column)
        with reading(self._engine, f"reading the dates published since {since}") as connection:
            return list(connection.scalars(query))

    def recorded_since(self, moment: datetime) -> list[PastReport]:
        """Every version of any date that was recorded at `moment` or later, oldest first; no figures."""
        table = PUBLICATIONS.c
        query = sa.select(PUBLICATIONS).where(table.recorded_at >= moment, STANDS)
        with reading(self._engine, "reading what was published lately") as connection:
            rows = connection.execute(query.order_by(table.recorded_at, table.id)).mappings().all()
        return [PastReport(published_of(dict(row)), {}, row["recorded_at"]) for row in rows]

    def _newest(self, condition: sa.ColumnElement[bool]) -> PastReport | None:
        with reading(self._engine, "reading an earlier publication") as connection:
            return past_reports.newest(connection, condition)


def _without_figures(row: Mapping[str, Any], name: tuple[str, ...]) -> sa.Select[int]:
    """The id of the publication of that name, if it has no figure yet."""
    figures = sa.exists().where(FIGURES.c.publication_id == PUBLICATIONS.c.id)
    return sa.select(PUBLICATIONS.c.id).where(*(PUBLICATIONS.c[each] == row[each] for each in name), ~figures)


def _insert_or_ignore(
    connection: sa.Connection, table: sa.Table, row: Mapping[str, Any], key: tuple[str, ...]
) -> int | None:
    """Insert a row unless there is one with the same key; its id, or None if there was one.

    In words that every database knows: ON CONFLICT is not one of them.
    """
    (identity,) = table.primary_key.columns
    same = sa.select(identity).where(*(table.c[name] == row[name] for name in key))
    if connection.scalar(same) is not None:
        return None
    try:
        with connection.begin_nested():
            made = connection.execute(table.insert(), row).inserted_primary_key
    except IntegrityError:
        if connection.scalar(same) is None:
            raise
        return None  # another process was first
    assert made is not None
    return int(made[0])


def _head(connection: sa.Connection) -> ChainHead | None:
    """The highest sequence remembered since the last restore, in whatever order they were recorded."""
    table = CHAIN_HEAD.c
    # The sum keeps SQLite from looking for a restore through every head from the newest down.
    restored = sa.select(sa.func.coalesce(sa.func.max(table.id + 0), 0)).where(table.restored)
    query = sa.select(table.sequence, table.sha256).where(table.id >= restored.scalar_subquery())
    row = connection.execute(query.order_by(table.sequence.desc(), table.id.desc()).limit(1)).first()
    return None if row is None else ChainHead(row.sequence, row.sha256)
