"""`SqlOutbox`: the port `Outbox` on a database; what follows from what was seen is `alerts.recording`."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database import message_queries, outbox_rows
from esg_assets.adapters.database.models import BOOKMARKS, EVIDENCE, INCIDENTS, MESSAGES
from esg_assets.adapters.database.opening import changing, for_writing, open_database, reading, translated
from esg_assets.core.alerts import recording
from esg_assets.core.alerts.incidents import Incident, Message, Observation, Recovery, State
from esg_assets.core.alerts.ports import Receipt, Refusal, Waiting
from esg_assets.core.alerts.routes import Routes, Target

_ADVISORY_LOCK = 0x6573675F6F7574  # "esg_out": any number that nobody else in the database uses
BUSY_SECONDS = 8.0
"""A tick of a sensor has 20 seconds: what waits longer for the database is for the next one."""

_REFUSED_DAYS = 7


class SqlOutbox:
    """The outbox in a database; safe to use from many threads and processes.

    Args:
        url: `sqlite:////folder/history.sqlite` or `postgresql+psycopg://user:password@host/name`.
        environment: ESG_ENV; incidents and messages of others in the same database are left alone.
        read_only, busy_seconds: see `open_database`.

    Raises:
        SettingsWrong, StoreUnavailable: on opening, see `open_database`.
    """

    def __init__(
        self, url: str, environment: str, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self._engine = open_database(url, busy_seconds=busy_seconds, read_only=read_only)
        self._environment = environment

    def record(
        self, seen: Sequence[Observation | Recovery], routes: Routes, now: datetime
    ) -> Sequence[Incident]:
        """Apply what was seen and queue the messages, all or nothing; see the port."""
        batch = recording.in_order(seen)
        if not batch:
            return []
        with changing(self._engine, f"recording {len(batch)} alerts") as connection:
            _alone(connection)
            new = self._unknown(connection, batch)
            if not new:
                return []
            known = self._known(connection, new[0].at)
            outcome = recording.applied(self._environment, new, known, routes)
            connection.execute(
                EVIDENCE.insert(), [outbox_rows.evidence_row(self._environment, one, now) for one in new]
            )
            ids = {
                incident.key: self._keep(connection, incident, outcome.causes.get(incident.key))
                for incident in outcome.incidents.values()
            }
            if outcome.messages:
                rows = [
                    outbox_rows.message_row(queued, ids[queued.incident.key], now)
                    for queued in outcome.messages
                ]
                connection.execute(MESSAGES.insert(), rows)
        return list(outcome.incidents.values())

    def open_incidents(self) -> Sequence[Incident]:
        """Every incident that is open, oldest first."""
        with reading(self._engine, "reading the open incidents") as connection:
            return self._open(connection)

    def incidents_since(self, moment: datetime) -> Sequence[Incident]:
        """Incidents that were opened since, open or not, oldest first."""
        table = INCIDENTS.c
        query = sa.select(INCIDENTS).where(table.environment == self._environment, table.opened_at >= moment)
        with reading(self._engine, "reading incidents") as connection:
            rows = connection.execute(query.order_by(table.opened_at, table.id)).mappings()
            return [outbox_rows.incident_of(row) for row in rows]

    def claim(
        self,
        deliverer: str,
        now: datetime,
        *,
        lease_seconds: float,
        channels: Collection[str],
        early: bool = False,
    ) -> Message | None:
        """One message that is due, for this deliverer alone; see the port."""
        due = message_queries.due(self._environment, tuple(channels), early=early)
        at = {"now": now}
        lease = {"deliverer": deliverer, "until": now + timedelta(seconds=lease_seconds)}
        with translated("claiming an alert"), self._engine.connect() as connection:
            with connection.begin():
                # Most looks find nothing, and looking alone keeps nobody from writing.
                if connection.execute(due, at).first() is None:
                    return None
            with for_writing(connection).begin():
                while (found := connection.execute(due, at).mappings().first()) is not None:
                    # Whoever comes second waits for the first here, and then changes no row.
                    mine = {**at, **lease, "message_id": found["id"]}
                    if connection.execute(message_queries.lease(early=early), mine).rowcount:
                        return outbox_rows.message_of(found)
        return None

    def delivered(self, message: Message, deliverer: str, now: datetime, receipt: str) -> None:
        """The channel acknowledged it; it is never sent again, whoever has claimed it meanwhile."""
        del deliverer
        once = MESSAGES.update().where(MESSAGES.c.id == message.id, MESSAGES.c.delivered_at.is_(None))
        done = {"delivered_at": now, "receipt": receipt, "next_at": None, "refused_at": None}
        with changing(self._engine, "marking an alert as delivered") as connection:
            connection.execute(once.values(claimed_until=None, **done))

    def failed(
        self, message: Message, deliverer: str, now: datetime, why: str, retry_at: datetime | None
    ) -> None:
        """The channel did not take it: try again at `retry_at`, or never; see the port."""
        table = MESSAGES.c
        mine = MESSAGES.update().where(
            table.id == message.id,
            table.next_at.is_not(None),
            table.claimed_by == deliverer,
            table.claimed_until.is_not(None),
        )
        marks: dict[str, Any] = {"attempts": table.attempts + 1, "next_at": retry_at, "why": why}
        marks |= {"claimed_until": None, "refused_at": now if retry_at is None else None}
        with changing(self._engine, "marking an alert as not delivered") as connection:
            refused = connection.execute(mine.values(marks)).rowcount and retry_at is None
            if refused and message.state is State.OPEN:
                connection.execute(message_queries.what_follows(message, now))

    def waiting(self, now: datetime) -> Waiting:
        """What is not delivered yet, claimed or not."""
        table = MESSAGES.c
        ours = table.environment == self._environment
        left = (
            sa.select(table.channel, sa.func.count(), sa.func.min(table.queued_at))
            .where(ours, table.next_at.is_not(None))
            .group_by(table.channel)
        )
        refused = (
            sa.select(table.channel, sa.func.count())
            .where(ours, table.refused_at >= now - timedelta(days=_REFUSED_DAYS))
            .group_by(table.channel)
        )
        with reading(self._engine, "counting the alerts that wait") as connection:
            found = connection.execute(left).all()
            gone = connection.execute(refused).all()
        return Waiting(
            pending={row[0]: row[1] for row in found},
            oldest=min((row[2] for row in found), default=None),
            refused={row[0]: row[1] for row in gone},
        )

    def pending(self, key: str) -> Sequence[Message]:
        """Messages of the incident of that key that wait, oldest first."""
        query = (
            message_queries.of_incident(key).where(MESSAGES.c.next_at.is_not(None)).order_by(MESSAGES.c.id)
        )
        with reading(self._engine, "reading the alerts that wait") as connection:
            return [outbox_rows.message_of(row) for row in connection.execute(query).mappings()]

    def receipts(self, key: str) -> Sequence[Receipt]:
        """What channels acknowledged of the incident of that key, oldest first."""
        table = MESSAGES.c
        query = message_queries.of_incident(key).where(table.delivered_at.is_not(None))
        with reading(self._engine, "reading receipts") as connection:
            rows = connection.execute(query.order_by(table.delivered_at, table.id)).mappings()
            return [Receipt(outbox_rows.message_of(row), row["delivered_at"], row["receipt"]) for row in rows]

    def refusals(self, since: datetime) -> Sequence[Refusal]:
        """What was refused for good since then, oldest first."""
        table = MESSAGES.c
        query = sa.select(MESSAGES).where(table.environment == self._environment, table.refused_at >= since)
        with reading(self._engine, "reading refused alerts") as connection:
            rows = connection.execute(query.order_by(table.refused_at, table.id)).mappings()
            return [Refusal(outbox_rows.message_of(row), row["refused_at"], row["why"]) for row in rows]

    def bookmark(self, name: str) -> str:
        """A text that was kept under that name, "" if none."""
        with reading(self._engine, "reading how far was looked") as connection:
            value = connection.scalar(sa.select(BOOKMARKS.c.value).where(*self._bookmark(name)))
            return value or ""

    def keep_bookmark(self, name: str, value: str) -> None:
        """Keep a text: how far a detector has looked."""
        with changing(self._engine, "remembering how far was looked") as connection:
            _alone(connection)
            kept = BOOKMARKS.update().where(*self._bookmark(name)).values(value=value)
            if not connection.execute(kept).rowcount:
                row = {"environment": self._environment, "name": name, "value": value}
                connection.execute(BOOKMARKS.insert(), row)

    def _unknown(
        self, connection: sa.Connection, batch: Sequence[Observation | Recovery]
    ) -> list[Observation | Recovery]:
        """Those of the batch whose evidence is new; asked for in portions that every database takes."""
        table = EVIDENCE.c
        known: set[str] = set()
        names = [recording.evidence_name(one) for one in batch]
        for start in range(0, len(names), 500):
            query = sa.select(table.evidence).where(
                table.environment == self._environment, table.evidence.in_(names[start : start + 500])
            )
            known.update(connection.scalars(query))
        return [one for one, name in zip(batch, names, strict=True) if name not in known]

    def _known(self, connection: sa.Connection, earliest: datetime) -> recording.Known:
        open_incidents = self._open(connection)
        held = sa.select(EVIDENCE).where(
            EVIDENCE.c.environment == self._environment, EVIDENCE.c.well_at >= earliest
        )
        recoveries = [outbox_rows.recovery_of(row) for row in connection.execute(held).mappings()]

        def openings(cause: str) -> int:
            highest = sa.select(sa.func.max(INCIDENTS.c.number)).where(INCIDENTS.c.cause == cause)
            return connection.scalar(highest) or 0

        return recording.Known(open_incidents, recoveries, self._told(connection), openings)

    def _told(self, connection: sa.Connection) -> dict[str, dict[Target, frozenset[State]]]:
        """Which targets heard what of the open incidents; see `recording.Known`."""
        table = MESSAGES.c
        query = (
            sa.select(INCIDENTS.c.key, table.channel, table.audience, table.state, table.refused_at)
            .join(INCIDENTS, INCIDENTS.c.id == table.incident_id)
            .where(INCIDENTS.c.environment == self._environment, INCIDENTS.c.resolved_at.is_(None))
            .order_by(table.id)
        )
        told: dict[str, dict[Target, frozenset[State]]] = {}
        for key, channel, audience, state, refused_at in map(tuple, connection.execute(query)):
            states = told.setdefault(key, {})
            target = Target(channel, audience)
            heard = {State(state)} if refused_at is None or state != State.OPEN else set()
            states[target] = states.get(target, frozenset()) | heard
        return told

    def _open(self, connection: sa.Connection) -> list[Incident]:
        table = INCIDENTS.c
        query = sa.select(INCIDENTS).where(
            table.environment == self._environment, table.resolved_at.is_(None)
        )
        rows = connection.execute(query.order_by(table.opened_at, table.id)).mappings()
        return [outbox_rows.incident_of(row) for row in rows]

    def _keep(self, connection: sa.Connection, incident: Incident, new: tuple[str, int] | None) -> int:
        """Insert or update an incident; its id."""
        row = outbox_rows.incident_row(incident)
        if new is None:
            changed = INCIDENTS.update().where(INCIDENTS.c.key == incident.key)
            connection.execute(changed.values(row))
            same = sa.select(INCIDENTS.c.id).where(INCIDENTS.c.key == incident.key)
            return int(connection.execute(same).scalar_one())
        made = connection.execute(INCIDENTS.insert(), row | {"cause": new[0], "number": new[1]})
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])

    def _bookmark(self, name: str) -> tuple[sa.ColumnElement[bool], ...]:
        return BOOKMARKS.c.environment == self._environment, BOOKMARKS.c.name == name


def _alone(connection: sa.Connection) -> None:
    """Wait until no other process is in a transaction like this one, as SQLite's write lock has it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(BUSY_SECONDS * 1000)}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
