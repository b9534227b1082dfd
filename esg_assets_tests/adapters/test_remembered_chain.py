"""The chain against a remembered head: what is ahead is taken, what lags stops everything until accepted."""

import datetime as dt
from collections.abc import Callable

import pytest

from esg_assets.core.chain import key_of
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Refused, StoreUnavailable, Tampered
from esg_assets.core.examination import Head
from esg_assets.core.history import ChainHead
from esg_assets.core.record_ports import Chain
from esg_assets.core.remembered_chain import Accepted, RememberedChain, accept_restore
from esg_assets_tests.adapters.chain_writers import chain_in, publish
from esg_assets_tests.adapters.records_material import WHEN
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.fakes import MemoryStore
from esg_assets_tests.unit.chain_material import summary_body


class Host:
    """A records store, and a history that is kept elsewhere."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        ticks = iter(WHEN + dt.timedelta(seconds=n) for n in range(1000))
        self.history = MemoryHistory(ticks.__next__)

    @property
    def chain(self) -> Chain:
        """As a new process opens it."""
        return RememberedChain(chain_in(self.store), self.history)

    def remembered(self) -> int:
        head = self.history.head()
        return 0 if head is None else head.sequence

    def summarize(self, date: str = "2026-01-15", version: int = 1) -> None:
        self.chain.append(Kind.SUMMARY, summary_body(date, version), recorded_at=WHEN)

    def record(self) -> None:
        """Rows of what is published, as the daily summary leaves them."""
        for each in self.chain.publications():
            self.history.record_publication(each.as_published(), {"accounts": each.rows})

    def cut(self, *sequences: int) -> dict[str, bytes]:
        return {key_of(n): self.store.objects.pop(key_of(n)) for n in sequences}

    def accept(self, reason: str = "the bucket was restored") -> Accepted:
        chain = chain_in(self.store)
        return accept_restore(chain, self.history, requested_by="jane", reason=reason, now=WHEN)


@pytest.fixture
def host() -> Host:
    return Host()


def test_every_append_is_remembered(host: Host) -> None:
    for count in range(1, 4):
        entry = publish(host.chain)
        assert host.history.head() == ChainHead(count, entry.sha256)
    host.summarize()
    assert host.chain.head() == Head(4, host.chain.entries()[-1].sha256)
    assert host.remembered() == 4


def test_reading_an_empty_store_remembers_nothing(host: Host) -> None:
    assert (list(host.chain.entries()), host.chain.head(), host.history.head()) == ([], Head(), None)


def test_a_store_that_is_ahead_is_taken_for_right(host: Host) -> None:
    publish(host.chain)
    for _ in range(3):
        publish(chain_in(host.store))  # another host, or a run that died before it could remember
    assert host.remembered() == 1
    assert len(host.chain.entries()) == 4
    assert host.remembered() == 4


class Forgetful(MemoryHistory):
    """A database that is gone when the head is to be remembered."""

    gone = True

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        if self.gone:
            raise StoreUnavailable("the database does not answer")
        super().remember_head(head, restored=restored)


def test_an_entry_stands_although_it_could_not_be_remembered_and_is_remembered_next_time(host: Host) -> None:
    history = Forgetful()
    chain = RememberedChain(chain_in(host.store), history)
    with pytest.raises(StoreUnavailable, match="entry 1 of the chain, which is written and stands: the data"):
        publish(chain)
    assert history.head() is None
    history.gone = False
    again = RememberedChain(chain_in(host.store), history)
    assert [each.sequence for each in again.publications()] == [1]
    assert history.head() == ChainHead(1, again.entries()[0].sha256)


Use = Callable[[Chain], object]
USES: list[Use] = [
    lambda chain: chain.entries(),
    lambda chain: chain.head(),
    lambda chain: chain.publications(),
    lambda chain: chain.latest_publication(WHEN.date()),
    publish,
]


@pytest.mark.parametrize("use", USES)
def test_a_store_that_is_behind_is_neither_read_nor_added_to(host: Host, use: Use) -> None:
    for _ in range(4):
        publish(host.chain)
    host.cut(3, 4)
    before = dict(host.store.objects)
    with pytest.raises(Tampered, match=r"ends at entry 2, and entry 4 is remembered: .*accept-restore"):
        use(host.chain)
    assert host.store.objects == before
    assert host.remembered() == 4


@pytest.mark.parametrize("use", USES)
def test_a_store_that_was_rewritten_is_neither_read_nor_added_to(host: Host, use: Use) -> None:
    for _ in range(2):
        publish(host.chain)
    host.cut(2)
    publish(chain_in(host.store))  # another entry 2, well signed
    publish(chain_in(host.store))
    with pytest.raises(Tampered, match="entry 2 of the records store is not the one that is remembered"):
        use(host.chain)


def test_an_emptied_store_is_not_taken_for_a_new_one(host: Host) -> None:
    publish(host.chain)
    host.store.objects.clear()
    with pytest.raises(Tampered, match="ends at entry 0, and entry 1 is remembered"):
        publish(host.chain)


def test_bringing_the_entries_back_is_enough(host: Host) -> None:
    for _ in range(3):
        publish(host.chain)
    lost = host.cut(2, 3)
    with pytest.raises(Tampered):
        publish(host.chain)
    host.store.objects |= lost
    assert publish(host.chain).sequence == 4


def test_an_examination_names_a_remembered_head_that_is_gone(host: Host) -> None:
    for _ in range(3):
        publish(host.chain)
    assert host.chain.examine().faults == []
    host.cut(3)
    [fault] = host.chain.examine().faults
    assert (fault.sequence, "before the expected entry 3" in fault.what) == (3, True)


def test_an_accepted_restore_is_an_entry_and_publishing_goes_on(host: Host) -> None:
    for date in ("2026-01-15", "2026-01-16", "2026-01-17"):
        publish(host.chain, date)
    host.record()
    lost = host.history.head()
    assert lost is not None
    host.cut(2, 3)
    accepted = host.accept()
    assert accepted.lost == lost
    assert [(str(date), version) for date, version in accepted.reports] == [
        ("2026-01-16", 1),
        ("2026-01-17", 1),
    ]
    assert accepted.entry.sequence == 2
    assert accepted.entry.body == {
        "requested_by": "jane",
        "reason": "the bucket was restored",
        "head": {"sequence": 3, "sha256": lost.sha256},
    }
    assert host.remembered() == 2
    assert [str(day) for day in host.history.published_dates(dt.date.min)] == ["2026-01-15"]
    assert publish(host.chain, "2026-01-16").sequence == 3
    assert host.chain.examine().faults == []
    host.record()
    assert len(host.history.published_dates(dt.date.min)) == 2


def test_a_second_loss_after_an_accepted_one_shows_again(host: Host) -> None:
    for _ in range(3):
        publish(host.chain)
    host.cut(2, 3)
    host.accept()
    host.cut(2)
    with pytest.raises(Tampered, match="ends at entry 1, and entry 2 is remembered"):
        publish(host.chain)


def test_there_must_be_something_to_accept(host: Host) -> None:
    with pytest.raises(Refused, match="no head is remembered"):
        host.accept()
    publish(host.chain)
    with pytest.raises(Refused, match=r"holds the remembered entry 1\. Nothing is lost"):
        host.accept()
    publish(chain_in(host.store))
    with pytest.raises(Refused, match="Nothing is lost"):
        host.accept()
    assert len(host.chain.entries()) == 2


def test_a_damaged_chain_cannot_be_accepted(host: Host) -> None:
    for _ in range(3):
        publish(host.chain)
    host.cut(2)
    before = dict(host.store.objects)
    with pytest.raises(Tampered, match="the entry is missing"):
        host.accept()
    assert host.store.objects == before


def test_a_death_between_the_restore_entry_and_the_memory_is_mended(host: Host) -> None:
    for _ in range(3):
        publish(host.chain)
    host.cut(2, 3)
    memory = host.history.head()
    host.accept()
    host.history = MemoryHistory()
    assert memory is not None
    host.history.remember_head(memory)  # as if the death had come first
    assert publish(host.chain).sequence == 3
    assert host.remembered() == 3
    with pytest.raises(Refused, match="Nothing is lost"):
        host.accept()


def test_rows_that_a_death_left_out_are_recorded_at_the_next_publication(host: Host) -> None:
    publish(host.chain, "2026-01-14")
    publish(host.chain, "2026-01-15")
    host.summarize("2026-01-14")
    publish(host.chain, "2026-01-16")
    # 15 January has no summary: its own run is still to come, and records it with its figures.
    assert [str(day) for day in host.history.published_dates(dt.date.min)] == ["2026-01-14"]
    [row] = host.history.publications
    assert (row.published.sequence, row.figures) == (1, {})
    host.record()
    assert host.history.publications[0].figures == {"accounts": 100}


def test_a_new_database_learns_everything_that_is_summed_up(host: Host) -> None:
    for date in ("2026-01-14", "2026-01-15"):
        publish(host.chain, date)
        host.summarize(date)
    host.history = MemoryHistory()
    publish(host.chain, "2026-01-16")
    assert len(host.history.published_dates(dt.date.min)) == 2
    assert host.remembered() == 5
