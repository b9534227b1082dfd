"""Re-sealing what is kept under a new working key: each object under its own name, in one step.

Whoever calls holds the dates' leases. Broken off anywhere, some objects are sealed with the new key and
the others with a former one, and all of them open; another pass finds what is left. Making and
removing keys is not known here.
"""

import datetime as dt
import io

from esg_assets.adapters.working_data.kept import KeptWork
from esg_assets.core import store_identity
from esg_assets.core.errors import KeyMissing, Tampered
from esg_assets.core.record_ports import KeyedEnvelope, ReplacingStore


class Rekeying:
    """Brings a work store to the current working key."""

    def __init__(
        self, store: ReplacingStore, envelope: KeyedEnvelope, kept: KeptWork, environment: str
    ) -> None:
        """Everything that `kept` lists in the work `store`, to be sealed with the key of `envelope`."""
        self._store = store
        self._envelope = envelope
        self._kept = kept
        self._environment = environment

    def dates(self) -> list[dt.date]:
        """Dates of which anything is kept, ascending."""
        return self._kept.dates()

    def outdated(self, date: dt.date) -> list[str]:
        """Names of what another key than the current one sealed.

        Raises:
            Tampered: of one of them the key is not known; it could not be opened either.
        """
        found = []
        for name in self._kept.names(date):
            try:
                with self._store.open(name) as sealed:
                    key = self._envelope.sealed_with(sealed)
            except KeyMissing:
                continue  # archived meanwhile
            if key != self._envelope.name:
                found.append(name)
        return found

    def finish(self, date: dt.date) -> None:
        """Remove the wrapped data keys of former KMS keys; whoever calls found nothing outdated."""
        for name in self._kept.data_keys(date):
            if name.rpartition("/")[2] != self._envelope.name:
                self._store.delete(name)

    def reseal(self, name: str) -> None:
        """Seal an object anew, for the same context. Raises Tampered, KeyMissing; then it is as it was."""
        place = store_identity.find(self._store, self._environment)
        if place is None:
            raise Tampered(
                "Re-sealing working data: the object `store_id` of the work store is gone. Restore it from "
                "a copy."
            )
        plain = self._kept.opened(name)
        sealed = io.BytesIO()
        context = self._kept.context(name, place)
        with self._envelope.seal(sealed, context) as sink:
            sink.write(plain)
        data = sealed.getvalue()
        # An object that would not open again must never take the place of one that does.
        with self._envelope.open(io.BytesIO(data), context) as source:
            if source.read() != plain:
                raise Tampered("Re-sealing working data: what was sealed anew opens as something else.")
        self._store.replace(name, data)
