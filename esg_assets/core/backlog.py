"""The accounts that still have to be asked for: fresh ones, ready ones, and ones that wait for their retry.

Which of them share a call is decided here; when a call may go out, in `esg_assets.core.collection`.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from esg_assets.core.ratings import Outcome, Reply, Status
from esg_assets.core.replies import Judgement

MAX_FAILED_BODY = 16_384
"""Bytes kept of a body that brought no rating: evidence, and memory for accounts that wait is bounded."""


@dataclass(slots=True)
class Ask:
    """One account on its way to an outcome.

    Attributes:
        account_id: the account.
        limit: how many accounts may share its next call.
        tries: tries that have ended, apart from those that a new token repeats.
        failure: how it ends if it is given up now; None before its first try.
        failed_at: when the provider failed it first (monotonic clock); None if it never did.
    """

    account_id: str
    limit: int
    tries: int = 0
    failure: Outcome | None = None
    failed_at: float | None = None

    def outcome(self, judgement: Judgement, reply: Reply, body: bytes, *, alone: bool) -> Outcome:
        """How the account ends if this is the last word about it.

        Args:
            judgement: what the reply means for it.
            reply: what came.
            body: what is kept of the reply's.
            alone: whether the call asked for nobody else, so that an ETag names its answer.
        """
        rated = judgement.status is Status.SUCCESS
        return Outcome(
            account_id=self.account_id,
            status=judgement.status,
            reason=judgement.reason,
            rating=judgement.rating,
            attempts=self.tries,
            last_status=reply.status,
            raw=body if rated else body[:MAX_FAILED_BODY],
            etag=reply.headers.get("etag", "") if rated and alone else "",
        )


class Backlog:
    """Accounts by when they can be asked for. Memory does not grow with the fresh ones.

    Args:
        account_ids: unique.
        per_call: how many accounts one call may ask for.
    """

    def __init__(self, account_ids: Sequence[str], per_call: int) -> None:
        self._fresh: Iterator[str] = iter(account_ids)
        self._per_call = per_call
        self._waiting: list[tuple[float, int, Ask]] = []  # heap by due time
        self._number = 0  # breaks ties, so that asks are never compared
        self._ready: deque[Ask] = deque()
        self.fresh = len(account_ids)
        """Accounts that were never asked for."""

    def __len__(self) -> int:
        return self.fresh + len(self._ready) + len(self._waiting)

    def calls(self, *, retries: bool) -> int:
        """How many calls could be made now, at least; `retries` says whether repeats may be."""
        ready = len(self._ready) if retries else 0
        return -(-(ready + self.fresh) // self._per_call)

    def take(self, *, retries: bool) -> list[Ask]:
        """The accounts of the next call; none if there is nothing to ask now."""
        taken: list[Ask] = []
        room = self._per_call
        while retries and self._ready and len(taken) < min(room, self._ready[0].limit):
            ask = self._ready.popleft()
            taken.append(ask)
            room = min(room, ask.limit)
        while self.fresh and len(taken) < room:
            self.fresh -= 1
            taken.append(Ask(next(self._fresh), limit=self._per_call))
        return taken

    def again(self, ask: Ask) -> None:
        """Ask again as soon as there is a slot."""
        self._ready.append(ask)

    def again_at(self, ask: Ask, due: float) -> None:
        """Ask again from `due` on."""
        self._number += 1
        heapq.heappush(self._waiting, (due, self._number, ask))

    def wake(self, now: float) -> None:
        """Accounts whose time has come are ready."""
        while self._waiting and self._waiting[0][0] <= now:
            self._ready.append(heapq.heappop(self._waiting)[2])

    @property
    def next_due(self) -> float | None:
        """When the next waiting account will be ready."""
        return self._waiting[0][0] if self._waiting else None

    def abandon(self) -> list[Ask]:
        """Empty the backlog of everything that was tried before; gives what it was."""
        asks = [*self._ready, *(ask for _, _, ask in self._waiting)]
        self._ready.clear()
        self._waiting.clear()
        return asks
