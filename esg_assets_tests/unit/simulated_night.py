"""A night in simulated time: workers as events, so that hours pass in milliseconds."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from esg_assets.core.calls import Call, Done, Wait
from esg_assets.core.collection import Collection
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Outcome, Rating, Reply, Status
from esg_assets.core.replies import Judgement, Ruling, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE

AS_OF = date(2026, 1, 14)
RATING = Rating(AS_OF, "50", "50", "50", "50", "social")
Script = Callable[[str, int], Reply]


def believing_judge(reply: Reply, account_ids: Sequence[str]) -> Mapping[str, Judgement]:
    """The real rules, but any 200 is a rating: bodies are tested with `replies`."""
    if reply.status == 200:
        return {account: Judgement(Ruling.FINAL, Status.SUCCESS, rating=RATING) for account in account_ids}
    return judge_many(reply, account_ids, AS_OF, (), CONTRACT_SHAPE)


class Simulation:
    """Workers as events: each sleeps to its slot, calls for `latency` seconds, and comes back."""

    def __init__(
        self,
        accounts: int | list[str],
        script: Script = lambda _account, _try: Reply(200),
        *,
        policy: CallPolicy | None = None,
        workers: int = 32,
        latency: float = 0.05,
        stall: tuple[float, float] | None = None,
        etags: Mapping[str, str] | None = None,
    ) -> None:
        ids = [f"A{n:05}" for n in range(accounts)] if isinstance(accounts, int) else accounts
        self.policy = policy or CallPolicy(rate=100.0, outage_seconds=1e9)
        self.collection = Collection(
            ids,
            as_of=AS_OF,
            policy=self.policy,
            judge=believing_judge,
            random=random.Random(7).random,
            now=0.0,
            etags=etags,
        )
        self.script, self.latency, self.stall = script, latency, stall
        self.now = 0.0
        self.sent: list[tuple[float, str]] = []
        self.outcomes: list[Outcome] = []
        self.tries: Counter[str] = Counter()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._idle: list[float] = []
        self._number = 0
        for _ in range(workers):
            self._at(0.0, self._ask)

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        if self.stall and self.stall[0] <= moment < self.stall[1]:
            moment = self.stall[1]  # nobody runs while the machine stands still
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, act))

    def _ask(self) -> None:
        slot = self.collection.slot(self.now)
        if isinstance(slot, Wait):
            self._at(self.now + min(0.5, slot.seconds if slot.seconds is not None else 0.005), self._ask)
        elif not isinstance(slot, Done):
            self._at(max(self.now, slot), lambda: self._start(slot))

    def _start(self, slot: float) -> None:
        call = self.collection.start(slot, self.now)
        if isinstance(call, float):
            self._at(max(self.now, call), lambda: self._start(call))
        elif call is None:
            self._ask()
        else:
            (account,) = call.account_ids
            self.tries[account] += 1
            self.sent.append((self.now, account))
            reply = self.script(account, self.tries[account])
            self._at(self.now + self.latency, lambda: self._end(call, reply))

    def _end(self, call: Call, reply: Reply) -> None:
        self.outcomes += self.collection.end(call, reply, self.now)
        self._ask()

    def run(self, until: float = 1e9) -> "Simulation":
        while self._events and self.now < until:
            self.now, _, act = heapq.heappop(self._events)
            self.outcomes += self.collection.tick(self.now)
            act()
        return self

    def by_status(self) -> Counter[Status]:
        return Counter(o.status for o in self.outcomes)

    def refused_by_bucket(self, rate: float, burst: float) -> int:
        """How many of the calls a token bucket at the provider would have refused."""
        tokens, last, refused = burst, 0.0, 0
        for moment, _ in self.sent:
            tokens = min(burst, tokens + (moment - last) * rate)
            last = moment
            # A hair of tolerance: a slot's time is a sum of floats.
            if tokens < 1.0 - 1e-6:
                refused += 1
            else:
                tokens -= 1.0
        return refused
