"""Whether a `--reason` names an account: looked at before it stands in an entry, or in the tags of a run."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from esg_assets.core import reasons
from esg_assets.core.errors import EsgError, SettingsWrong

if TYPE_CHECKING:
    from esg_assets.core.accounts import Snapshot
    from esg_assets.lifecycle import LifecycleStores
    from esg_assets.settings import Settings

_LOOKED_AT = 3  # newest dates that are searched for a snapshot: of a date there may be something else only


def require_no_account(settings: "Settings", days: Sequence[date], reason: str) -> None:
    """Nothing, unless the reason names an account of one of these dates, as far as this host can tell.

    Of a date without a snapshot that opens here, and where there are no dates, the accounts of the newest
    that does stand in.

    Raises:
        SettingsWrong: it does. What is wrong with a store is not said here: the run says it, and looks again.
    """
    if not reason:
        return
    from esg_assets.lifecycle import LifecycleStores  # noqa: PLC0415 - slow to import

    stores = LifecycleStores(settings)
    for day in days or (None,):
        snapshot = _nearest(stores, day)
        ids = () if snapshot is None else map(str, snapshot.accounts.column("account_id"))
        if reasons.names_account(reason, ids):
            raise SettingsWrong(
                "--reason is not taken: it holds the id of an account, and would stand in the clear in the "
                "chain. Nothing was done. Say it without naming an account."
            )


def _nearest(stores: "LifecycleStores", day: date | None) -> "Snapshot | None":
    try:
        found = None if day is None else stores.snapshots.latest(day)
        newest = [] if found else stores.kept.dates()[: -_LOOKED_AT - 1 : -1]
        return found or next(filter(None, map(stores.snapshots.latest, newest)), None)
    except EsgError:
        return None
