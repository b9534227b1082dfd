"""Asking for a list of accounts within a run: the turns at the provider, and what is told meanwhile.

A turn ends early when today's report waits for the provider and this run asks for an older date. The
rules of asking are `esg_assets.core.collection`, its threads `esg_assets.adapters.workers`.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from esg_assets.core import outcomes
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import Stopped
from esg_assets.core.gathering import Gathering
from esg_assets.core.ports import RatingsApi, RatingsParts
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome
from esg_assets.core.replies import judge_many
from esg_assets.core.reply_shapes import ReplyShape
from esg_assets.core.sealed_ratings import Effort
from esg_assets.run_effort import EFFORT_TAG, Spent
from esg_assets.run_lease import RunLease
from esg_assets.run_logger import PROGRESS

PROGRESS_TAG = "esg/progress"
EXPECTED_END_TAG = "esg/expected_end"
"""On a run while it asks: how far it is, and when the last account should have its outcome (UTC)."""


class Asking:
    """Asks for accounts of one snapshot, in as many turns as it takes.

    Args:
        context: of the running step.
        snapshot: whose accounts are asked for.
        shape: how the provider's replies are read.
        api: the provider.
        gathering: the engine.
        parts: where outcomes are sealed as they arrive.
        lease: the run's turn at the provider.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        snapshot: Snapshot,
        shape: ReplyShape,
        *,
        api: RatingsApi,
        gathering: Gathering,
        parts: RatingsParts,
        lease: RunLease,
    ) -> None:
        self._context = context
        self._snapshot = snapshot
        self._shape = shape
        self._api = api
        self._gathering = gathering
        self._parts = parts
        self._lease = lease
        self._spent = Spent()
        self._received, self._started = 0, 0.0
        self._ended: set[str] = set()
        self._warned = False
        self._progress = Progress(wanted=0, rate=api.policy.rate)

    @property
    def spent(self) -> Effort:
        """What asking took so far, also when it was broken off."""
        return self._spent.effort

    def ask(self, account_ids: Sequence[str], etags: Mapping[str, str]) -> None:
        """Ask until every account has an outcome; `spent` says what it took.

        Args:
            account_ids: unique.
            etags: of answers that are kept, by account id.

        Raises:
            AccessDenied, ApiUnavailable, StoreUnavailable: what arrived before is sealed.
        """
        self._spent = Spent(asked=len(account_ids))
        while account_ids:
            with self._lease.provider(self._context):
                gave_way = self._turn(account_ids, etags)
            if not gave_way:
                break
            self._lease.give_way(self._context)
            account_ids = [account for account in account_ids if account not in self._ended]

    def _turn(self, account_ids: Sequence[str], etags: Mapping[str, str]) -> bool:
        """One turn at the provider; whether it ended early."""
        snapshot, policy = self._snapshot, self._api.policy
        self._context.log.info(
            "asking for %s of %s accounts as of %s, at most %g calls/s",
            f"{len(account_ids):,}",
            f"{snapshot.count:,}",
            snapshot.as_of,
            policy.rate,
        )
        self._started = time.monotonic()
        self._progress = Progress(wanted=len(account_ids), rate=policy.rate)
        try:
            self._gathering.gather(
                account_ids,
                snapshot.as_of,
                self._api,
                judge=lambda reply, ids: judge_many(
                    reply, ids, snapshot.as_of, snapshot.metrics, self._shape
                ),
                keep=self._keep,
                report=self._report,
                etags=etags,
                give_way=lambda: self._lease.must_give_way(self._context),
            )
        except Stopped:
            return True
        finally:
            seconds, made = time.monotonic() - self._started, self._progress
            rate = made.calls / max(seconds, 0.001)
            self._context.log.info("%s calls in %.1f s, %.1f a second", f"{made.calls:,}", seconds, rate)
            self._spent = self._spent.plus(made, seconds, self._received)
            self._received = 0
        return False

    def _keep(self, batch: Sequence[Outcome]) -> None:
        self._parts.append(self._snapshot, outcomes.to_batch(batch))
        self._received += sum(len(outcome.raw) for outcome in batch)
        if self._lease.may_have_to_give_way(self._context):
            self._ended.update(outcome.account_id for outcome in batch)

    def _report(self, progress: Progress) -> None:
        self._progress = progress
        bar = {"done": progress.ended.total(), "wanted": progress.wanted, "note": progress.short}
        self._context.log.info("%s", progress, extra={PROGRESS: bar})
        if not self._warned and (warning := progress.too_few_in_flight(self._api.policy.concurrency)):
            self._context.log.warning("%s", warning)
            self._warned = True
        ends = datetime.now(UTC) + timedelta(seconds=progress.seconds_left)
        spent = self._spent.plus(progress, time.monotonic() - self._started, self._received)
        tags = {
            PROGRESS_TAG: str(progress),
            EXPECTED_END_TAG: ends.isoformat(timespec="seconds"),
            EFFORT_TAG: spent.as_tag(self._context.run.run_id),
        }
        self._context.instance.add_run_tags(self._context.run.run_id, tags)
