"""The port `Gathering` over threads: one collection, driven to its end by `threads`."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from esg_assets.adapters.workers.clock import Clock, SystemClock
from esg_assets.adapters.workers.threads import Workers
from esg_assets.core.collection import Collection, Judge
from esg_assets.core.ports import RatingsApi
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome


class ThreadedGathering:
    """The port `Gathering` over threads.

    Args:
        rng: the dice of the jitter.
        clock: for tests.
    """

    def __init__(self, rng: random.Random | None = None, clock: Clock | None = None) -> None:
        self._rng = rng or random.SystemRandom()
        self._clock = clock or SystemClock()

    def gather(
        self,
        account_ids: Sequence[str],
        as_of: date,
        api: RatingsApi,
        *,
        judge: Judge,
        keep: Callable[[Sequence[Outcome]], None],
        report: Callable[[Progress], None],
        give_way: Callable[[], bool] = lambda: False,
        etags: Mapping[str, str] | None = None,
    ) -> Progress:
        """See the port."""
        collection = Collection(
            account_ids,
            as_of=as_of,
            policy=api.policy,
            judge=judge,
            random=self._rng.random,
            now=self._clock.monotonic(),
            accounts_per_call=api.accounts_per_call,
            etags=etags,
        )
        workers = Workers(
            collection, api, as_of, keep=keep, report=report, give_way=give_way, clock=self._clock
        )
        return workers.run()
