"""The port of gathering: ask for many accounts at the provider's rate and keep what comes back.

The rules are `esg_assets.core.collection`; `esg_assets.adapters.workers` adds the threads and the clock.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa

from esg_assets.core import outcomes, verdicts
from esg_assets.core.accounts import Snapshot
from esg_assets.core.collection import Judge
from esg_assets.core.outcomes import OUTCOME_SCHEMA, Refresh
from esg_assets.core.ports import RatingsApi, RatingsParts
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome
from esg_assets.core.verdicts import Limits, Past

WITHOUT_RAW = [field.name for field in OUTCOME_SCHEMA if field.name != "raw"]


class Gathering(Protocol):
    """Asks for every account given, until each has an outcome or an error ends the run."""

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
        """On return, and on any exception, everything that arrived has gone through `keep`.

        Args:
            account_ids: unique.
            as_of: the date asked for.
            api: the provider.
            judge: what a reply means for an account.
            keep: seals outcomes; called from the calling thread at least every second.
            report: told of the progress every few seconds and at the end, from the calling thread.
            etags: of answers that are kept, by account id; one that is unchanged is not kept again.
            give_way: asked after each `keep`; True ends the gathering when calls in flight have ended.

        Raises:
            AccessDenied, ApiUnavailable, Stopped (gave way): what ended the run early.
        """


def kept_outcomes(snapshot: Snapshot, parts: RatingsParts) -> pa.Table:
    """The latest outcome of each account of the snapshot, without raw bodies; nulls where open."""
    return outcomes.latest(snapshot.accounts.column("account_id"), parts.read(snapshot, WITHOUT_RAW))


def accounts_to_ask(
    snapshot: Snapshot, kept: pa.Table, past: Past | None, limits: Limits, refresh: Refresh
) -> list[str]:
    """Ids of the accounts that are still open, in the snapshot's order."""
    judged = verdicts.on_ratings(snapshot.count, outcomes.counts(kept), past, limits)
    # After a crash some have no outcome: that is no reason to doubt those that have one.
    blocked = any(verdict.blocks for verdict in judged if verdict.check != verdicts.ONE_OUTCOME)
    positions = outcomes.still_open(kept, refresh, blocked=blocked)
    ids: list[str] = snapshot.accounts.column("account_id").take(pa.array(positions, pa.int64())).to_pylist()
    return ids
