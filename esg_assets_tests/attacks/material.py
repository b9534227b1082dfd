"""Records and working data to attack, and what an attack on them is."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from esg_assets.core.examination import Head
from esg_assets.core.publication import Publication
from esg_assets_tests.adapters.records_material import Records
from esg_assets_tests.adapters.work_material import DAY, NEXT
from esg_assets_tests.fakes import MemoryStore

SEED = 20260115
BEFORE = DAY - dt.timedelta(days=1)
Objects = Mapping[str, bytes | None]
"""What an attack puts in place of objects; None for one that it removes."""


@dataclass(frozen=True)
class Case:
    """One attack.

    Attributes:
        objects: what it changes.
        at: sequences of which `verify` must name one.
        head: what a reader has noted and gives to `verify`, where it takes that to see it.
        opens: whether the report is the genuine one all the same, and may be opened.
    """

    objects: Objects
    at: frozenset[int]
    head: Head | None = None
    opens: bool = False


@dataclass
class Ground:
    """Records of three dates, the middle one with a correction, which is the report under attack.

    Attributes:
        name: how the tables call it.
        house: the stores.
        victim: version 2 of the middle date: entry 5 of 6.
        text: its CSV.
        good: what the records store holds, untouched.
    """

    name: str
    house: Records
    victim: Publication
    text: bytes
    good: dict[str, bytes] = field(repr=False)

    @property
    def store(self) -> MemoryStore:
        assert isinstance(self.house.records, MemoryStore)
        return self.house.records

    @property
    def report(self) -> bytes:
        """The sealed report under attack."""
        return self.good[self.victim.report.key]

    def of_report(self, data: bytes | None) -> Case:
        """The attack that puts `data` in its place."""
        return Case({self.victim.report.key: data}, frozenset({self.victim.sequence}))


def ground(name: str, rows: int) -> Ground:
    """Publish what is to be attacked: `rows` lines of some 14 bytes."""
    house = Records()
    chunks = [b"ACC-%07d,%d\r\n" % (number, number * 7 % 100) for number in range(rows)]
    house.publications().publish_summary(house.publish(BEFORE, chunks), b'{"day": 1}')
    house.publish(DAY, chunks[:-1])
    house.publish(NEXT, chunks)
    victim = house.publish(DAY, chunks)
    victim = house.publications().publish_summary(victim, b'{"day": 2}')
    assert isinstance(house.records, MemoryStore)
    return Ground(name, house, victim, b"".join(chunks), dict(house.records.objects))


@dataclass(frozen=True)
class Attack:
    """One row of the tables.

    Attributes:
        what: in words.
        cases: what is tried, made anew for a ground; the same number for each.
        tried: how many these are.
        sample: how many of them the default run takes.
        alone: whether the message alone, opened for its context without the chain, is refused too.
    """

    what: str
    cases: Callable[[Ground], Iterable[Case]]
    tried: int
    sample: int
    alone: bool = True

    def chosen(self, ground: Ground, *, full: bool) -> Iterator[Case]:
        """All its cases, or a seeded sample of them; one after the other, since each may be large."""
        numbers = (
            range(self.tried) if full else sorted(dice(self.what).sample(range(self.tried), self.sample))
        )
        wanted, made = set(numbers), 0
        for number, case in enumerate(self.cases(ground)):
            made = number + 1
            if number in wanted:
                yield case
            if not full and number == max(wanted):
                return
        assert made == self.tried, f"{self.what}: {made}"


def dice(what: str) -> random.Random:
    """Seeded for this purpose."""
    return random.Random(f"{SEED} {what}")
