"""Asking for a list of accounts within a run: the turns at the provider, and what is told meanwhile.

A turn ends early when today's report waits for the provider and this run asks for an older date. The
rules of asking are `esg_assets.core.collection`, its threads `esg_assets.adapters.workers`.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from esg_assets.core import outcomes
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import Stopped
from esg_assets.core.gathering import Gathering
from esg_assets.core.ports import RatingsApi, RatingsParts
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome, Status
from esg_assets.core.replies import judge_many
from esg_assets.core.reply_shapes import ReplyShape
from esg_assets.core.sealed_ratings import Effort
from esg_assets.core.telling import Account, fields
from esg_assets.run_effort import EFFORT_TAG, Spent
from esg_assets.run_lease import RunLease
from esg_assets.run_logger import PROGRESS

PROGRESS_TAG = "esg/progress"
EXPECTED_END_TAG = "esg/expected_end"
"""On a run while it asks: how far it is, and when the last account should have its outcome (UTC)."""

LISTED = 20
"""Accounts that failed, and that the log has a line for each of: who wants all asks `report failures`."""


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
        self._failed: Counter[str] = Counter()
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
            extra=fields(
                "asking the provider",
                asked=len(account_ids),
                accounts=snapshot.count,
                as_of=snapshot.as_of.isoformat(),
                rate=policy.rate,
            ),
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
            self._context.log.info(
                "%s calls in %.1f s, %.1f a second",
                f"{made.calls:,}",
                seconds,
                rate,
                extra=fields(
                    "asked the provider", seconds=round(seconds, 3), **_figures(made), **_times(made)
                ),
            )
            self._tell_failed()
            self._spent = self._spent.plus(made, seconds, self._received)
            self._received = 0
        return False

    def _keep(self, batch: Sequence[Outcome]) -> None:
        self._parts.append(self._snapshot, outcomes.to_batch(batch))
        for outcome in batch:
            if outcome.status is Status.FAILED:
                self._tell_of(outcome)
        self._received += sum(len(outcome.raw) for outcome in batch)
        if self._lease.may_have_to_give_way(self._context):
            self._ended.update(outcome.account_id for outcome in batch)

    def _tell_of(self, outcome: Outcome) -> None:
        """An account that failed; the first few by themselves, all of them in `_tell_failed`'s counts."""
        reason = outcome.reason.value if outcome.reason else "unknown"
        self._failed[reason] += 1
        if self._failed.total() <= LISTED:
            self._context.log.warning(
                "an account failed: %s, %d tries, last status %s",
                reason,
                outcome.attempts,
                outcome.last_status or "none",
                extra=fields(
                    "account failed",
                    account=Account(outcome.account_id),
                    reason=reason,
                    attempts=outcome.attempts,
                    status=outcome.last_status,
                ),
            )

    def _tell_failed(self) -> None:
        for reason, count in sorted(self._failed.items()):
            self._context.log.warning(
                "%s failed: %s",
                f"{count:,} account{'' if count == 1 else 's'}",
                reason,
                extra=fields("accounts failed", reason=reason, failed=count),
            )
        self._failed.clear()

    def _report(self, progress: Progress) -> None:
        self._progress = progress
        bar = {"done": progress.ended.total(), "wanted": progress.wanted, "note": progress.short}
        told = fields("progress", wanted=progress.wanted, done=progress.ended.total(), **_figures(progress))
        self._context.log.info("%s", progress, extra={PROGRESS: bar, **told})
        if not self._warned and (warning := progress.too_few_in_flight(self._api.policy.concurrency)):
            self._context.log.warning("%s", warning, extra=fields("too few calls in flight"))
            self._warned = True
        ends = datetime.now(UTC) + timedelta(seconds=progress.seconds_left)
        spent = self._spent.plus(progress, time.monotonic() - self._started, self._received)
        tags = {
            PROGRESS_TAG: str(progress),
            EXPECTED_END_TAG: ends.isoformat(timespec="seconds"),
            EFFORT_TAG: spent.as_tag(self._context.run.run_id),
        }
        self._context.instance.add_run_tags(self._context.run.run_id, tags)


def _figures(made: Progress) -> dict[str, object]:
    """Of the calls so far, for a log line."""
    return {
        "calls": made.calls,
        "retries": made.retries,
        "refusals": made.refusals,
        "failed": made.ended[Status.FAILED],
        "latency_seconds": round(made.latency, 4),
    }


def _times(made: Progress) -> dict[str, object]:
    """How long calls took, in seconds, by percentile."""
    return {f"latency_{name}": value for name, value in made.latencies.percentiles().items()}
