"""From settings to what the life of reports needs after publication: windows, resealing, expiry.

Beside `esg_assets.composition`, whose stores and keys it uses; nothing is opened before it is asked for.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from esg_assets import store_choice
from esg_assets.composition import SealedStores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esg_assets.adapters.publications import Expiry, Resealing, WorkingWindow
    from esg_assets.adapters.working_data import KeptWork, Rekeying
    from esg_assets.core.chain import Entry
    from esg_assets.core.record_ports import Chain, ReplacingStore
    from esg_assets.settings import Settings


class LifecycleStores(SealedStores):
    """The sealed stores, with what ends, renews and removes things in them."""

    @classmethod
    def guarded(cls, settings: "Settings") -> "LifecycleStores":
        """The stores for whoever writes or removes; `prod` asks first how the records' bucket is guarded.

        Raises:
            Refused: it is public or keeps no versions.
            StoreUnavailable: it does not answer.
        """
        store_choice.require_guarded_records(settings)
        return cls(settings)

    def entries(self) -> "Sequence[Entry]":
        """Every entry of the chain, verified; wants no key to sign with. Raises Tampered."""
        return self._chain(None).entries()

    @cached_property
    def kept(self) -> "KeptWork":
        """The work store's data by name."""
        from esg_assets.adapters.working_data import KeptWork  # noqa: PLC0415 - slow to import

        return KeptWork(self._work, self._working_envelope, self._settings.env, self.snapshots)

    @cached_property
    def rekeying(self) -> "Rekeying":
        """What brings the work store to the current working key."""
        from esg_assets.adapters.envelope import WorkingEnvelope  # noqa: PLC0415 - slow to import
        from esg_assets.adapters.working_data import Rekeying  # noqa: PLC0415

        envelope = self._working_envelope
        assert isinstance(envelope, WorkingEnvelope)
        # Both kinds of stores can do it, and nothing else may.
        return Rekeying(cast("ReplacingStore", self._work), envelope, self.kept, self._settings.env)

    @cached_property
    def resealing(self) -> "Resealing":
        """What seals published versions to ESG_REPORT_RECIPIENTS, signed with ESG_SIGNING_KEY."""
        from esg_assets.adapters.publications import Resealing  # noqa: PLC0415 - slow to import

        return Resealing(self._records, self._keepers_chain, self._recipients)

    @cached_property
    def expiry(self) -> "Expiry":
        """Holds and removals (ESG_RETENTION_YEARS)."""
        from esg_assets.adapters.publications import Expiry  # noqa: PLC0415 - slow to import

        years = self._settings.retention_years
        return Expiry(self._records, self._keepers_chain, retention_years=years)

    @cached_property
    def _keepers_chain(self) -> "Chain":
        """The chain for those who also work on other machines: compared with a history that is there.

        An entry that is added to a store that lags would take the place of a lost one, which then could
        not be brought back. A custodian has no history, and none is made for him.
        """
        url = self._settings.database_url.get_secret_value()
        kind, _, path = url.partition(":///")
        if kind.startswith("sqlite") and not Path(path).exists():
            return self._chain(self._signer)
        return self.remembered_chain

    @cached_property
    def window(self) -> "WorkingWindow":
        """What ends the working window of dates (ESG_WORKING_DAYS)."""
        from esg_assets.adapters.publications import WorkingWindow  # noqa: PLC0415 - slow to import

        return WorkingWindow(
            self._records,
            self._recipients,
            self.kept,
            self._handles,
            self.remembered_chain,
            working_days=self._settings.working_days,
        )
