"""The ports of the records: the chain, sealed handles, and whom reports are sealed to.

The ports that the nightly job needs of the outside world are in `esg_assets.core.ports`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from esg_assets.core.accounts import Snapshot
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.examination import Examination, Head
from esg_assets.core.ports import Envelope, ObjectStore, PartRef, Snapshots, Source
from esg_assets.core.publication import Publication
from esg_assets.core.retention import Closed
from esg_assets.core.store_identity import StoreIdentity

MakeBody = Callable[[Sequence[Entry]], Mapping[str, Any]]
"""Makes an entry's body from the entries before it; raises Refused when it must not be written."""


class Chain(Protocol):
    """The one signed chain of the records store. Every read is verified; raises Tampered otherwise."""

    def place(self) -> StoreIdentity:
        """The records store's identity, made now if it has none yet."""

    def append(self, kind: Kind, body: Mapping[str, Any] | MakeBody, *, recorded_at: dt.datetime) -> Entry:
        """Write the next entry; `body` is made again when another writer was first.

        Raises:
            Refused: `body` said so; Tampered; SettingsWrong: there is no key to sign with.
        """

    def entries(self) -> Sequence[Entry]:
        """Every entry, first to last."""

    def head(self) -> Head:
        """The last entry."""

    def publications(self) -> list[Publication]:
        """Every published version in the order of publication."""

    def latest_publication(self, partition: dt.date) -> Publication | None:
        """The newest version of a date, None if it is not published."""

    def examine(self) -> Examination:
        """Read everything anew and judge it; raises for nothing that is wrong with the entries."""


class Handles(Protocol):
    """Small sealed JSON objects in the work store."""

    def put(self, kind: str, name: str, partition: dt.date, value: Mapping[str, Any]) -> None:
        """Keep `value`; a later `put` of the same name replaces it."""

    def get(self, kind: str, name: str, partition: dt.date) -> dict[str, Any] | None:
        """What was put last, None if nothing was (or it is gone with the working window)."""


class KeptData(Protocol):
    """Everything that the work store keeps, by date and name, whatever it is."""

    def dates(self) -> Sequence[dt.date]:
        """Dates of which anything is kept, ascending. Raises Tampered."""

    def names(self, partition: dt.date) -> Sequence[str]:
        """What is kept of a date, in the order in which it may be removed.

        Whatever that is broken off at, the rest is in order: a run goes on with it. Raises Tampered.
        """

    def opened(self, name: str) -> bytes:
        """The plaintext of one of them, whole and verified. Raises Tampered, KeyMissing."""

    def remove(self, name: str) -> None:
        """Remove one; no error if it is not there."""

    def finish(self, partition: dt.date) -> None:
        """Remove what only served to open a date's objects, if none is left."""


class Window(Protocol):
    """The working window: what ends it for a date."""

    def dates(self) -> Sequence[dt.date]:
        """Dates of which the work store keeps anything, ascending."""

    def close(self, date: dt.date) -> Closed:
        """Archive or remove what is kept of a date if its window has ended; whoever calls has its lease.

        Raises:
            Tampered: something does not verify. What is not proved to be archived is still there.
        """


class ReplacingStore(ObjectStore, Protocol):
    """A store in which an object can be exchanged for another one of the same name.

    Only for new working keys: nothing else ever changes an object.
    """

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in its place, in one step and durable on return. Raises KeyMissing."""


class KeyedEnvelope(Envelope, Protocol):
    """Seals with a current key, and opens with that and with former ones."""

    @property
    def name(self) -> str:
        """Name of the current key."""

    def sealed_with(self, source: Source) -> str:
        """Name of the key that a message says it was sealed with; not verified. Raises Tampered."""


class StoredSnapshots(Snapshots, Protocol):
    """Snapshots that can say what they are stored as."""

    def ref(self, snapshot: Snapshot) -> PartRef:
        """Name and digest of the sealed object of a saved snapshot."""


class RecipientsEnvelope(Envelope, Protocol):
    """Seals to the recipients; refuses to open what it sealed."""

    @property
    def recipients(self) -> Sequence[str]:
        """The recipients' fingerprints."""

    def one_time(self) -> Envelope:
        """Seals to the recipients and to a new key kept nowhere else, and opens with that."""


class OpeningEnvelope(Envelope, Protocol):
    """What opens with the key of one recipient."""

    recipient: str
    """Name of that key, as publications name their recipients."""
