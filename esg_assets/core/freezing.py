"""Freezing the day's accounts: asked as of the right date, or as of now where that may be.

The rules of single rows are in `esg_assets.core.account_rows`.
"""

from datetime import date, datetime

from esg_assets.core.account_rows import AccountsBuilder
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import NoHistory
from esg_assets.core.ports import AccountSource
from esg_assets.core.rules import Rules


def freeze(
    source: AccountSource,
    rules: Rules,
    partition: date,
    *,
    today: date,
    now: datetime,
    current_accounts: bool,
    salt: bytes,
) -> Snapshot:
    """A new snapshot of the accounts, not stored yet (generation 0).

    Args:
        source: the account system.
        rules: settings.
        partition: the report's date.
        today: the date in Central time: the one partition that a source without history serves.
        now: the moment of asking, UTC; what `accounts_as_of` says if the source keeps no history.
        current_accounts: an earlier partition may be served with the accounts as they are now.
        salt: 32 random bytes for the commitment.

    Raises:
        NoHistory: the source keeps no history and the partition is not today's.
        AccountsRefused: the list breaks a rule.
        AccessDenied, SourceUnavailable: from the source.
    """
    as_of = rules.as_of(partition)
    builder = AccountsBuilder(rules.accounts, what=f"the account list for {partition} (as of {as_of})")
    accounts_as_of = as_of.isoformat()
    try:
        for rows in source.read(as_of):
            builder.add(rows)
    except NoHistory:
        if not current_accounts and partition != today:
            raise NoHistory(_refusal(source.kind, partition, as_of, today)) from None
        accounts_as_of = now.isoformat(timespec="seconds").replace("+00:00", "Z")
        for rows in source.read(None):
            builder.add(rows)
    return Snapshot(
        partition=partition,
        generation=0,
        as_of=as_of,
        accounts_as_of=accounts_as_of,
        accounts=builder.build(),
        metrics=rules.metrics,
        mapping=rules.ratings_mapping,
        salt=salt,
    )


def _refusal(kind: str, partition: date, as_of: date, today: date) -> str:
    return (
        f"Taking the accounts of {partition}: the account system ({kind}) keeps no history, so it cannot say "
        f"who was active on {as_of}; it serves today's report ({today}) only. Nothing was stored. To report "
        "on the accounts as they are now, which the report's summary and its publication then say, run the "
        "date with --current-accounts (in the UI: the asset's switch current_accounts)."
    )
