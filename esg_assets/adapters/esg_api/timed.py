"""The provider, with a listener to how long each call takes: tokens must outlive the calls they go with."""

from collections.abc import Callable, Sequence
from datetime import date

from esg_assets.core.ports import CallPolicy, RatingsApi
from esg_assets.core.ratings import Reply


class TimedEsgApi:
    """A `RatingsApi` that tells how long each call took; for many threads.

    Args:
        api: who is asked.
        took: told the seconds of each call, also of one that timed out.
    """

    def __init__(self, api: RatingsApi, took: Callable[[float], None]) -> None:
        self._api = api
        self._took = took

    @property
    def policy(self) -> CallPolicy:
        """See the port."""
        return self._api.policy

    @property
    def accounts_per_call(self) -> int:
        """See the port."""
        return self._api.accounts_per_call

    def ask(self, account_id: str, as_of: date) -> Reply:
        """See the port."""
        return self.ask_many((account_id,), as_of)

    def ask_many(
        self,
        account_ids: Sequence[str],
        as_of: date,
        wait_for_slot: Callable[[], None] | None = None,
        etag: str = "",
    ) -> Reply:
        """See the port."""
        reply = self._api.ask_many(account_ids, as_of, wait_for_slot, etag)
        if reply.seconds > 0:  # nothing was sent
            self._took(reply.seconds)
        return reply

    def close(self) -> None:
        """See the port."""
        self._api.close()

    def __repr__(self) -> str:
        return "TimedEsgApi(***)"
