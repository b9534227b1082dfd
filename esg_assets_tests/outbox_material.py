"""A database's outbox for many tests: emptied instead of made anew, and without waiting for the disk."""

from typing import Any

import sqlalchemy as sa

from esg_assets.adapters.database import models
from esg_assets.adapters.database.opening import writing
from esg_assets.adapters.database.outbox import SqlOutbox


def emptied_outbox(url: str, environment: str = "test") -> SqlOutbox:
    """The outbox at `url` with nothing in it. What it writes need not outlive a power cut."""
    outbox = SqlOutbox(url, environment)
    engine = outbox._engine
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _without_sync)
    with writing(engine).begin() as connection:
        for table in (models.MESSAGES, models.INCIDENTS, models.EVIDENCE, models.BOOKMARKS):
            connection.execute(table.delete())
    return outbox


def _without_sync(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
