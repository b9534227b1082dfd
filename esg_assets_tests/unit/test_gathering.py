"""Which accounts a run asks for, by what is kept of them."""

from datetime import date

import pyarrow as pa
import pytest

from esg_assets.core import outcomes
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.gathering import accounts_to_ask
from esg_assets.core.outcomes import Refresh
from esg_assets.core.ratings import Outcome, Reason, Status
from esg_assets.core.verdicts import Limits


def snapshot(count: int) -> Snapshot:
    ids = [f"A{number:03d}" for number in range(count)]
    table = pa.table([ids, *([None] * count for _ in ACCOUNT_SCHEMA.names[1:])], schema=ACCOUNT_SCHEMA)
    return Snapshot(date(2026, 1, 15), 1, date(2026, 1, 14), "2026-01-14", table, (), "", b"s" * 32)


def kept(taken: Snapshot, *ended: Outcome) -> pa.Table:
    batches = [outcomes.to_batch(ended)] if ended else []
    return outcomes.latest(taken.accounts.column("account_id"), batches)


def rejected(number: int) -> Outcome:
    return Outcome(f"A{number:03d}", Status.FAILED, Reason.REJECTED)


def unrated(number: int) -> Outcome:
    return Outcome(f"A{number:03d}", Status.NOT_RATED, Reason.NOT_COVERED)


def test_after_a_crash_an_unrated_account_is_not_asked_again() -> None:
    taken = snapshot(10)
    table = kept(taken, unrated(0), *(rejected(n) for n in (1, 2)))
    limits = Limits(failure_block=0.9)
    assert accounts_to_ask(taken, table, None, limits, Refresh.FAILED) == [f"A{n:03d}" for n in range(3, 10)]


def test_unrated_accounts_are_asked_again_while_their_share_blocks_the_date() -> None:
    taken = snapshot(4)
    table = kept(taken, *(unrated(n) for n in range(4)))
    assert len(accounts_to_ask(taken, table, None, Limits(), Refresh.FAILED)) == 4
    assert accounts_to_ask(taken, table, None, Limits(), Refresh.MISSING) == []


@pytest.mark.parametrize(("refresh", "asked"), [(Refresh.FAILED, 0), (Refresh.ALL, 4)])
def test_accounts_that_can_never_be_rated_are_asked_again_only_by_all(refresh: Refresh, asked: int) -> None:
    taken = snapshot(4)
    table = kept(taken, *(rejected(n) for n in range(4)))
    assert len(accounts_to_ask(taken, table, None, Limits(failure_block=1), refresh)) == asked
