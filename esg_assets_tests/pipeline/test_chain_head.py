"""The head of the chain over nights: remembered, told, and what happens when the store lags it."""

import pytest

from esg_assets.core.errors import StoreUnavailable, Tampered
from esg_assets.core.history import ChainHead, ClearFigures, PublishedReport
from esg_assets.lifecycle import LifecycleStores
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.pipeline.house import ASSETS, DAY, NEXT, House, accounts

WHY, WHO = "esg/reason", "esg/requested_by"


def remembered(house: House) -> ChainHead:
    head = house.history.head()
    assert head is not None
    return head


def test_the_head_is_remembered_and_told_in_the_days_summary(house: House) -> None:
    metadata = house.run().metadata("daily_summary")
    head = house.stores.published.verify().head
    assert str(remembered(house)) == str(head) == metadata["chain_head"]
    assert head.sequence == 2
    for told in ("summary", "text"):
        assert f"Head of the chain: {head}" in metadata[told]
    again = house.run().metadata("daily_summary")
    assert again["chain_head"] == str(head)


class DyingHistory(MemoryHistory):
    """Where a process dies between the chain and the database: nothing of this step is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_at_head = 0
        self.dies_at_row = False

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        if head.sequence == self.dies_at_head:
            raise StoreUnavailable("the database is gone")
        super().remember_head(head, restored=restored)

    def record_publication(self, published: PublishedReport, figures: ClearFigures) -> None:
        if self.dies_at_row:
            raise StoreUnavailable("the database is gone")
        super().record_publication(published, figures)


@pytest.mark.parametrize("sequence", [1, 2])
def test_a_death_between_entry_and_memory_is_mended_by_the_next_run(house: House, sequence: int) -> None:
    house.history = history = DyingHistory()
    history.dies_at_head = sequence
    assert f"entry {sequence} of the chain, which is written and stands" in house.run().failure
    assert history.latest(DAY) is None
    history.dies_at_head = 0
    assert house.run().success
    assert house.entries() == 2  # nothing was published or summed up twice
    assert remembered(house).sequence == 2
    assert history.latest(DAY) is not None


def test_a_row_that_a_death_left_out_is_recorded_by_the_next_nights_publication(house: House) -> None:
    house.history = history = DyingHistory()
    house.source.past = dict.fromkeys([DAY.replace(day=14), DAY], accounts(12))
    history.dies_at_row = True
    assert not house.run().success
    history.dies_at_row = False
    assert house.run(NEXT).success
    found = history.latest(DAY)
    assert found is not None
    assert (found.published.version, found.figures) == (1, {})
    assert house.run(DAY).success  # who makes the date again gets its figures too
    found = history.latest(DAY)
    assert found is not None
    assert found.figures["accounts"] == 12


def cut(house: House, *sequences: int) -> None:
    for sequence in sequences:
        (house.home / "store" / "chain" / f"{sequence:010d}").unlink()


def test_a_store_that_lags_publishes_nothing_until_it_is_accepted(house: House) -> None:
    house.source.past = dict.fromkeys([DAY.replace(day=14), DAY], accounts(12))
    assert house.run().success
    lost = remembered(house)
    cut(house, 2)
    ran = house.run(NEXT)
    assert "ends at entry 1, and entry 2 is remembered" in ran.failure
    assert "accept-restore" in ran.failure
    assert ran.materialized == list(ASSETS[:2])
    assert "esg/permanent" not in ran.run.tags
    assert ran.run.tags["esg/behind"] == str(lost)
    assert house.stores.published.verify().entries == 1

    done = house.stores.accept_restore(requested_by="jane", reason="the bucket was restored")
    assert (done.entry.sequence, done.lost) == (2, lost)
    assert house.run(NEXT).success
    assert house.run(DAY).success
    assert house.entries() == 5
    assert remembered(house).sequence == 5


def test_nobody_adds_to_a_store_that_lags_what_is_remembered_here(house: House) -> None:
    house.run()
    keepers = LifecycleStores(house.settings).expiry  # as on another machine: no history is there
    keepers.hold(DAY, requested_by="jane", reason="an order")
    assert not (house.home / "history.sqlite").exists()
    assert LifecycleStores(house.settings, house.history).remembered_chain.head().sequence == 3
    cut(house, 3)
    (house.home / "history.sqlite").touch()
    with pytest.raises(Tampered, match="ends at entry 2, and entry 3 is remembered"):
        LifecycleStores(house.settings, house.history).expiry.release(DAY, requested_by="jane", reason="over")
    assert house.stores.published.verify().entries == 2


def test_the_check_of_a_published_date_names_a_head_that_is_gone(house: House) -> None:
    house.run()
    cut(house, 2)
    found = house.stores.publications.verify(DAY)
    assert [fault.sequence for fault in found.faults] == [2]
    assert "before the expected entry 2" in found.faults[0].what


def test_a_lost_report_is_made_again_after_the_restore(house: House) -> None:
    house.run()
    cut(house, 1, 2)
    done = house.stores.accept_restore(requested_by="jane", reason="the bucket was restored")
    assert [(date, version) for date, version in done.reports] == [(DAY, 1)]
    assert house.history.latest(DAY) is None
    assert house.run().success
    found = house.history.latest(DAY)
    assert found is not None
    assert (found.published.version, found.published.sequence) == (1, 2)


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("the score of ACC-00003 was wrong", "it holds the id of an account"),
        ("x" * 501, "501 characters"),
        ("two\nlines", "line break"),
    ],
)
def test_a_reason_that_must_not_stand_in_the_chain_publishes_nothing(
    house: House, reason: str, what: str
) -> None:
    ran = house.run(tags={WHY: reason, WHO: "jane"})
    assert what in ran.failure
    assert reason not in ran.failure
    assert house.entries() == 0


def test_who_asks_is_looked_at_too(house: House) -> None:
    ran = house.run(tags={WHY: "a reason", WHO: "owner of ACC-00003"})
    assert "esg/requested_by is not taken" in ran.failure
