"""The asset active_accounts: the frozen, sealed snapshot of the day's accounts.

Rules of the list are in `esg_assets.core.account_rows`, asking as of which date in
`esg_assets.core.freezing`; reading the firm's system is an `AccountSource`.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from esg_assets import checks, links
from esg_assets.asset_columns import rows_written
from esg_assets.asset_metadata import Metadata
from esg_assets.core import verdicts
from esg_assets.core.accounts import Snapshot
from esg_assets.core.alerts.wording import Places
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import AccountsRefused
from esg_assets.core.freezing import freeze
from esg_assets.core.ports import AccountSource, History, Snapshots
from esg_assets.core.rules import Rules
from esg_assets.failures import told_to
from esg_assets.partitions import partition_of
from esg_assets.run_lease import RunLease

NAME = "active_accounts"

CONFIG = {
    # Not a dg.Config: its booleans can be read from the environment by whoever may launch a run.
    "refresh_snapshot": dg.Field(
        bool, default_value=False, description="Take a new one although one is kept."
    ),
    "current_accounts": dg.Field(
        bool,
        default_value=False,
        description="For an earlier date and a source without history: take the accounts as they are now.",
    ),
}


def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over `partitions`."""
    return dg.asset(
        name=NAME,
        partitions_def=partitions,
        check_specs=checks.specs(NAME, [verdicts.ACCOUNTS_COMPLETE, verdicts.ACCOUNT_COUNT], partitions),
        config_schema=CONFIG,
        io_manager_key="snapshot_io",
        kinds={"python", "arrow"},
        tags={"data": "client"},
        code_version="1",
    )(active_accounts)


def active_accounts(
    context: dg.AssetExecutionContext,
    account_source: dg.ResourceParam[AccountSource],
    snapshots: dg.ResourceParam[Snapshots],
    history: dg.ResourceParam[History],
    rules: dg.ResourceParam[Rules],
    run_lease: dg.ResourceParam[RunLease],
    places: dg.ResourceParam[Places],
) -> Iterator[dg.AssetCheckResult | dg.Output[Snapshot]]:
    """The accounts that the report of the day is about, as of the day before, frozen.

    A snapshot is taken once: re-runs, also after a crash, use the same one, so that they make
    the same report. `refresh_snapshot` takes a new one.
    """
    with told_to(context):
        run_lease.hold(context)
        partition = partition_of(context)
        now = datetime.now(UTC)
        switches = context.op_execution_context.op_config
        snapshot = None if switches["refresh_snapshot"] else snapshots.latest(partition)
        try:
            snapshot = snapshot or freeze(
                account_source,
                rules,
                partition,
                today=central_date(now),
                now=now,
                current_accounts=switches["current_accounts"],
                salt=secrets.token_bytes(32),
            )
        except AccountsRefused as refused:
            yield from checks.results(
                [verdicts.accounts_refused(str(refused), refused.problems)], NAME, places
            )
            raise
        past = verdicts.Past.of(history.latest_before(partition))
        count = verdicts.account_count(snapshot.count, past, rules.limits)
        found = [verdicts.accounts_complete(snapshot.count), count]
        if count.blocks:
            yield from checks.results(found, NAME, places)
            raise AccountsRefused(_drop(snapshot, count.note))
    yield dg.Output(snapshot, metadata=_metadata(snapshot, account_source.kind, places))
    yield from checks.results(found, NAME, places)


def _drop(snapshot: Snapshot, note: str) -> str:
    return (
        f"Taking the accounts of {snapshot.partition}: {note}. Nothing was stored. If the list is right, "
        "raise ESG_ACCOUNTS_DROP_BLOCK for this run; if not, mend the account system and run again."
    )


def _metadata(snapshot: Snapshot, kind: str, places: Places) -> Metadata:
    return {
        "accounts": snapshot.count,
        "as_of": snapshot.as_of.isoformat(),
        "accounts_as_of": snapshot.accounts_as_of,
        "snapshot": f"kept, generation {snapshot.generation}" if snapshot.generation else "new",
        "source": kind,
        **rows_written(NAME, snapshot.count, snapshot.metrics),
        **links.of_materialization(places, snapshot.partition),
    }
