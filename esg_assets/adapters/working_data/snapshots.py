"""The frozen account snapshots (port Snapshots)."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from esg_assets.adapters.working_data.arrow_streams import read_stream, write_stream
from esg_assets.adapters.working_data.sealed_objects import SealedObjects, Write
from esg_assets.core import canonical_json
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.errors import Refused, Tampered
from esg_assets.core.ports import Context, Envelope, ObjectStore, PartRef
from esg_assets.core.ratings import Metric
from esg_assets.core.sealing import working_context
from esg_assets.core.store_identity import StoreIdentity

_DIGITS = 4
_ROWS_PER_BATCH = 10_000
_HEADER = b"esg_assets.snapshot"
_SCHEMA = 1


class SealedSnapshots:
    """Snapshots as sealed Arrow streams; what is not a column is the stream's metadata, salt included."""

    def __init__(
        self,
        store: ObjectStore,
        envelope: Envelope,
        environment: str,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Snapshots in the work `store`, sealed by `envelope`, of the environment ESG_ENV."""
        self._objects = SealedObjects(store, envelope, environment, random)

    def latest(self, partition: dt.date) -> Snapshot | None:
        """The newest generation, or None if the partition has none. Raises Tampered."""
        numbers = self._objects.numbers(_folder(partition), _DIGITS)
        return self.generation(partition, numbers[-1]) if numbers else None

    def generation(self, partition: dt.date, generation: int) -> Snapshot:
        """That generation. Raises KeyMissing, Tampered."""
        key = snapshot_key(partition, generation)
        sealed = self._objects.read(key)
        data = self._objects.opened(key, sealed, lambda place: _context(place, partition, generation))
        return snapshot_in(data, partition, generation)

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Store a new snapshot as the partition's next generation and return it with its number."""
        partition = snapshot.partition
        numbers = self._objects.numbers(_folder(partition), _DIGITS)
        generation, _ = self._objects.create_next(
            _folder(partition),
            _DIGITS,
            numbers[-1] if numbers else 0,
            lambda place, number: _context(place, partition, number),
            _writer(snapshot),
        )
        return replace(snapshot, generation=generation)

    def ref(self, snapshot: Snapshot) -> PartRef:
        """Name and digest of the sealed object of a saved snapshot. Raises KeyMissing."""
        key = snapshot_key(snapshot.partition, snapshot.generation)
        return PartRef(key=key, sha256=hashlib.sha256(self._objects.read(key)).hexdigest())


def snapshot_in(data: bytes, partition: dt.date, generation: int) -> Snapshot:
    """The snapshot that an opened object holds. Raises Tampered, Refused."""
    table = read_stream(data)
    header = _header(table.schema.metadata or {})
    snapshot = Snapshot(
        partition=dt.date.fromisoformat(header["partition"]),
        generation=generation,
        as_of=dt.date.fromisoformat(header["as_of"]),
        accounts_as_of=header["accounts_as_of"],
        accounts=table.replace_schema_metadata(None).cast(ACCOUNT_SCHEMA),
        metrics=tuple(Metric(**metric) for metric in header["metrics"]),
        mapping=header["mapping"],
        salt=bytes.fromhex(header["salt"]),
    )
    if snapshot.partition != partition or snapshot.commitment != header["commitment"]:
        raise Tampered(f"Reading the snapshot of {partition}: its content is not what was committed to.")
    return snapshot


def snapshot_key(partition: dt.date, generation: int) -> str:
    """Name of that snapshot's object in the work store."""
    return f"{_folder(partition)}{generation:0{_DIGITS}d}"


def _folder(partition: dt.date) -> str:
    return f"snapshots/{partition.isoformat()}/"


def _context(place: StoreIdentity, partition: dt.date, generation: int) -> Context:
    return working_context(place, "snapshot", partition, generation)


def _writer(snapshot: Snapshot) -> Write:
    header = {
        "schema": _SCHEMA,
        "partition": snapshot.partition.isoformat(),
        "as_of": snapshot.as_of.isoformat(),
        "accounts_as_of": snapshot.accounts_as_of,
        "metrics": [{"name": m.name, "unit": m.unit, "better": m.better} for m in snapshot.metrics],
        "mapping": snapshot.mapping,
        "salt": snapshot.salt.hex(),
        "commitment": snapshot.commitment,
    }
    schema = ACCOUNT_SCHEMA.with_metadata({_HEADER: canonical_json.dumps(header)})
    table = snapshot.accounts.cast(ACCOUNT_SCHEMA).replace_schema_metadata(schema.metadata)
    return lambda sink: write_stream(sink, schema, table.to_batches(max_chunksize=_ROWS_PER_BATCH))


def _header(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    header: dict[str, Any] = canonical_json.loads(metadata.get(_HEADER, b"{}"))
    if header.get("schema") != _SCHEMA:
        raise Refused("Reading a snapshot: a later version of this software wrote it. Install that version.")
    return header
