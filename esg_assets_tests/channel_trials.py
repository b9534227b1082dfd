"""Trials of alerting: a few incidents told over real conversations while everything about it fails.

Each trial records what is wrong and what is well again, and delivers it, while connections are refused,
answers are 500 or do not come, acknowledgements get lost, and whoever records or delivers dies between
any two steps and is started again, sometimes two at once. Only the time is made up. Then everything is
well, and what the outside has seen is compared with what had to be told.
"""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.alert_delivery import deliver_due, new_deliverer
from esg_assets.core.alerts.incidents import Message, Observation, Recovery
from esg_assets.core.alerts.kinds import KINDS, RUN_FAILED, SENSOR_SILENT
from esg_assets.core.alerts.routes import (
    BUSINESS,
    DEFAULT,
    DEVELOPERS,
    EMAIL,
    PAGERDUTY,
    SLACK,
    Routes,
    Target,
)
from esg_assets.core.errors import StoreUnavailable
from esg_assets_tests.outbox_material import emptied_outbox
from esg_assets_tests.trial_outside import ADDRESSES, FAULTS, Outside

START = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
TARGETS = (
    Target(PAGERDUTY, DEVELOPERS),
    Target(EMAIL, DEVELOPERS),
    Target(SLACK, DEVELOPERS),
    Target(EMAIL, BUSINESS),
)
ROUTES = Routes(DEFAULT, frozenset(TARGETS))
STEPS = 14
"""Rounds in which things go wrong; after them nothing does."""

ROUNDS = 60
"""After which everything has to have been told."""


class FaultyChannel:
    """A channel of the outside whose deliveries go wrong as `fault` says, which hears of each."""

    def __init__(self, name: str, outside: Outside, fault: Callable[[Message], str]) -> None:
        self.name = name
        self._outside, self._fault = outside, fault

    def deliver(self, message: Message) -> str:
        return self._outside.deliver(message, self._fault(message))


class Died(StoreUnavailable):
    """Whoever used the outbox is dead: nothing that it would have done happens."""


class MortalOutbox:
    """An outbox whose user dies before or after one of its next steps, as `dies` says."""

    def __init__(self, outbox: SqlOutbox, dies: Callable[[], str]) -> None:
        self._outbox, self._dies = outbox, dies
        self._dead = threading.Event()

    def __getattr__(self, name: str) -> Any:
        step = getattr(self._outbox, name)

        def mortal(*given: Any, **named: Any) -> Any:
            dies = self._dies()
            if self._dead.is_set() or dies == "before":
                self._dead.set()
                raise Died("killed before a step")
            done = step(*given, **named)
            if dies == "after":
                self._dead.set()
            if self._dead.is_set():
                raise Died("killed after a step")
            return done

        return mortal


class Trial:
    """One trial.

    Args:
        seed: of everything that is drawn.
        url: of a database; the outbox in it is emptied.
        outside: used by one trial at a time.
    """

    def __init__(self, seed: int, url: str, outside: Outside) -> None:
        outside.forget()
        self.seen: Counter[str] = Counter()
        self._handed: Counter[tuple[str, datetime]] = Counter()
        self.outbox = emptied_outbox(url)
        self._outside = outside
        self._draw = random.Random(seed)
        self._lock = threading.Lock()
        self._rough = True
        self._now = START
        self._channels = [FaultyChannel(name, outside, self._fault) for name in (PAGERDUTY, EMAIL, SLACK)]
        self.keys, self._batches = self._story()

    def run(self) -> None:
        """From the first observation to the last acknowledgement."""
        for number in range(ROUNDS):
            self._rough = number < STEPS
            if self._batches and (not self._rough or self._chance(0.6)):
                self._record()
            if self._chance(0.8) or not self._rough:
                self._deliver(2 if self._chance(0.3) else 1)
            # Leases run out and backoffs end, or they do not.
            self._now += timedelta(seconds=self._draw.choice([1, 15, 30, 90]) if self._rough else 1000)
            if not self._rough and not self._batches and not self.outbox.waiting(self._now).pending:
                return

    def faults(self) -> Iterator[str]:
        """Everything that the outside should have seen otherwise; nothing if all is well."""
        if self._batches or self.outbox.waiting(self._now).pending:
            yield "not everything was delivered in time"
        if {one.key for one in self.outbox.incidents_since(START)} != self.keys:
            yield "the incidents are not those that happened"
        if self.outbox.open_incidents():
            yield "an incident never ended"
        # A lease and every backoff are longer than a moment, whoever died and however many deliver.
        if again := [name for (name, _), times in self._handed.items() if times > 1]:
            yield f"two deliverers had one message at once: {again}"
        yield from self._pager_faults()
        for to in ADDRESSES.values():
            if len({name for name, address in self._outside.mails if address == to}) != 2 * len(self.keys):
                yield f"{to} did not get one opening and one end of each incident"
        if self._outside.slack_messages < 2 * len(self.keys):
            yield "Slack did not hear of everything"
        for key in self.keys:
            told = Counter((one.message.channel, one.message.audience) for one in self.outbox.receipts(key))
            if told != {(target.channel, target.audience): 2 for target in TARGETS}:
                yield f"the receipts of {key} are not two of each target"

    def _pager_faults(self) -> Iterator[str]:
        opened: Counter[str] = Counter()
        paging: set[str] = set()
        for action, key in self._outside.events:
            if action == "resolve":
                if key not in opened:
                    yield f"PagerDuty was told of the end of {key} before its opening"
                paging.discard(key)
            elif key not in paging:
                opened[key] += 1
                paging.add(key)
        if missed := self.keys - set(opened):
            yield f"PagerDuty missed {sorted(missed)}"
        if doubled := [key for key, times in opened.items() if times > 1]:
            yield f"PagerDuty paged twice for {doubled}"
        if paging:
            yield f"PagerDuty still pages for {sorted(paging)}"

    def _story(self) -> tuple[set[str], list[Sequence[Observation | Recovery]]]:
        """What happens: the keys of its incidents, and batches as detectors record them, in order."""
        keys: set[str] = set()
        batches: list[Sequence[Observation | Recovery]] = []
        for number in range(self._draw.randint(1, 3)):
            kind = self._draw.choice([RUN_FAILED, SENSOR_SILENT, KINDS["failure_rate"]])
            day = None if kind is SENSOR_SILENT else date(2026, 11, 20 + number)
            subject = "" if kind.name == "failure_rate" else f"s{number}"
            cause = "/".join(["esg", "test", str(day or "-"), kind.name, *([subject] if subject else [])])
            for again in range(self._draw.randint(1, 2)):
                keys.add(cause if not again else f"{cause}#2")
                at = START + timedelta(minutes=10 * again)
                seen = [
                    Observation(kind, f"{cause}:{again}:{times}", at + timedelta(minutes=times), day, subject)
                    for times in range(self._draw.randint(1, 3))
                ]
                well = Recovery(
                    f"{cause}:{again}:well",
                    at + timedelta(minutes=5),
                    frozenset({kind.name}),
                    day,
                    subject or None,
                )
                batches += [[*seen, well]] if self._chance(0.3) else [seen, [well]]
        return keys, batches

    def _record(self) -> None:
        """A detector records a batch; one that dies looks again, and finds the same evidence."""
        batch = self._batches[0]
        with contextlib.suppress(Died):
            MortalOutbox(self.outbox, self._dies).record(batch, ROUTES, self._now)
            self._batches.pop(0)

    def _deliver(self, deliverers: int) -> None:
        """One pass of one deliverer, or of several at once; each may die in it."""

        def deliver() -> None:
            mortal: Any = MortalOutbox(self.outbox, self._dies)
            try:
                deliver_due(mortal, self._channels, ROUTES, new_deliverer(), lambda: self._now)
            except Died:
                self.seen["died"] += 1

        threads = [threading.Thread(target=deliver) for _ in range(deliverers)]
        self.seen["at once"] += deliverers > 1
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _fault(self, message: Message) -> str:
        with self._lock:
            self._handed[message.identity, self._now] += 1
            fault = self._draw.choice(FAULTS) if self._rough and self._draw.random() < 0.5 else ""
            self.seen[fault] += 1
            return fault

    def _dies(self) -> str:
        with self._lock:
            return (
                self._draw.choice(["before", "after"]) if self._rough and self._draw.random() < 0.06 else ""
            )

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share


def trials(seeds: Collection[int], url: str, outside: Outside) -> Counter[str]:
    """Run the trials of these seeds; what went wrong on purpose in them, counted.

    Raises:
        AssertionError: with the seed, and what the outside should have seen otherwise.
    """
    seen: Counter[str] = Counter()
    for seed in seeds:
        trial = Trial(seed, url, outside)
        trial.run()
        wrong = list(trial.faults())
        assert not wrong, f"seed {seed}: {'; '.join(wrong)}"
        seen += trial.seen
    return seen
