"""The queries on messages: which are due, which are free to be claimed, which follow another."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database.models import INCIDENTS, MESSAGES, UtcDateTime
from esg_assets.core.alerts.incidents import Message
from esg_assets.core.alerts.routes import HEARTBEAT

NOW = sa.bindparam("now", type_=UtcDateTime)
"""The time, in the queries here that are built once."""


@lru_cache
def due(environment: str, channels: tuple[str, ...], *, early: bool) -> sa.Select[Any]:
    """The message that has been due for longest at NOW and waits for no other one; see `Outbox.claim`."""
    table, before = MESSAGES.c, MESSAGES.alias("before")
    same_target = sa.and_(
        before.c.incident_id == table.incident_id,
        before.c.channel == table.channel,
        before.c.audience == table.audience,
    )
    heartbeat = sa.and_(
        table.channel == HEARTBEAT,
        before.c.environment == environment,
        before.c.channel == HEARTBEAT,
    )
    waits_for = [
        sa.exists().where(which, before.c.id < table.id, before.c.next_at.is_not(None))
        for which in (same_target, heartbeat)
    ]
    return (
        sa.select(MESSAGES)
        .where(
            table.environment == environment,
            table.channel.in_(channels),
            *free(early=early),
            *(~each for each in waits_for),
        )
        .order_by(table.next_at, table.id)
        .limit(1)
    )


@lru_cache
def lease(*, early: bool) -> sa.Update:
    """Give the message `message_id` to `deliverer` until `until`, if it is free at NOW."""
    mine = MESSAGES.update().where(MESSAGES.c.id == sa.bindparam("message_id"), *free(early=early))
    return mine.values(
        claimed_by=sa.bindparam("deliverer"), claimed_until=sa.bindparam("until", type_=UtcDateTime)
    )


def free(*, early: bool) -> tuple[sa.ColumnElement[bool], ...]:
    """Undelivered, its time has come, and no lease on it is in force."""
    table = MESSAGES.c
    return (
        table.next_at.is_not(None) if early else table.next_at <= NOW,
        sa.or_(table.claimed_until.is_(None), table.claimed_until <= NOW),
    )


def of_incident(key: str) -> sa.Select[Any]:
    """Every message of the incident of that key."""
    ids = sa.select(INCIDENTS.c.id).where(INCIDENTS.c.key == key)
    return sa.select(MESSAGES).where(MESSAGES.c.incident_id.in_(ids))


def what_follows(message: Message, now: datetime) -> sa.Update:
    """Ends what waits behind an opening that was refused for good."""
    table = MESSAGES.c
    incident = sa.select(table.incident_id).where(table.id == message.id).scalar_subquery()
    return (
        MESSAGES.update()
        .where(
            table.incident_id == incident,
            table.channel == message.channel,
            table.audience == message.audience,
            table.id > message.id,
            table.next_at.is_not(None),
        )
        .values(next_at=None, refused_at=now, why="its opening was refused")
    )
