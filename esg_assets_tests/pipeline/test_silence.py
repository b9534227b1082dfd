"""An outside service that knows nothing but the heartbeat: what it notices of a host that says nothing.

Fifteen minutes after the deadline are a second here. A real daemon is killed in proof/test_dead_host.py.
"""

import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.adapters.notifiers.heartbeat import HeartbeatChannel
from esg_assets.alert_delivery import deliver_due, new_deliverer
from esg_assets.core.alerts.routes import DEFAULT, HEARTBEAT, MONITORS, Routes, Target
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import StoreUnavailable
from esg_assets.detection import detect
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.pipeline.house import House
from esg_assets_tests.pipeline.test_schedule import publish
from esg_assets_tests.servers import free_ports
from esg_assets_tests.silence_receiver import Receiver, receiver

ROUTES = Routes(DEFAULT, frozenset({Target(HEARTBEAT, MONITORS)}))


def now() -> datetime:
    return datetime.now(UTC)


def look_and_deliver(house: House, outbox: SqlOutbox, outside: Receiver) -> None:
    detect(house.instance, house.history, outbox, ROUTES, house.settings, now())
    deliver_due(outbox, [HeartbeatChannel(outside.url)], ROUTES, new_deliverer(), now)


def test_silence_after_the_deadline_is_noticed_whatever_keeps_the_host_silent(
    house: House, tmp_path: Path
) -> None:
    house.history = MemoryHistory(now)
    publish(house.history, central_date(now()))
    with ExitStack() as stack:
        deadline = time.time() + 4
        published, locked, gone = (
            stack.enter_context(receiver(tmp_path, port, deadline, 1.0)) for port in free_ports(3)
        )
        look_and_deliver(house, SqlOutbox(f"sqlite:///{tmp_path}/outbox.sqlite", "test"), published)

        database = tmp_path / "locked.sqlite"
        outbox = SqlOutbox(f"sqlite:///{database}", "test", busy_seconds=0.1)
        holder = stack.enter_context(closing(sqlite3.connect(database, isolation_level=None)))
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable):
            look_and_deliver(house, outbox, locked)

        for each in (gone, locked, published):
            each.wait()
        assert (published.notices(), locked.notices(), gone.notices()) == ([], ["silence"], ["silence"])
        assert all(deadline <= at <= deadline + 1 + 1 for at in [*locked.noticed_at(), *gone.noticed_at()])
