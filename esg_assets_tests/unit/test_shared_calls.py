"""Several accounts in one call: entries end alone, and a call that fails as a whole is split."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core.backlog import Backlog
from esg_assets.core.calls import Call, Done, Wait
from esg_assets.core.collection import Collection
from esg_assets.core.errors import AccessDenied
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Outcome, Rating, Reason, Reply, Status
from esg_assets.core.replies import Judgement, Ruling, judge

AS_OF = date(2026, 1, 14)
GOOD = Judgement(Ruling.FINAL, Status.SUCCESS, rating=Rating(AS_OF, "1", "1", "1", "1", "social"))
MISSING = Judgement(Ruling.TRANSIENT, Status.FAILED, Reason.BAD_RESPONSE)


class Provider:
    """Answers calls for several accounts: `status` of the call as a whole, `entry` of one in it."""

    def __init__(
        self,
        status: Callable[[Sequence[str], int], int] = lambda _ids, _nth: 200,
        entry: Callable[[str], Judgement] = lambda _account: GOOD,
    ) -> None:
        self.status, self.entry = status, entry
        self.calls: list[tuple[str, ...]] = []

    def reply(self, ids: Sequence[str]) -> Reply:
        self.calls.append(tuple(ids))
        return Reply(self.status(ids, len(self.calls)))

    def judge(self, reply: Reply, ids: Sequence[str]) -> dict[str, Judgement]:
        if reply.status == 200:
            return {account: self.entry(account) for account in ids}
        whole = judge(reply, ids[0], AS_OF, ())
        return {account: Judgement(whole.ruling, whole.status, whole.reason, whole=True) for account in ids}


def collect(
    provider: Provider, accounts: int, per_call: int, attempts: int = 5
) -> tuple[list[Outcome], Collection]:
    collection = Collection(
        [f"A{n:04}" for n in range(accounts)],
        as_of=AS_OF,
        policy=CallPolicy(rate=1000.0, max_attempts=attempts, outage_seconds=1e9),
        judge=provider.judge,
        random=Random(1).random,
        now=0.0,
        accounts_per_call=per_call,
    )
    outcomes: list[Outcome] = []
    events: list[tuple[float, int, Call | None]] = [(0.0, n, None) for n in range(8)]
    now, number = 0.0, 8
    while events:
        now, _, call = heapq.heappop(events)
        outcomes += collection.tick(now)
        if isinstance(call, Call):
            outcomes += collection.end(call, provider.reply(call.account_ids), now)
        number += 1
        slot = collection.slot(now)
        if isinstance(slot, Done):
            continue
        if isinstance(slot, Wait):
            heapq.heappush(events, (now + (slot.seconds or 0.005), number, None))
            continue
        started = collection.start(slot, max(now, slot))
        while isinstance(started, float):
            now = max(now, started)
            started = collection.start(started, now)
        heapq.heappush(events, (max(now, slot) + 0.01, number, started))
    return outcomes, collection


def test_calls_are_filled_and_every_account_ends_once() -> None:
    provider = Provider()

    outcomes, collection = collect(provider, 250, per_call=100)

    assert Counter(o.account_id for o in outcomes) == {f"A{n:04}": 1 for n in range(250)}
    assert sorted(len(call) for call in provider.calls) == [50, 100, 100]
    assert collection.progress.calls == 3


def test_one_bad_entry_harms_itself_alone_and_is_asked_again() -> None:
    provider = Provider(entry=lambda account: MISSING if account == "A0007" else GOOD)

    outcomes, _ = collect(provider, 20, per_call=10)

    assert {o.account_id for o in outcomes if o.status is Status.FAILED} == {"A0007"}
    (failed,) = [o for o in outcomes if o.status is Status.FAILED]
    assert (failed.reason, failed.attempts) == (Reason.BAD_RESPONSE, 5)
    assert sum("A0008" in call for call in provider.calls) == 1


@pytest.mark.parametrize("status", [422, 404, 403])
def test_a_call_refused_as_a_whole_is_halved_until_the_reason_stands_alone(status: int) -> None:
    provider = Provider(status=lambda ids, nth: status if nth > 1 and "A0099" in ids else 200)

    outcomes, _ = collect(provider, 200, per_call=64)

    ends = {o.account_id: o for o in outcomes}
    assert len(ends) == len(outcomes) == 200
    assert {a for a, o in ends.items() if o.status is not Status.SUCCESS} == {"A0099"}
    assert ends["A0099"].attempts == 1, "halving is not a try of anybody"
    assert ("A0099",) in provider.calls


def test_the_last_try_of_a_call_that_keeps_failing_is_each_accounts_own() -> None:
    provider = Provider(status=lambda ids, nth: 500 if "A0003" in ids else 200)

    outcomes, _ = collect(provider, 30, per_call=10)

    assert {o.account_id for o in outcomes if o.status is Status.FAILED} == {"A0003"}
    tries = [call for call in provider.calls if "A0003" in call]
    assert len(tries) == 5
    assert [len(call) for call in tries] == sorted((len(call) for call in tries), reverse=True)
    assert len(tries[-1]) == 1


def test_a_client_refused_as_a_whole_stops_within_20_calls_also_with_shared_calls() -> None:
    provider = Provider(status=lambda _ids, _nth: 403)

    outcomes, collection = collect(provider, 5000, per_call=100)

    assert isinstance(collection.error, AccessDenied)
    assert outcomes == []
    assert len(provider.calls) <= 20


@pytest.mark.parametrize("also", [GOOD, MISSING])
def test_a_client_whose_every_entry_is_refused_is_refused_as_a_whole(also: Judgement) -> None:
    denied = Judgement(Ruling.FORBIDDEN, Status.FAILED, Reason.UNAUTHORIZED)
    provider = Provider(entry=lambda account: also if account == "A0011" else denied)

    outcomes, collection = collect(provider, 12, per_call=4)

    if also is GOOD:
        assert Counter(o.account_id for o in outcomes) == {f"A{n:04}": 1 for n in range(12)}
        assert collection.error is None
    else:
        assert isinstance(collection.error, AccessDenied)
        assert "403" in str(collection.error)
        assert [o.account_id for o in outcomes] == ["A0011"]


def test_the_body_of_a_shared_call_is_kept_once() -> None:
    provider = Provider()
    provider.reply = lambda ids: Reply(200, body=b"all of them")  # type: ignore[method-assign]  # a simpler one

    outcomes, _ = collect(provider, 30, per_call=10)

    assert [o.raw for o in outcomes[:10]] == [b"all of them", *[b""] * 9]


def test_a_long_body_is_kept_whole_although_the_first_outcome_of_the_call_is_not_rated() -> None:
    unrated = Judgement(Ruling.FINAL, Status.NOT_RATED, Reason.NOT_COVERED)
    provider = Provider(entry=lambda account: unrated if account == "A0000" else GOOD)
    body = b"x" * 100_000
    provider.reply = lambda ids: Reply(200, body=body)  # type: ignore[method-assign]  # a simpler one

    outcomes, _ = collect(provider, 10, per_call=10)

    assert [(o.account_id, len(o.raw)) for o in outcomes[:2]] == [("A0000", len(body)), ("A0001", 0)]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.sets(st.integers(0, 59)),
    st.sampled_from([200, 404, 422, 500, 503]),
)
def test_whatever_fails_every_account_ends_once(
    accounts: int, per_call: int, bad: set[int], status: int
) -> None:
    names = {f"A{n:04}" for n in bad}
    provider = Provider(status=lambda ids, _nth: status if names & set(ids) else 200)

    outcomes, collection = collect(provider, accounts, per_call)

    if collection.error is None:
        assert Counter(o.account_id for o in outcomes) == {f"A{n:04}": 1 for n in range(accounts)}
        failed = {o.account_id for o in outcomes if o.status is not Status.SUCCESS}
        assert failed == (names & {f"A{n:04}" for n in range(accounts)} if status != 200 else set())


def test_a_backlog_does_not_put_an_account_into_a_larger_call_than_its_limit() -> None:
    backlog = Backlog(["A", "B", "C", "D"], per_call=4)
    for ask in backlog.take(retries=True):
        ask.limit = 2 if ask.account_id in "CD" else 4
        backlog.again(ask)

    sizes = []
    while taken := backlog.take(retries=True):
        assert len(taken) <= min(ask.limit for ask in taken)
        sizes.append(len(taken))
    assert sum(sizes) == 4
