"""The threads that drive the collection: nothing lost, nothing doubled, memory bounded, stops at once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date

import pytest

from esg_assets.adapters.workers import FLUSH_OUTCOMES, ThreadedGathering
from esg_assets.adapters.workers.unsettled import MOST
from esg_assets.core.errors import AccessDenied, StoreUnavailable
from esg_assets.core.ports import CallPolicy
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome, Reply, Status
from esg_assets.core.replies import judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets_tests.fakes import FakeRatingsApi

AS_OF = date(2026, 1, 14)
FAST = CallPolicy(rate=5000.0, concurrency=16, backoff_seconds=0.01, backoff_cap_seconds=0.05)


class Kept:
    """What was sealed, batch by batch."""

    def __init__(self, fails_at: int = 0) -> None:
        self.batches: list[list[Outcome]] = []
        self.fails_at = fails_at

    def __call__(self, batch: Sequence[Outcome]) -> None:
        if self.fails_at and len(self.batches) + 1 >= self.fails_at:
            raise StoreUnavailable("Sealing a part: the disk is full.")
        self.batches.append(list(batch))

    @property
    def ids(self) -> Counter[str]:
        return Counter(o.account_id for batch in self.batches for o in batch)


def gather(api: FakeRatingsApi, accounts: int, kept: Kept) -> Progress:
    return ThreadedGathering(random.Random(1)).gather(
        [f"A{n:05}" for n in range(accounts)],
        AS_OF,
        api,
        judge=lambda reply, ids: judge_many(reply, ids, AS_OF, (), CONTRACT_SHAPE),
        keep=kept,
        report=lambda _progress: None,
    )


def test_every_outcome_is_kept_once_and_batches_are_bounded() -> None:
    kept = Kept()

    progress = gather(FakeRatingsApi(policy=FAST), 1500, kept)

    assert kept.ids == Counter(f"A{n:05}" for n in range(1500))
    assert max(map(len, kept.batches)) <= FLUSH_OUTCOMES + 2 * (MOST + FAST.concurrency)
    assert progress.calls == 1500
    assert progress.ended == {Status.SUCCESS: 1500}


def test_failing_accounts_are_tried_again_and_everyone_ends_once() -> None:
    script = {f"A{n:05}": [Reply(500), Reply(503)] for n in range(0, 300, 10)}
    script |= {f"A{n:05}": [Reply(500)] for n in range(5, 300, 100)}
    good = {account: replies for account, replies in script.items() if len(replies) > 1}
    api = FakeRatingsApi(
        {a: [*r, *([] if a not in good else [Reply(404)])] for a, r in script.items()}, policy=FAST
    )
    kept = Kept()

    progress = gather(api, 300, kept)

    assert kept.ids == Counter(f"A{n:05}" for n in range(300))
    assert progress.ended == {Status.SUCCESS: 300 - 33, Status.NOT_RATED: 30, Status.FAILED: 3}
    assert progress.retries == 30 * 2 + 3 * 4


def test_never_more_calls_in_flight_than_allowed() -> None:
    api = FakeRatingsApi(policy=FAST, during=lambda _account: time.sleep(0.002))

    gather(api, 400, Kept())

    assert 4 <= api.most_in_flight <= FAST.concurrency


def test_a_store_that_fails_stops_the_calls_and_is_the_error() -> None:
    api = FakeRatingsApi(policy=CallPolicy(rate=2000.0, concurrency=8))

    with pytest.raises(StoreUnavailable, match="disk is full"):
        gather(api, 20_000, Kept(fails_at=1))

    assert len(api.calls) < 5_000


def test_a_refused_client_is_an_error_and_nothing_is_kept() -> None:
    kept = Kept()

    with pytest.raises(AccessDenied, match="403"):
        gather(FakeRatingsApi(policy=FAST, otherwise=lambda _a, _d: Reply(403)), 500, kept)

    assert kept.batches == []


def test_a_token_that_cannot_be_had_ends_the_run_in_its_own_words() -> None:
    def no_token(_account: str, _as_of: date) -> Reply:
        raise AccessDenied("The token endpoint answered invalid_client.")

    with pytest.raises(AccessDenied, match="invalid_client"):
        gather(FakeRatingsApi(policy=FAST, otherwise=no_token), 500, Kept())


def test_a_fault_of_ours_in_a_thread_reaches_the_caller() -> None:
    def broken(_account: str, _as_of: date) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gather(FakeRatingsApi(policy=FAST, otherwise=broken), 50, Kept())


def test_an_interrupt_keeps_what_has_arrived_and_ends_within_seconds() -> None:
    class Interrupted(BaseException):
        """As Dagster raises on SIGTERM and Terminate."""

    kept = Kept()
    answered = threading.Event()

    def hang_after_some(account: str) -> None:
        if account >= "A00150":
            answered.set()
            time.sleep(20)  # a call in flight that does not end in time: its thread is left behind

    api = FakeRatingsApi(policy=CallPolicy(rate=1000.0, concurrency=8), during=hang_after_some)
    started = time.monotonic()

    def keep(batch: Sequence[Outcome]) -> None:
        kept(batch)
        if answered.is_set():
            raise Interrupted

    with pytest.raises(Interrupted):
        ThreadedGathering(random.Random(1)).gather(
            [f"A{n:05}" for n in range(1000)],
            AS_OF,
            api,
            judge=lambda reply, ids: judge_many(reply, ids, AS_OF, (), CONTRACT_SHAPE),
            keep=keep,
            report=lambda _progress: None,
        )

    assert time.monotonic() - started < 10
    assert set(kept.ids) == {f"A{n:05}" for n in range(150)}
