"""Attacks on the work store: a damaged part or snapshot stops the reader, and no rating is lost silently."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from esg_assets.adapters.envelope import WorkingEnvelope
from esg_assets.adapters.working_data import SealedParts, SealedSnapshots
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import Tampered
from esg_assets_tests.adapters.work_material import (
    DAY,
    NEXT,
    accounts_in,
    batch,
    parts_in,
    snapshot,
    snapshots_in,
    success,
)
from esg_assets_tests.adapters.work_material import records_in as handles_in
from esg_assets_tests.attacks.material import Objects, dice
from esg_assets_tests.attacks.trying import Count
from esg_assets_tests.fakes import MemoryStore

NAME = "the work store"
PART = f"parts/{DAY}/0001/0000000"
SNAPSHOT = f"snapshots/{DAY}/0001"
HANDLE = f"handles/ratings/{DAY}/handle/0001"
FLIPS = {f"{PART}2": 500, SNAPSHOT: 300, HANDLE: 200}
CUT = 200


@dataclass
class Work:
    """A work store with two generations of a date, five parts, a handle, and another date."""

    store: MemoryStore = field(default_factory=MemoryStore)
    good: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        first = _filled(self.store, snapshots_in(self.store), parts_in(self.store))
        second = snapshots_in(self.store).save(snapshot(4))
        for number in range(2):
            parts_in(self.store).append(second, batch(success(f"second-{number}")))
        handles_in(self.store).put("ratings", "handle", DAY, {"counts": first.count})
        other = snapshots_in(self.store).save(snapshot(partition=NEXT))
        parts_in(self.store).append(other, batch(success("next")))
        self.good = dict(self.store.objects)

    def read(self) -> list[str]:
        """Everything that a run of the date reads, as a new process does."""
        latest = snapshots_in(self.store).latest(DAY)
        assert latest is not None
        handles_in(self.store).get("ratings", "handle", DAY)
        return accounts_in(list(parts_in(self.store).read(latest)))


def _filled(store: MemoryStore, snapshots: SealedSnapshots, parts: SealedParts) -> Snapshot:
    saved = snapshots.save(snapshot())
    for number in range(3):
        parts.append(saved, batch(success(f"first-{number}")))
    return saved


def _flips(work: Work) -> Iterator[Objects]:
    for key, count in FLIPS.items():
        for bit in dice(key).sample(range(len(work.good[key]) * 8), count):
            copy = bytearray(work.good[key])
            copy[bit // 8] ^= 1 << bit % 8
            yield {key: bytes(copy)}


def _truncations(work: Work) -> Iterator[Objects]:
    for key in FLIPS:
        yield from ({key: work.good[key][:-count]} for count in range(1, CUT + 1))


def _appended(work: Work) -> Iterator[Objects]:
    for key in FLIPS:
        yield from ({key: work.good[key] + more} for more in (b"\0", b"\n", b"\xff" * 16, work.good[key]))


def _emptied(work: Work) -> Iterator[Objects]:
    del work
    return ({key: b""} for key in FLIPS)


def _others(work: Work) -> Iterator[Objects]:
    """Every sealed object in the place of every other of the date: generation, number, kind, date."""
    names = [key for key in work.good if key != "store_id"]
    for place, other in itertools.permutations(sorted(names), 2):
        if str(DAY) in place:
            yield {place: work.good[other]}


def _elsewhere(work: Work) -> Iterator[Objects]:
    """The same things sealed with the same key for another environment and for another store."""
    del work
    for environment in ("prod", "test"):
        store = MemoryStore()
        snapshots = snapshots_in(store, environment)
        _filled(store, snapshots, SealedParts(store, _key(b"w"), environment, snapshots))
        for key in (f"{PART}1", f"{PART}2", f"{PART}3", SNAPSHOT):
            yield {key: store.objects[key]}


def _another_key(work: Work) -> Iterator[Objects]:
    """The same things of the same store, sealed by somebody who has another key."""
    store = MemoryStore()
    store.create("store_id", work.good["store_id"])
    snapshots = SealedSnapshots(store, _key(b"x"), "test")
    _filled(store, snapshots, SealedParts(store, _key(b"x"), "test", snapshots))
    return ({key: store.objects[key]} for key in (f"{PART}1", f"{PART}2", f"{PART}3", SNAPSHOT))


def _key(letter: bytes) -> WorkingEnvelope:
    return WorkingEnvelope(letter * 32)


def _removed(work: Work) -> Iterator[Objects]:
    """A part from among others, a snapshot that parts belong to, the store's id."""
    del work
    return ({key: None} for key in (f"{PART}1", f"{PART}2", SNAPSHOT, "store_id"))


@dataclass(frozen=True)
class WorkAttack:
    """One row of the tables, as `material.Attack`."""

    what: str
    cases: Callable[[Work], Iterator[Objects]]
    tried: int
    sample: int


ATTACKS = [
    WorkAttack("one bit flipped (part 500, snapshot 300, handle 200)", _flips, 1_000, 200),
    WorkAttack("cut off at each of the last 200 bytes", _truncations, 3 * CUT, 100),
    WorkAttack("bytes behind it", _appended, 12, 12),
    WorkAttack("an object of zero bytes", _emptied, 3, 3),
    WorkAttack("another of date, generation, number or kind in its place", _others, 72, 72),
    WorkAttack("one of another environment or store in its place", _elsewhere, 8, 8),
    WorkAttack("sealed with another key", _another_key, 4, 4),
    WorkAttack("an object removed from the middle", _removed, 4, 4),
]


def carry_out(attack: WorkAttack, work: Work, *, full: bool) -> Count:
    """Try its cases; AssertionError at the first that is not told."""
    found = list(attack.cases(work))
    assert len(found) == attack.tried, f"{attack.what}: {len(found)}"
    count = Count(attack.what, NAME)
    for objects in found if full else dice(attack.what).sample(found, attack.sample):
        count.tried += 1
        for key, data in objects.items():
            assert data != work.good[key], "nothing was attacked"
            if data is None:
                del work.store.objects[key]
            else:
                work.store.objects[key] = data
        try:
            read = work.read()
        except Tampered:
            count.refused += 1
        else:
            raise AssertionError(f"{attack.what}: {list(objects)} was read as {read}")
        finally:
            work.store.objects.clear()
            work.store.objects.update(work.good)
    return count
