"""What each sealed object is sealed as: its encryption context, computed by whoever opens it.

The context is not secret and never taken from the object. It always has the same eight fields; one
that means nothing for a kind, or that the reader cannot know before opening, is "-".
"""

from datetime import date

from esg_assets.core.ports import Context
from esg_assets.core.store_identity import StoreIdentity

NONE = "-"


def working_context(
    place: StoreIdentity,
    kind: str,
    partition: date,
    generation: int,
    *,
    part: str = NONE,
    snapshot: str = NONE,
    as_of: str = NONE,
) -> Context:
    """Context of an object in the work store.

    Args:
        place: the work store.
        kind: `snapshot`, `part` or a kind of record.
        partition: the report's date.
        generation: of the snapshot that it is or belongs to, or of the record.
        part: number of the part, or name of the record.
        snapshot: commitment of the snapshot that it belongs to (the snapshot's own is sealed in it).
        as_of: the date asked for.
    """
    return _context(place, kind, partition, "generation", generation, part, snapshot, as_of)


def record_context(
    place: StoreIdentity, kind: str, partition: date, version: int, *, snapshot: str, as_of: date
) -> Context:
    """Context of an object in the records store: `report`, `salt` or `summary` of a version."""
    return _context(place, kind, partition, "version", version, NONE, snapshot, as_of.isoformat())


def _context(
    place: StoreIdentity,
    kind: str,
    partition: date,
    numbered: str,
    number: int,
    part: str,
    snapshot: str,
    as_of: str,
) -> Context:
    return {
        "environment": place.environment,
        "store": place.store,
        "kind": kind,
        "partition": partition.isoformat(),
        numbered: str(number),
        "part": part,
        "snapshot": snapshot,
        "as_of": as_of,
    }
