"""The asset esg_ratings: one outcome for each account, sealed in parts as they arrive.

Which accounts are still open is `esg_assets.core.gathering`, asking for them `esg_assets.asking`; when
to call is `esg_assets.core.collection`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from esg_assets import checks, links, run_reasons
from esg_assets.asking import Asking
from esg_assets.asset_columns import rows_written
from esg_assets.asset_metadata import Metadata
from esg_assets.core import outcomes, verdicts
from esg_assets.core.accounts import Snapshot
from esg_assets.core.alerts.wording import Places
from esg_assets.core.errors import Refused
from esg_assets.core.gathering import Gathering, accounts_to_ask, kept_outcomes
from esg_assets.core.outcomes import Refresh
from esg_assets.core.ports import CallPolicy, History, RatingsApi, RatingsParts, ReplyShapes
from esg_assets.core.ratings import Status
from esg_assets.core.rules import Rules
from esg_assets.core.sealed_ratings import Effort, SealedRatings, SealedRatingsStore
from esg_assets.failures import told_to
from esg_assets.run_lease import RunLease

NAME = "esg_ratings"
CHECKS = [verdicts.ONE_OUTCOME, verdicts.FAILURE_RATE, verdicts.NOT_RATED_RATE]

CONFIG = {
    "refresh": dg.Field(
        dg.Enum("Refresh", [dg.EnumValue(choice.value) for choice in Refresh]),
        default_value=Refresh.FAILED.value,
        description=(
            "missing: only accounts without an outcome; failed: also those that failed for a passing reason "
            "and, while the date is blocked, the unrated; all: everyone."
        ),
    )
}


def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over `partitions`."""
    return dg.asset(
        name=NAME,
        partitions_def=partitions,
        check_specs=checks.specs(NAME, CHECKS, partitions),
        config_schema=CONFIG,
        io_manager_key="ratings_io",
        kinds={"python", "arrow"},
        tags={"data": "client"},
        code_version="1",
    )(esg_ratings)


def esg_ratings(
    context: dg.AssetExecutionContext,
    active_accounts: Snapshot,
    esg_api: dg.ResourceParam[RatingsApi],
    reply_shapes: dg.ResourceParam[ReplyShapes],
    gathering: dg.ResourceParam[Gathering],
    ratings_parts: dg.ResourceParam[RatingsParts],
    sealed_ratings: dg.ResourceParam[SealedRatingsStore],
    history: dg.ResourceParam[History],
    rules: dg.ResourceParam[Rules],
    run_lease: dg.ResourceParam[RunLease],
    places: dg.ResourceParam[Places],
) -> Iterator[dg.AssetCheckResult | dg.Output[SealedRatings]]:
    """The outcome of every account of the snapshot: SUCCESS, NOT_RATED or FAILED with its reason.

    A re-run asks only for what is open: what has arrived is sealed every second at most.
    """
    with told_to(context):
        run_lease.hold(context)
        run_reasons.why_and_who(context, active_accounts)  # before a night of calls, not after it
        snapshot, refresh = active_accounts, Refresh(context.op_execution_context.op_config["refresh"])
        past = verdicts.Past.of(history.latest_before(snapshot.partition))
        sealed = sealed_ratings.get(snapshot.partition) or _nothing_yet(snapshot)
        kept = kept_outcomes(snapshot, ratings_parts)
        asked = accounts_to_ask(snapshot, kept, past, rules.limits, refresh)
        asking = Asking(
            context,
            snapshot,
            reply_shapes.of(snapshot.mapping),
            api=esg_api,
            gathering=gathering,
            parts=ratings_parts,
            lease=run_lease,
        )
        _refuse_another_mapping(snapshot, rules, asked)
        try:
            asking.ask(asked, outcomes.etags(kept))
        except BaseException:  # whatever broke it off: the calls were made, and the summary says so
            sealed_ratings.put(replace(sealed, effort=sealed.effort + asking.spent))
            raise
        effort, wanted = asking.spent, len(asked)
        del asked  # a million texts, and a table that large, before the next one is made
        if wanted:
            del kept
            kept = kept_outcomes(snapshot, ratings_parts)
        sealed = sealed.after(snapshot, outcomes.counts(kept), len(ratings_parts.refs(snapshot)), effort)
        why = outcomes.failures_by_reason(kept)
        found = verdicts.on_ratings(snapshot.count, sealed.counts, past, rules.limits, why)
    told = _metadata(sealed, effort, wanted, esg_api.policy)
    yield dg.Output(sealed, metadata={**told, **_written(sealed, snapshot, places)})
    yield from checks.results(found, NAME, places)


def _refuse_another_mapping(snapshot: Snapshot, rules: Rules, asked: Sequence[str]) -> None:
    """Requests follow today's ESG_API_MAPPING and replies the one that is frozen: they must be the same."""
    if asked and snapshot.mapping != rules.ratings_mapping:
        raise Refused(
            f"Asking for the ratings of {snapshot.partition}: ESG_API_MAPPING has changed since the accounts "
            f"of that date were frozen, and {len(asked):,} accounts are still open. Nothing was asked. Run "
            "the date with --refresh-snapshot to ask by today's mapping, or set the mapping of then."
        )


def _nothing_yet(snapshot: Snapshot) -> SealedRatings:
    return SealedRatings(snapshot.partition, snapshot.generation, {}, 0, Effort(), datetime.now(UTC))


def _written(sealed: SealedRatings, snapshot: Snapshot, places: Places) -> Metadata:
    return {
        **rows_written(NAME, sum(sealed.counts.values()), snapshot.metrics),
        **links.of_materialization(places, snapshot.partition),
    }


def _metadata(sealed: SealedRatings, effort: Effort, asked: int, policy: CallPolicy) -> Metadata:
    counts = {status.value.lower(): sealed.counts.get(status, 0) for status in Status}
    total = sum(sealed.counts.values())
    return {
        **counts,
        "success_rate": round(sealed.counts.get(Status.SUCCESS, 0) / total, 6) if total else 0.0,
        "asked": asked,
        "calls": effort.calls,
        "retries": effort.retries,
        "refusals_429": effort.refusals,
        "seconds": effort.seconds,
        "calls_per_second": round(effort.calls / effort.seconds, 1) if effort.seconds else 0.0,
        "sealed_parts": sealed.parts,
        "rate_limit": f"{policy.rate:g} calls/s, burst {policy.burst}, up to {policy.concurrency} in flight",
        "retry_policy": (
            f"{policy.max_attempts} tries, exponential backoff from {policy.backoff_seconds:g} s to "
            f"{policy.backoff_cap_seconds:g} s with full jitter, Retry-After up to "
            f"{policy.max_retry_after_seconds:g} s, time-out {policy.timeout_seconds:g} s"
        ),
    }
