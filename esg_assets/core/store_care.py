"""What looking after a store needs beside putting and getting: leftovers, ages, and its protection.

`TendedStore` is the port; which objects of a store nobody refers to is judged in
`esg_assets.core.orphans`.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from esg_assets.core.ports import ObjectStore


@dataclass(frozen=True)
class AtRest:
    """What is asked of a bucket for each object that is written to it.

    Attributes:
        kms_key: name of the KMS key that the bucket shall encrypt with; "" leaves it to the bucket.
        retention_years: for how long a bucket with object lock shall refuse deletion; 0 asks for none.
    """

    kms_key: str = ""
    retention_years: int = 0


@dataclass(frozen=True)
class StoredObject:
    """An object as a store lists it: its key, its size, and when it was written (with a time zone)."""

    key: str
    bytes: int
    modified_at: dt.datetime


@dataclass(frozen=True)
class Leftover:
    """What a killed writer left behind and `keys` does not show.

    Attributes:
        kind: "open upload" or "temporary file".
        name: of the object that was to be, or of the file; for people and for its date.
        began_at: with a time zone.
        reference: by which the store knows it.
    """

    kind: str
    name: str
    began_at: dt.datetime
    reference: str = field(default="", repr=False)


@dataclass(frozen=True)
class Protection:
    """How a store guards what is in it. None: it does not tell.

    Attributes:
        bucket: False for a folder, whose protection is the host's.
        public: whether somebody without credentials can list or read it.
        versioned: whether what is replaced or deleted is kept.
        retention: for how long deletion is refused, in words; "" for no time at all.
    """

    bucket: bool
    public: bool | None = False
    versioned: bool | None = None
    retention: str | None = None


class TendedStore(ObjectStore, Protocol):
    """A store that can be looked after. Raises StoreUnavailable as its other methods do."""

    def replace(self, key: str, data: bytes) -> None:
        """Put other bytes in place of an object, in one step and durable on return. Raises KeyMissing."""

    def listed(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix`, ascending by key."""

    def leftovers(self) -> list[Leftover]:
        """What killed writers left that `keys` does not show, and what others write at this moment."""

    def remove_leftover(self, leftover: Leftover) -> None:
        """Remove it; no error if it is gone."""

    def protection(self) -> Protection:
        """What the bucket's configuration is now; a handful of calls."""


def objections(protection: Protection) -> list[str]:
    """Why records should not be kept in such a store: each in words, with what to do. [] for none.

    What a bucket does not tell counts as missing.
    """
    if not protection.bucket:
        return []
    found = []
    if protection.public is not False:
        seen = "can be read" if protection.public else "may be readable (it did not answer)"
        found.append(f"the bucket {seen} without credentials: block public access")
    if not protection.versioned:
        unknown = " as far as these credentials may see" if protection.versioned is None else ""
        found.append(f"the bucket keeps no versions{unknown}: switch versioning on")
    return found
