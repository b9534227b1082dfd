"""A backfill gives way to today's report: the provider never sees two runs at once, and nothing is lost."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.core.central_time import central_date
from esg_assets.core.ports import CallPolicy
from esg_assets.run_lease import WAITING_TAG, YIELDED_TAG
from esg_assets.schedules import dates_that_gave_way, due_at
from esg_assets.stale_runs import COMMAND_LINE_TAG
from esg_assets_tests.fakes import FakeAccountSource, FakeRatingsApi
from esg_assets_tests.pipeline.house import House, Ran, accounts, house_on_disk

SLOW = CallPolicy(rate=60.0, max_attempts=2)  # 240 accounts take four seconds
OLD = date(2026, 2, 2)


@pytest.fixture
def today() -> date:
    return central_date(datetime.now(UTC))


@pytest.fixture
def busy_house(tmp_path: Path, today: date) -> Iterator[House]:
    """On a disk, since two runs at once are too many for an instance in memory."""
    rows = accounts(240)
    days = [OLD - timedelta(days=1), today - timedelta(days=1)]
    with house_on_disk(tmp_path) as house:
        house.source = FakeAccountSource(rows, past=dict.fromkeys(days, rows))
        house.api = FakeRatingsApi(policy=SLOW)
        yield house


def backfill_and_night(house: House, today: date, tags: dict[str, str]) -> tuple[Ran, Ran]:
    """Start the old date, and today's report while it asks; both runs when they have ended."""
    ran: dict[str, Ran] = {}

    def old() -> None:
        ran["old"] = house.run(OLD, tags=tags)

    backfill = threading.Thread(target=old)
    backfill.start()
    give_up = time.monotonic() + 30
    while len(house.api.calls) < 60 and time.monotonic() < give_up:
        time.sleep(0.02)
    ran["today"] = house.run(today)
    backfill.join(60)
    assert not backfill.is_alive()
    return ran["old"], ran["today"]


def order_of_dates(house: House) -> list[date]:
    """The dates asked for, runs of the same date as one."""
    found: list[date] = []
    for _, as_of in house.api.calls:
        if not found or found[-1] != as_of:
            found.append(as_of)
    return found


def test_a_daemons_backfill_ends_as_canceled_and_the_schedule_takes_it_up_again(
    busy_house: House, today: date
) -> None:
    old, night = backfill_and_night(busy_house, today, {})

    assert night.success
    assert night.run.tags[WAITING_TAG] == "false", "it waited, and then had its turn"
    run = busy_house.instance.get_run_by_id(old.run.run_id)
    assert run is not None
    assert run.tags[YIELDED_TAG] == "true"
    assert run.status is dg.DagsterRunStatus.CANCELED
    before = OLD - timedelta(days=1)
    assert order_of_dates(busy_house) == [before, today - timedelta(days=1)], "never both at once"
    assert dates_that_gave_way(busy_house.instance) == {OLD}
    due = due_at(today, busy_house.instance, busy_house.history, busy_house.settings)
    assert OLD in due.wanted

    asked = sum(as_of == before for _, as_of in busy_house.api.calls)
    busy_house.api.policy = CallPolicy(rate=5000.0)
    assert busy_house.run(OLD).success
    assert sum(as_of == before for _, as_of in busy_house.api.calls) == 240, f"{asked} were kept"
    assert dates_that_gave_way(busy_house.instance) == set()


def test_a_backfill_from_the_command_line_waits_and_goes_on(busy_house: House, today: date) -> None:
    old, night = backfill_and_night(busy_house, today, {COMMAND_LINE_TAG: "true"})

    assert night.success
    assert old.success
    before = OLD - timedelta(days=1)
    assert order_of_dates(busy_house) == [before, today - timedelta(days=1), before]
    assert len(busy_house.api.calls) == 480
    assert len(busy_house.report(OLD)) == len(busy_house.report(today)) == 240
