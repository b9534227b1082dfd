"""A night in which thousands of accounts fail, and the next one, in which none does: who is told what.

Runs, checks, sealing and publishing are the real ones over a fake provider; looks, outbox and deliveries
too, at the half minutes and quarter minutes of the sensors; only the channels write down what they are told.
"""

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import time_machine

from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.alert_delivery import deliver_due, new_deliverer
from esg_assets.core.alerts.incidents import Message, State
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.routes import AUDIENCES, DEFAULT, EMAIL, HEARTBEAT, PAGERDUTY, Routes, Target
from esg_assets.core.history import PublishedReport
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Reply, Status
from esg_assets.detection import detect
from esg_assets.schedules import CATCH_UP_TAG, SCHEDULED_TAG
from esg_assets_tests.fake_channels import ScriptedChannel
from esg_assets_tests.fakes import FakeRatingsApi, rating_reply
from esg_assets_tests.pipeline.house import DAY, NEXT, House, accounts, new_house
from esg_assets_tests.pipeline.test_schedule import at

CHANNELS = (PAGERDUTY, EMAIL, HEARTBEAT)
ROUTES = Routes(DEFAULT, frozenset(Target(c, a) for c in CHANNELS for a in AUDIENCES))
ONE_EACH = {"pagerduty developers": 1, "email developers": 1, "email business": 1}
AS_FAST_AS_IT_GOES = CallPolicy(rate=50_000, burst=100, max_attempts=2)
LOOK, DELIVER = timedelta(seconds=30), timedelta(seconds=15)


@dataclass
class Night:
    """The house, its outbox and what the channels were told.

    Attributes:
        told: state of each alert, by channel and audience, with the time of its delivery.
    """

    house: House
    outbox: SqlOutbox
    channels: list[ScriptedChannel] = field(default_factory=lambda: [ScriptedChannel(c) for c in CHANNELS])
    told: list[tuple[datetime, Message]] = field(default_factory=list)

    def watch(self, since: datetime) -> None:
        """Two minutes of both sensors."""
        phase = random.Random(since.minute).random() * LOOK
        for tick in range(4):
            self.look(since + phase + tick * LOOK)

    def look(self, now: datetime) -> None:
        """The detection's tick, and the delivery's a moment later."""
        house = self.house
        found = detect(
            house.instance, house.history, self.outbox, ROUTES, house.settings, now, from_daemon=True
        )
        assert not found.faults, found.faults
        before = {channel.name: len(channel.taken) for channel in self.channels}
        deliver_due(self.outbox, self.channels, ROUTES, new_deliverer(), lambda: now + DELIVER)
        for channel in self.channels:
            self.told += [(now + DELIVER, message) for message in channel.taken[before[channel.name] :]]

    def alerts(self, state: State) -> Counter[str]:
        """How many alerts each audience was told over each channel; no notices, and not the heartbeat."""
        return Counter(
            f"{message.channel} {message.audience}"
            for _, message in self.told
            if message.state is state
            and message.channel != HEARTBEAT
            and message.incident.kind.family is not Family.NOTICE
        )

    def first(self) -> datetime:
        """When anybody was first told of anything."""
        return min(when for when, message in self.told if message.incident.kind.family is not Family.NOTICE)

    def heartbeats(self) -> list[str]:
        """What the heartbeat was told, in order."""
        return [m.incident.kind.name for _, m in self.told if m.channel == HEARTBEAT]


def hold(folder: Path, failing: int, of: int) -> None:
    """One page, one mail to each, the first within two minutes; one end of each in the next night."""
    with night_of(folder, of) as night:
        cause = fail_and_recover(night, failing)
    assert night.alerts(State.OPEN) == ONE_EACH
    assert night.alerts(State.WORSE) == {}
    assert night.alerts(State.RESOLVED) == ONE_EACH
    assert night.first() - cause <= timedelta(minutes=2)
    alerts = {m.incident.key for _, m in night.told if m.incident.kind.family is not Family.NOTICE}
    assert alerts == {f"esg/test/{DAY}/failure_rate"}
    # As told: failed or published on its own day, and so on the next; a failure that was published is both.
    published = ["failure_rate", "report_published"] if failing < of else ["failure_rate"]
    assert night.heartbeats()[: len(published)] in (published, published[::-1])


@contextlib.contextmanager
def night_of(folder: Path, of: int) -> Iterator[Night]:
    """The house in the night before, with that many accounts."""
    with (
        time_machine.travel(at(DAY, 4)),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        house = new_house(folder, instance, count=of)
        house.source.past = {DAY + timedelta(days=n): accounts(of) for n in range(-1, 2)}
        house.history.record_publication(_yesterdays(of), {})
        house.settings = house.settings.model_copy(update={"first_date": DAY - timedelta(days=1)})
        night = Night(house, SqlOutbox(f"sqlite:///{folder}/outbox.sqlite", "test"))
        night.look(at(DAY, 4))
        night.told.clear()
        yield night


def fail_and_recover(night: Night, failing: int) -> datetime:
    """The failing night and the healthy one; gives when the first run had failed or published."""
    house = night.house
    refused = {f"ACC-{n:05d}" for n in range(failing)}
    house.api = FakeRatingsApi(
        otherwise=lambda account, day: Reply(422) if account in refused else rating_reply(account, day),
        policy=AS_FAST_AS_IT_GOES,
    )
    cause = _run(house, DAY, 5)
    night.watch(cause)
    if house.published(DAY) is None:
        night.watch(_run(house, DAY, 5, 30))
    for hour in (7, 12, 23):
        night.look(at(DAY, hour, 1))
    house.api = FakeRatingsApi(policy=AS_FAST_AS_IT_GOES)
    night.watch(_run(house, NEXT, 5))
    if house.published(DAY) is None:
        night.watch(_run(house, DAY, 5, 5, on=NEXT))
    night.look(at(NEXT, 7, 1))
    return cause


def _run(house: House, day: date, hour: int, minute: int = 0, on: date | None = None) -> datetime:
    """As the schedule starts it; gives when it had ended."""
    tags = {SCHEDULED_TAG: "a tick", **({} if on is None else {CATCH_UP_TAG: "true"})}
    config = None if on is None else {"esg_ratings": {"refresh": "all"}}
    with time_machine.travel(at(on or day, hour, minute)):
        house.run(day, tags=tags, config=config)
        return datetime.now(UTC)


def _yesterdays(count: int) -> PublishedReport:
    day = DAY - timedelta(days=1)
    report = PublishedReport(
        report_date=day,
        version=1,
        sequence=1,
        head_sha256="0" * 64,
        run_id="",
        counts={Status.SUCCESS: count, Status.NOT_RATED: 0, Status.FAILED: 0},
        as_of=day - timedelta(days=1),
        accounts_as_of="",
    )
    return replace(report, accounts_as_of=report.as_of.isoformat())
