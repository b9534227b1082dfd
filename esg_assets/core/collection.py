"""The one place where outcomes are gathered: which account is asked when, and when to stop.

A pure state machine: no threads, no clock, no network. `esg_assets.adapters.workers` drives it with
threads and passes the time in. Pacing, retry, breaker and the end of an outage are all decided here
(with `pacing`, `retry` and `breaker` for their arithmetic), so that they cannot contradict each
other. What a reply means is `esg_assets.core.replies`.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from esg_assets.core.breaker import Breaker
from esg_assets.core.errors import AccessDenied, ApiUnavailable, EsgError
from esg_assets.core.pacing import Pacer
from esg_assets.core.ports import CallPolicy
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome, Reason, Reply, Status
from esg_assets.core.replies import Judgement, Ruling
from esg_assets.core.retry import full_jitter, retry_after_seconds

PROBES_BEFORE_FAN_OUT = 4
"""Calls in flight at most until one account has been answered: a wrong key must not cost a thousand calls."""

DENIALS_TO_STOP = 10
"""So many accounts refused and none answered means that the client as a whole is refused."""

Judge = Callable[[Reply, str], Judgement]


@dataclass(slots=True)
class Call:
    """One account on its way to an outcome.

    Attributes:
        account_id: the account.
        tries: tries that have ended, apart from those that a new token repeats.
        renewed: whether a 401 has already been answered with a new token.
    """

    account_id: str
    tries: int = 0
    renewed: bool = False


@dataclass(frozen=True)
class Wait:
    """Nothing to send now; look again after `seconds`, or when a call ends if that is None."""

    seconds: float | None


class Done:
    """Nothing will be sent any more and nothing is in flight."""


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
    ) -> None:
        self._fresh: Iterator[str] = iter(account_ids)
        self._fresh_left = len(account_ids)
        self._as_of = as_of
        self._policy = policy
        self._judge = judge
        self._random = random
        self._pacer = Pacer(policy.rate, policy.burst)
        self._paused_until = float("-inf")
        self._breaker = Breaker()
        self._retries: list[tuple[float, int, Call]] = []  # heap by due time
        self._retry_number = 0  # breaks ties, so that calls are never compared
        self._ready: deque[Call] = deque()
        self._reserved = 0
        self._in_flight = 0
        self._proved = False
        self._denied: list[Outcome] = []
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
        self._wake(now)
        busy = self._reserved + self._in_flight
        pause = self._breaker.wait(now, busy)
        probing = not self._proved and busy >= PROBES_BEFORE_FAN_OUT
        if pause != 0.0 or probing:
            return Wait(pause or None)
        if len(self._ready) + self._fresh_left > self._reserved:
            self._reserved += 1
            return self._pacer.reserve(now)
        return self._nothing_to_send(now, busy)

    def _nothing_to_send(self, now: float, busy: int) -> Wait | Done:
        if self._retries:
            return Wait(max(0.0, self._retries[0][0] - now))
        if busy:
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
        if now < self._paused_until or self._pacer.too_late(slot, now):
            return self._pacer.reserve(now)
        self._reserved -= 1
        self._in_flight += 1
        call = self._next_call()
        self.progress.calls += 1
        self.progress.retries += call.tries > 0 or call.renewed
        return call

    def end(self, call: Call, reply: Reply, now: float) -> list[Outcome]:
        """Take a reply; gives the outcomes that are certain now (mostly one, or none)."""
        self._in_flight -= 1
        judgement = self._judge(reply, call.account_id)
        if judgement.ruling is Ruling.UNAUTHORIZED and reply.token_renewed and not call.renewed:
            call.renewed = True
            self._ready.append(call)
            return []
        call.tries += 1
        if judgement.ruling is Ruling.FINAL:
            return self._final(call, reply, judgement, now)
        if judgement.ruling is Ruling.TRANSIENT:
            return self._transient(call, reply, judgement, now)
        return self._refused(call, reply)

    def stop(self, error: EsgError | None = None) -> None:
        """Send nothing any more; `error` says why, unless an earlier one already does."""
        self._stopping = True
        self.error = self.error or error

    def abandon(self, error: EsgError | None) -> None:
        """A call could not even be made, or failed in our own code: nothing can be asked any more."""
        self._in_flight -= 1
        self.stop(error)

    def tick(self, now: float) -> None:
        """To be called every second or so: ends the run when an outage has lasted too long."""
        silent = now - self._last_good
        if self._stopping or silent < self._policy.outage_seconds:
            return
        self.stop(
            ApiUnavailable(
                f"Asking for ratings as of {self._as_of}: no good answer for {silent:,.0f} s "
                f"(ESG_API_OUTAGE_SECONDS), {self.progress.left:,} of {self.progress.wanted:,} accounts have "
                "no outcome yet. What arrived is kept; the next run asks only for what is open."
            )
        )

    @property
    def in_flight(self) -> int:
        """Calls that have been sent and have not ended."""
        return self._in_flight

    @property
    def stopping(self) -> bool:
        """Whether nothing is sent any more."""
        return self._stopping

    # --- the rules --------------------------------------------------------------------------------

    def _next_call(self) -> Call:
        if self._ready:
            return self._ready.popleft()
        self._fresh_left -= 1
        return Call(next(self._fresh))

    def _wake(self, now: float) -> None:
        while self._retries and self._retries[0][0] <= now:
            self._ready.append(heapq.heappop(self._retries)[2])

    def _final(self, call: Call, reply: Reply, judgement: Judgement, now: float) -> list[Outcome]:
        if judgement.reason is not Reason.BAD_RESPONSE:  # a redirect to a login page proves nothing
            self._good_answer(now)
        outcome = Outcome(
            account_id=call.account_id,
            status=judgement.status,
            reason=judgement.reason,
            rating=judgement.rating,
            attempts=call.tries,
            last_status=reply.status,
            raw=reply.body,
        )
        if not self._proved:
            return self._ended([outcome])
        earlier, self._denied = self._denied, []
        return self._ended([*earlier, outcome])

    def _transient(self, call: Call, reply: Reply, judgement: Judgement, now: float) -> list[Outcome]:
        asked = retry_after_seconds(
            reply.retry_after, reply.received_at, self._policy.max_retry_after_seconds
        )
        wait = full_jitter(
            call.tries, self._policy.backoff_seconds, self._policy.backoff_cap_seconds, self._random
        )
        if judgement.reason is Reason.RATE_LIMITED:
            self.progress.refusals += 1
            # All calls share the provider's limit, so all of them wait; the latest pause counts.
            self._paused_until = max(self._paused_until, now + (wait if asked is None else asked))
            self._pacer.pause_until(self._paused_until)
        else:
            self._breaker.failed(call.account_id, now)
            self.progress.outage = self._breaker.open
        if call.tries >= self._policy.max_attempts:
            return self._ended([_failure(call, reply, judgement.reason)])
        self._retry_number += 1
        due = now + max(wait, asked or 0.0)
        heapq.heappush(self._retries, (due, self._retry_number, call))
        return []

    def _refused(self, call: Call, reply: Reply) -> list[Outcome]:
        outcome = _failure(call, reply, Reason.UNAUTHORIZED)
        if self._proved:
            return self._ended([outcome])
        self._denied.append(outcome)
        if len(self._denied) >= DENIALS_TO_STOP:
            self._nobody_was_answered()
        return []

    def _good_answer(self, now: float) -> None:
        self._proved = True
        self._last_good = now
        self._breaker.answered()
        self.progress.outage = False

    def _ended(self, outcomes: list[Outcome]) -> list[Outcome]:
        self.progress.ended.update(o.status for o in outcomes)
        return outcomes

    def _nobody_was_answered(self) -> None:
        """The denied accounts are not failures of their own: nothing is kept of them."""
        if self._denied and not self._proved:
            status = self._denied[-1].last_status
            self.stop(
                AccessDenied(
                    f"Asking for ratings as of {self._as_of}: the provider answered {status} to all "
                    f"{len(self._denied)} accounts asked first and rated none, so the run stopped before "
                    "asking for the others. Check the credentials and what they may read (ESG_API_AUTH and "
                    "the settings that go with it; `esg-assets doctor` tries them), then run again."
                )
            )


def _failure(call: Call, reply: Reply, reason: Reason | None) -> Outcome:
    return Outcome(
        account_id=call.account_id,
        status=Status.FAILED,
        reason=reason,
        attempts=call.tries,
        last_status=reply.status,
        raw=reply.body,
    )
