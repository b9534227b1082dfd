"""The one place where outcomes are gathered: which account is asked when, and when to stop.

A pure state machine: no threads, no clock, no network. `esg_assets.adapters.workers` drives it with
threads and passes the time in. Pacing, retry, breaker and the end of an outage are all decided here
(with `throttle`, `retry`, `breaker` and `admission` for their parts), so that they cannot contradict each
other. What a reply means is `esg_assets.core.replies`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from esg_assets.core.admission import PROBES_BEFORE_FAN_OUT, Admission
from esg_assets.core.backlog import Ask, Backlog
from esg_assets.core.breaker import Breaker
from esg_assets.core.calls import Call, Done, Wait
from esg_assets.core.errors import ApiUnavailable, EsgError
from esg_assets.core.ports import CallPolicy
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Fault, Outcome, Reason, Reply, Status
from esg_assets.core.replies import OK, REFUSAL_STATUS, Judgement, Ruling
from esg_assets.core.retry import full_jitter, retry_after_seconds
from esg_assets.core.retry_budget import RetryBudget
from esg_assets.core.throttle import Throttle

NOT_MODIFIED = 304

Judge = Callable[[Reply, Sequence[str]], Mapping[str, Judgement]]
"""What a reply means for each of the accounts that were asked for."""


class Collection:
    """Asks for every account until each has an outcome, an error ends the run, or it is told to stop.

    A worker calls `slot` until it gets a time, sleeps until then, calls `start`, makes the call that
    it gets, and hands the reply to `end`. A call that waits for its retry holds neither a slot nor a
    worker. Not safe for threads: the caller holds one lock around every method.

    Args:
        account_ids: accounts to ask for, unique.
        as_of: the date they are asked for, for messages.
        policy: rate limit and retry policy.
        judge: what a reply means for an account.
        random: a number from 0 to 1, for jitter.
        now: the monotonic clock, in seconds, at the start; later times are of the same clock.
        accounts_per_call: how many accounts one call may ask for.
        etags: of answers that are kept, by account id: if one is unchanged (304), it stays as it is.
    """

    def __init__(
        self,
        account_ids: Sequence[str],
        *,
        as_of: date,
        policy: CallPolicy,
        judge: Judge,
        random: Callable[[], float],
        now: float,
        accounts_per_call: int = 1,
        etags: Mapping[str, str] | None = None,
    ) -> None:
        self._backlog = Backlog(account_ids, accounts_per_call)
        self._etags = etags or {}
        self._as_of = as_of
        self._policy = policy
        self._judge = judge
        self._random = random
        self._throttle = Throttle(policy.rate, policy.burst)
        self._breaker = Breaker()
        self._budget = RetryBudget()
        self._repeats: list[Call] = []  # the same call once more, with a new token
        self._reserved = 0
        self._in_flight = 0
        self._admission = Admission()
        self._last_good = now
        self._stopping = False
        self.error: EsgError | None = None
        """What ended the run early, if anything did."""
        self.progress = Progress(wanted=len(account_ids), rate=policy.rate)

    # --- what a worker asks for -------------------------------------------------------------------

    def slot(self, now: float) -> float | Wait | Done:
        """The time at which the worker may send a call, or what to do instead."""
        if self._stopping:
            return Wait(None) if self._in_flight else Done()
        self._backlog.wake(now)
        busy = self._reserved + self._in_flight
        pause = self._breaker.wait(now, busy)
        probing = not self._admission.proved and busy >= PROBES_BEFORE_FAN_OUT
        if pause != 0.0 or probing or self._throttle.far_ahead(self._reserved):
            return Wait(pause or None)
        if len(self._repeats) + self._backlog.calls(retries=self._may_retry) > self._reserved:
            self._reserved += 1
            return self._throttle.reserve(now)
        return self._nothing_to_send(now, busy)

    def _nothing_to_send(self, now: float, busy: int) -> Wait | Done:
        if (due := self._backlog.next_due) is not None and due > now:
            return Wait(due - now)
        if busy or len(self._backlog):
            return Wait(None)
        self._nobody_was_answered()
        return Done()

    def start(self, slot: float, now: float) -> Call | float | None:
        """The call to make now; a later time if the slot is no good any more; None if none is wanted."""
        probe = self._breaker.wait(now, self._in_flight)
        if self._stopping or probe is None:
            self._reserved -= 1
            return None
        if probe > 0:
            return now + probe
        if (later := self._throttle.put_off(slot, now)) is not None:
            return later
        self._reserved -= 1
        call = self._repeats.pop() if self._repeats else self._next_call()
        if not call.asks:
            return None
        self._in_flight += 1
        self._throttle.sent(now)
        self._budget.spend(retry=call.retry and not call.renewed)
        self.progress.calls += 1
        self.progress.retries += call.retry
        return call

    def etag_of(self, call: Call) -> str:
        """What to send along, so that the provider can say that nothing changed; "" if nothing."""
        return self._etags.get(call.asks[0].account_id, "") if len(call.asks) == 1 else ""

    def another_slot(self, now: float) -> float:
        """The time for one more request of a call in flight, such as a further page; it counts as a call."""
        self.progress.calls += 1
        return self._throttle.reserve(now)

    def settles_later(self, reply: Reply) -> bool:
        """Whether nothing that is sent next depends on a reply, so that its `end` may wait a moment."""
        return reply.status == OK and self._admission.proved and not self._breaker.open

    def judge(self, call: Call, reply: Reply) -> Mapping[str, Judgement]:
        """What a reply means for each account of its call; needs no lock, and takes longest."""
        return self._judge(reply, call.account_ids)

    def end(
        self, call: Call, reply: Reply, now: float, judgements: Mapping[str, Judgement] | None = None
    ) -> list[Outcome]:
        """Take a reply, and what `judge` made of it; gives the outcomes that are certain now."""
        self._in_flight -= 1
        self._throttle.learn(reply, now)
        self.progress.took(reply.seconds)
        if reply.status == NOT_MODIFIED and self.etag_of(call):
            self._answered(now)
            self.progress.ended[Status.SUCCESS] += 1
            return []
        judgements = judgements or self.judge(call, reply)
        first = judgements[call.asks[0].account_id]
        refused = next((j.ruling for j in judgements.values() if j.ruling in REFUSAL_STATUS), None)
        if first.whole and refused and reply.token_renewed and not call.renewed:
            self._repeats.append(Call(call.asks, renewed=True))
            return []
        if first.ruling is Ruling.FINAL and len(call.asks) == 1 and self._admission.proved:
            self._learn_health(reply, call, judgements, now)
            return self._ended(self._one(call.asks[0], first, reply, reply.body, 1, now))
        rulings = {j.ruling for j in judgements.values()}
        self._learn_health(reply, call, judgements, now)
        pause = self._pause(reply, call, first, now) if Ruling.TRANSIENT in rulings else 0.0
        outcomes = self._admission.released()
        body = reply.body
        rated = any(judgement.status is Status.SUCCESS for judgement in judgements.values())
        for ask in call.asks:
            found = self._one(ask, judgements[ask.account_id], reply, body, len(call.asks), now + pause)
            # The first outcome of a call keeps its body for all of them, whole if one of them is rated.
            outcomes += [replace(each, raw=body) for each in found] if rated else found
            body = b"" if found else body
        if refused and self._admission.denied(REFUSAL_STATUS[refused]):
            self._nobody_was_answered()
        return self._ended(outcomes)

    def stop(self, error: EsgError | None = None) -> None:
        """Send nothing any more; `error` says why, unless an earlier one already does."""
        self._stopping = True
        self.error = self.error or error

    def abandon(self, calls: int, error: EsgError | None) -> None:
        """Calls could not even be made, or failed in our own code: nothing can be asked any more."""
        self._in_flight -= calls
        self.stop(error)

    def tick(self, now: float) -> list[Outcome]:
        """To be called every second or so: ends what goes on too long; gives the outcomes of that."""
        silent = now - self._last_good
        if not self._stopping and silent >= self._policy.outage_seconds:
            self.stop(
                ApiUnavailable(
                    f"Asking for ratings as of {self._as_of}: no good answer for {silent:,.0f} s "
                    f"(ESG_API_OUTAGE_SECONDS), {self.progress.left:,} of {self.progress.wanted:,} accounts "
                    "have no outcome yet. What arrived is kept; the next run asks only for what is open."
                )
            )
        spent = not self._may_retry and not self._backlog.fresh and not self._repeats
        if self._stopping or not spent or self._in_flight or self._reserved:
            return []
        given_up = [ask.failure for ask in self._backlog.abandon() if ask.failure is not None]
        self.progress.ended.update(o.status for o in given_up)
        return given_up

    @property
    def in_flight(self) -> int:
        """Calls that have been sent and have not ended."""
        return self._in_flight

    @property
    def stopping(self) -> bool:
        """Whether nothing is sent any more."""
        return self._stopping

    # --- the rules --------------------------------------------------------------------------------

    @property
    def _may_retry(self) -> bool:
        # The probe of an outage is a retry too, and must go out whatever was spent.
        return self._budget.allows_retry or self._breaker.open

    def _next_call(self) -> Call:
        # Accounts that failed before may always fail: a fresh one tells sooner that an outage is over.
        probe = self._breaker.open and self._backlog.fresh > 0
        return Call(tuple(self._backlog.take(retries=self._may_retry and not probe)))

    def _pause(self, reply: Reply, call: Call, first: Judgement, now: float) -> float:
        """Seconds until the failed accounts of a call may be asked for again; a 429 pauses everybody."""
        policy = self._policy
        asked = retry_after_seconds(reply.retry_after, reply.received_at, policy.max_retry_after_seconds)
        tries = max(ask.tries for ask in call.asks) + 1
        wait = full_jitter(tries, policy.backoff_seconds, policy.backoff_cap_seconds, self._random)
        if first.whole and first.reason is Reason.RATE_LIMITED:
            self.progress.refusals += 1
            self._throttle.refused(now, wait if asked is None else asked)
        return max(wait, asked or 0.0)

    def _one(
        self, ask: Ask, judgement: Judgement, reply: Reply, body: bytes, shared_by: int, due: float
    ) -> list[Outcome]:
        """What a reply means for one account of its call."""
        policy = self._policy
        if judgement.whole and shared_by > 1 and judgement.ruling is not Ruling.TRANSIENT:
            # Refused as a whole: one of them may be the reason, so the call is halved; not a try.
            ask.limit = max(1, shared_by // 2)
            self._backlog.again(ask)
            return []
        ask.tries += reply.fault is not Fault.LOCAL_REFUSAL
        ask.failure = ask.outcome(judgement, reply, body, alone=shared_by == 1)
        if judgement.ruling is Ruling.FINAL:
            return [ask.failure]
        if judgement.ruling is Ruling.TRANSIENT:
            if ask.tries >= policy.max_attempts:
                return [ask.failure]
            if judgement.whole:
                # Fewer and fewer share a call, so that the last try is the account's own.
                left = (policy.max_attempts - 1 - ask.tries) / max(1, policy.max_attempts - 1)
                ask.limit = min(ask.limit, math.ceil(shared_by**left))
            self._backlog.again_at(ask, due)
            return []
        return self._admission.certain(ask.failure)

    def _learn_health(
        self, reply: Reply, call: Call, judgements: Mapping[str, Judgement], now: float
    ) -> None:
        """What a reply shows of the provider as a whole: it answers, or it may be down."""
        final = (j for j in judgements.values() if j.ruling is Ruling.FINAL)
        if reply.fault is Fault.LOCAL_REFUSAL:  # nothing was sent
            self.progress.calls -= 1
        elif any(judgement.reason is not Reason.BAD_RESPONSE for judgement in final):
            self._answered(now)
        elif failed := [ask for ask in call.asks if judgements[ask.account_id].may_be_outage]:
            # One call is one failure of the provider, however many accounts it asked for; and none if
            # it answered others after it had first failed each of these: then the fault is theirs.
            news = (a for a in failed if a.failed_at is None or a.failed_at >= self._last_good)
            self._breaker.failed(next((ask.account_id for ask in news), None), now)
            for ask in failed:
                ask.failed_at = now if ask.failed_at is None else ask.failed_at
        self.progress.outage = self._breaker.open

    def _ended(self, outcomes: list[Outcome]) -> list[Outcome]:
        for outcome in outcomes:
            self.progress.ended[outcome.status] += 1
        self.progress.rate = self._throttle.rate
        return outcomes

    def _answered(self, now: float) -> None:
        self._admission.answered()
        self._last_good = now
        self._breaker.answered()

    def _nobody_was_answered(self) -> None:
        if (refusal := self._admission.refusal(self._as_of)) is not None:
            self.stop(refusal)
