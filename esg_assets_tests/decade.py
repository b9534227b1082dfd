"""Years of nights in seconds: the real schedule and the real detection over a world that is made up.

The world: a provider that fails some dates for a while and some for good, a source that keeps no history for
a year, a daemon that is down for days, a cron that somebody edits. The schedule is asked through `due_at` at
every tick that a living daemon makes, the detection looks after every tick, run and deadline. Everything
is drawn from a seed.
"""

import bisect
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from esg_assets import schedules
from esg_assets.core.alerts.kinds import READY
from esg_assets.core.alerts.punctuality import LATENESS
from esg_assets.core.alerts.routes import DEFAULT, Routes
from esg_assets.detection import detect
from esg_assets.settings import load_settings
from esg_assets_tests.decade_parts import Published, Runs
from esg_assets_tests.fake_outbox import MemoryOutbox

CENTRAL = ZoneInfo("America/Chicago")
NOBODY = Routes(DEFAULT, frozenset())
MINUTE = timedelta(minutes=1)


def central(day: date, hour: int, minute: int = 0) -> datetime:
    """In UTC."""
    return datetime.combine(day, time(hour, minute), CENTRAL).astimezone(UTC)


@dataclass(frozen=True)
class Plan:
    """What becomes of the runs of a date: so many fail, and each takes so long."""

    failures: int
    minutes: int


FOR_EVER = 10**6


@dataclass
class World:
    """The years from `first` to `last`, drawn from `seed`, and what came of them."""

    first: date
    last: date
    seed: int
    runs: Runs = field(default_factory=Runs)
    history: Published = field(default_factory=Published)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    ticks: Counter[date] = field(default_factory=Counter)
    """Ticks of a living daemon by Central date."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._settings = load_settings(environ={"ESG_FIRST_DATE": self.first.isoformat()}, dotenv=None)
        days = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]
        self.plans = {day: self._plan() for day in days}
        self.down = list(self._times_down())
        # A source without history for a year: what is not asked for on its day can never be.
        self.no_history = (self.first + timedelta(days=120), self.first + timedelta(days=485))
        self._changed = 0
        self._ends: list[tuple[datetime, str, date, str]] = []

    def _plan(self) -> Plan:
        kind, dice = self._dice.random(), self._dice
        if kind < 0.015:
            return Plan(FOR_EVER, dice.randint(1, 20))
        if kind < 0.08:
            return Plan(dice.randint(1, 5), dice.randint(1, 20))
        return Plan(0, dice.randint(3, 110) if kind < 0.95 else dice.randint(125, 400))

    def _times_down(self) -> Iterator[tuple[datetime, datetime, bool]]:
        """From, until, and whether cron goes on flushing meanwhile."""
        at = central(self.first, 12) + timedelta(days=20)
        while at.date() < self.last:
            hours = self._dice.choice([3, 9, *(24 * n for n in range(1, 11))]) + self._dice.random() * 3
            yield at, at + timedelta(hours=hours), self._dice.random() < 0.5
            at += timedelta(hours=hours) + timedelta(
                days=self._dice.randint(12, 80), hours=self._dice.randint(0, 23)
            )

    def is_down(self, at: datetime) -> tuple[bool, bool]:
        """Whether the daemon is down, and whether somebody looks all the same."""
        for begin, end, flushed in self.down:
            if begin <= at < end:
                return True, flushed
        return False, True

    # --- the passing of time

    def pass_by(self) -> None:
        """All of it."""
        self.runs.on_since = central(self.first, 4)
        day = self.first
        while day <= self.last:
            ticks = self._schedule(day)
            for at in sorted({*ticks, central(day, 7, 1), central(day, 23, 50)}):
                self._end_runs(at)
                down, somebody_looks = self.is_down(at)
                if not down and at in ticks:
                    self._tick(at, day)
                if somebody_looks and (at not in ticks or self._may_have_news(day)):
                    self._look(at + MINUTE)
            self._forget(day)
            day += timedelta(days=1)
        self._end_runs(central(self.last, 23, 59))
        self._look(central(self.last, 23, 59))

    def _may_have_news(self, day: date) -> bool:
        """A look at a world that stands still says what the one before said, so most are left out."""
        changed, self._changed = self._changed, len(self.runs._changes)
        return changed != self._changed or day not in self.history.times or bool(self.runs._going_on)

    def _schedule(self, day: date) -> set[datetime]:
        minutes = [0, 30] if day.month != 3 else [15]  # somebody edits the cron every March
        hours = range(5, 24) if day.month != 3 else range(4, 21)
        return {central(day, hour, minute) for hour in hours for minute in minutes}

    def _tick(self, at: datetime, day: date) -> None:
        self.ticks[day] += 1
        due = schedules.due_at(day, self.runs, self.history, self._settings)  # type: ignore[arg-type]
        for wanted in due.wanted:
            tags = {schedules.SCHEDULED_TAG: at.isoformat()}
            if wanted != day:
                tags[schedules.CATCH_UP_TAG] = "true"
            run_id = self.runs.start(wanted, at, tags)
            plan = self.plans[wanted]
            tried = len(self.runs.get_runs(dg.RunsFilter(tags={"dagster/partition": wanted.isoformat()})))
            error = "ApiUnavailable" if tried <= plan.failures else ""
            if wanted != day and self.no_history[0] <= wanted < self.no_history[1]:
                error = "NoHistory"
            bisect.insort(self._ends, (at + plan.minutes * MINUTE, run_id, wanted, error))

    def _end_runs(self, now: datetime) -> None:
        while self._ends and self._ends[0][0] <= now:
            at, run_id, day, error = self._ends.pop(0)
            if not error:
                self.history.publish(day, at)
            self.runs.end(run_id, at, error, permanent=error == "NoHistory")

    def _look(self, now: datetime) -> None:
        found = detect(self.runs, self.history, self.outbox, NOBODY, self._settings, now)  # type: ignore[arg-type]
        assert not found.faults, found.faults

    def _forget(self, day: date) -> None:
        """Old evidence, so that the fake outbox stays quick; the real one looks it up by an index."""
        before = central(day, 0) - timedelta(days=60)
        seen = self.outbox._seen
        for name in [name for name, one in seen.items() if one.at < before]:
            del seen[name]

    # --- what came of it

    def late(self) -> set[date]:
        """Dates without a report by their deadline, as the history has it."""
        published = self.history.times
        return {day for day in self.plans if day not in published or published[day] > central(day, 7)}

    def told_late(self) -> Counter[date]:
        """Incidents of lateness by date."""
        incidents = self.outbox.incidents.values()
        return Counter(one.date for one in incidents if one.date is not None and one.kinds & LATENESS)

    def open_dates(self) -> set[date]:
        """Dates whose incident has not ended."""
        return {one.date for one in self.outbox.open_incidents() if one.date is not None}

    def chances(self, day: date) -> int:
        """Ticks of a living daemon at which the schedule may ask for a date."""
        reach = range(self._settings.catchup_days + 1)
        if self.no_history[0] <= day < self.no_history[1]:
            reach = range(1)  # its own day is the only one
        return sum(self.ticks[day + timedelta(days=n)] for n in reach)

    def attempts(self, day: date) -> int:
        """Runs of a date."""
        return len(self.runs.get_runs(dg.RunsFilter(tags={"dagster/partition": day.isoformat()})))


ENOUGH = 20
"""Chances that any date needs that can succeed at all: five failures of 20 minutes, and a long run."""


def check(world: World) -> str:
    """Hold what came of the world against what must; gives the figures in one line."""
    world.pass_by()
    published, late = world.history.times, world.late()
    missing = set(world.plans) - set(published)
    assert set(world.history.versions.values()) == {1}, "a date was published twice"
    # One incident for each date that is missing or came too late, and none for any other.
    assert world.told_late() == Counter(late)
    assert world.open_dates() == missing
    # The readers are told of each report once.
    ready = (one.date for one in world.outbox.incidents.values() if one.kind == READY)
    assert Counter(ready) == Counter(list(published))
    hopeless = {day for day, plan in world.plans.items() if plan.failures >= FOR_EVER}
    for day, plan in world.plans.items():
        chances, most = world.chances(day), world._settings.max_date_attempts
        if day in hopeless or not chances:
            assert day in missing
        elif chances >= ENOUGH:
            assert day in published, (day, plan, chances)
            assert world.attempts(day) == plan.failures + 1
        assert world.attempts(day) <= most
        if day in hopeless and chances >= ENOUGH:
            assert world.attempts(day) == most
    incidents = [one for one in world.outbox.incidents.values() if one.date in hopeless & missing]
    oldest_wanted = world.last - timedelta(days=world._settings.catchup_days)
    assert all("date_given_up" in one.kinds for one in incidents if one.date and one.date < oldest_wanted)
    assert sum(end - begin >= timedelta(days=1) for begin, end, _ in world.down) >= 1
    return (
        f"{len(world.plans):,} dates, {sum(world.ticks.values()):,} ticks, "
        f"{len(world.runs._records):,} runs, "
        f"{len(published):,} published once, {len(late - missing):,} of them too late, "
        f"{len(missing):,} never ({len(hopeless):,} could not), "
        f"{len(world.down)} times down: {len(late):,} incidents of lateness"
    )
