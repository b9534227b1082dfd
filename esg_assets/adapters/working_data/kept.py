"""Everything that is kept in the work store, by its names: listed, opened one by one, and removed.

For what handles working data as a whole (archiving, new working keys). What single objects mean, the
other modules of this package know; the context of each is computed here from its name, as there.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence

from esg_assets.adapters.working_data.sealed_objects import SealedObjects
from esg_assets.core.errors import KeyMissing, Tampered
from esg_assets.core.ports import Context, Envelope, ObjectStore, Snapshots
from esg_assets.core.sealing import working_context
from esg_assets.core.store_identity import StoreIdentity

_DATE = r"(?P<date>\d{4}-\d\d-\d\d)"
_GENERATION = r"(?P<generation>\d{4})"
_SNAPSHOT = re.compile(rf"snapshots/{_DATE}/{_GENERATION}")
_PART = re.compile(rf"parts/{_DATE}/{_GENERATION}/(?P<number>\d{{8}})")
_HANDLE = re.compile(rf"handles/(?P<kind>[^/]+)/{_DATE}/(?P<name>[^/]+)/{_GENERATION}")
_DATED = re.compile(rf"/{_DATE}/")
_DATA_KEYS = "keys/"
_FOLDERS = ("handles/", _DATA_KEYS, "parts/", "snapshots/")


class KeptWork:
    """The work store's sealed objects as a whole (port `KeptData`)."""

    def __init__(
        self, store: ObjectStore, envelope: Envelope, environment: str, snapshots: Snapshots
    ) -> None:
        """What the work `store` keeps; `snapshots` says what parts belong to."""
        self._store = store
        self._objects = SealedObjects(store, envelope, environment)
        self._snapshots = snapshots
        self._owners: dict[tuple[dt.date, int], tuple[str, dt.date]] = {}

    def dates(self) -> list[dt.date]:
        """Dates of which anything is kept, ascending; what is wrong with one is told by `names`."""
        found = (_DATED.search(name) for folder in _FOLDERS for name in self._store.keys(folder))
        return sorted({_date(each) for each in found if each})

    def names(self, partition: dt.date) -> Sequence[str]:
        """What is kept of a date, in the order in which it may be removed. Raises Tampered.

        Handles first: without its salt nothing can pass for the same content. Parts from the last to
        the first, so that their row has no gap at any moment. Snapshots last: parts belong to them.
        """
        day = partition.isoformat()
        handles = [name for name in self._store.keys("handles/") if f"/{day}/" in name]
        parts = list(self._store.keys(f"parts/{day}/"))
        snapshots = list(self._store.keys(f"snapshots/{day}/"))
        for name in (*handles, *parts, *snapshots):
            _match(name)
        return [*handles, *reversed(parts), *reversed(snapshots)]

    def opened(self, name: str) -> bytes:
        """The plaintext of an object, whole and verified. Raises Tampered, KeyMissing."""
        return self.opened_as(name)[0]

    def opened_as(self, name: str) -> tuple[bytes, str]:
        """Likewise, with the SHA-256 of the ciphertext: whether it is still the object that was sealed."""
        sealed = self._objects.read(name)
        plain = self._objects.opened(name, sealed, lambda place: self.context(name, place))
        return plain, hashlib.sha256(sealed).hexdigest()

    def remove(self, name: str) -> None:
        """Remove an object; no error if it is not there."""
        self._store.delete(name)

    def finish(self, partition: dt.date) -> None:
        """Remove a date's wrapped data keys (of a working key in KMS) when nothing is kept of it."""
        if not self.names(partition):
            for name in self.data_keys(partition):
                self._store.delete(name)

    def data_keys(self, partition: dt.date) -> list[str]:
        """Names of a date's wrapped data keys: `keys/<date>/<name of the KMS key>`."""
        return list(self._store.keys(f"{_DATA_KEYS}{partition.isoformat()}/"))

    def context(self, name: str, place: StoreIdentity) -> Context:
        """What the object of that name is sealed as. Raises Tampered if it is the name of none."""
        found = _match(name)
        partition, generation = _date(found), int(found["generation"])
        if found.re is _SNAPSHOT:
            return working_context(place, "snapshot", partition, generation)
        if found.re is _HANDLE:
            kind = f"handle/{found['kind']}"
            return working_context(place, kind, partition, generation, part=found["name"])
        commitment, as_of = self._owner(partition, generation)
        return working_context(
            place,
            "part",
            partition,
            generation,
            part=str(int(found["number"])),
            snapshot=commitment,
            as_of=as_of.isoformat(),
        )

    def _owner(self, partition: dt.date, generation: int) -> tuple[str, dt.date]:
        """Commitment and as-of date of the snapshot that a part belongs to."""
        if (partition, generation) not in self._owners:
            try:
                snapshot = self._snapshots.generation(partition, generation)
            except KeyMissing:
                raise Tampered(
                    f"Reading the ratings of {partition}: there are parts of snapshot generation "
                    f"{generation}, but that snapshot is gone. Restore it from a copy."
                ) from None
            self._owners[partition, generation] = snapshot.commitment, snapshot.as_of
        return self._owners[partition, generation]


def _match(name: str) -> re.Match[str]:
    for pattern in (_SNAPSHOT, _PART, _HANDLE):
        if found := pattern.fullmatch(name):
            return found
    raise Tampered(
        "Reading working data: among it is an object of another name, which nobody but a stranger writes. "
        "`esg-assets doctor` examines the work store."
    )


def _date(found: re.Match[str]) -> dt.date:
    try:
        return dt.date.fromisoformat(found["date"])
    except ValueError:
        raise Tampered("Reading working data: an object's name holds a date that is none.") from None
