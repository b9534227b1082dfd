"""From settings to what the life of reports needs after publication: windows, resealing, expiry.

Beside `esg_assets.composition`, whose stores and keys it uses; nothing is opened before it is asked for.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from esg_assets.composition import SealedStores

if TYPE_CHECKING:
    from esg_assets.adapters.publications import WorkingWindow
    from esg_assets.adapters.working_data import KeptWork


class LifecycleStores(SealedStores):
    """The sealed stores, with what ends, renews and removes things in them."""

    @cached_property
    def kept(self) -> "KeptWork":
        """The work store's data by name."""
        from esg_assets.adapters.working_data import KeptWork  # noqa: PLC0415 - slow to import

        return KeptWork(self._work, self._working_envelope, self._settings.env, self.snapshots)

    @cached_property
    def window(self) -> "WorkingWindow":
        """What ends the working window of dates (ESG_WORKING_DAYS)."""
        from esg_assets.adapters.publications import WorkingWindow  # noqa: PLC0415 - slow to import

        return WorkingWindow(
            self._records,
            self._recipients,
            self.kept,
            self._handles,
            self._chain(self._signer),
            working_days=self._settings.working_days,
        )
