"""Finding what a published report was made from: in this host's work store, or in the archive of its date.

Making the CSV of it again, and comparing, is `esg_assets.core.reproduction`. Everything is read as a
stream and nothing is written. In the command line's service; the pipeline never makes a past report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import pyarrow as pa

from esg_assets.adapters.publications import KeptSalts, PublishedReports, TwiceRead, members
from esg_assets.adapters.working_data import KeptWork, part_in, snapshot_in, snapshot_key
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import KeyMissing
from esg_assets.core.publication import Publication, StoredObject
from esg_assets.core.record_ports import OpeningEnvelope
from esg_assets.lifecycle import LifecycleStores


class Material(Protocol):
    """What a version of a report was made from.

    Attributes:
        place: where it was found: `work` or `archive`.
        snapshot: the accounts.
        sealed_anew: parts whose sealed bytes are others than the entry names, once `parts` was taken to
            its end: `keys rotate` sealed the same content again. None where that cannot be seen.
    """

    place: str
    snapshot: Snapshot
    sealed_anew: int | None

    def parts(self) -> Iterator[pa.Table]:
        """The parts that the entry names and no other, oldest first: rows of OUTCOME_SCHEMA.

        Raises:
            Tampered: one does not open; KeyMissing: one is gone.
        """


class ReproducingStores(LifecycleStores):
    """The sealed stores, with the salts of what this host published."""

    @cached_property
    def salts(self) -> KeptSalts:
        """Salts in the work store."""
        return KeptSalts(self._handles)


def in_work(kept: KeptWork, publication: Publication) -> Material | None:
    """What the work store still has of it, None if its snapshot is not there. Raises Tampered."""
    try:
        data = kept.opened(_snapshot_of(publication))
    except KeyMissing:
        return None
    # After an archive, a later run may have made another snapshot of that name.
    snapshot = _its_snapshot(data, publication)
    return None if snapshot is None else _InWork(kept, publication, snapshot)


def in_archive(
    reports: PublishedReports, publication: Publication, opener: OpeningEnvelope
) -> Material | None:
    """The archive that has it, None if none has; each that is looked into is verified as a whole.

    Raises:
        Tampered: an archive is not what was recorded, or not sealed to that key.
        KeyMissing: the store no longer holds it.
    """
    for owner, stored in _archives(reports, publication):
        what = f"the archive of {owner.date} version {owner.version}"
        archive = TwiceRead(partial(reports.open_stored, owner, "archive", opener, stored), what)
        found = dict(members(archive.first(), {_snapshot_of(publication)}))
        for data in found.values():
            if (snapshot := _its_snapshot(data, publication)) is not None:
                return _InArchive(archive, publication, snapshot)
    return None


def archived(reports: PublishedReports, publication: Publication) -> bool:
    """Whether there is an archive that could have it."""
    return bool(_archives(reports, publication))


@dataclass
class _InWork:
    kept: KeptWork
    publication: Publication
    snapshot: Snapshot
    sealed_anew: int | None = 0
    place: str = "work"

    def parts(self) -> Iterator[pa.Table]:
        self.sealed_anew = 0
        for ref in self.publication.parts:
            try:
                data, sha256 = self.kept.opened_as(ref.key)
            except KeyMissing:
                raise _part_is_gone(self.publication, "the work store") from None
            self.sealed_anew += sha256 != ref.sha256
            yield part_in(data)


@dataclass
class _InArchive:
    archive: TwiceRead
    publication: Publication
    snapshot: Snapshot
    sealed_anew: int | None = None
    place: str = "archive"

    def parts(self) -> Iterator[pa.Table]:
        # Parts stand in the archive in the order of the entry: by generation and number.
        wanted = [ref.key for ref in self.publication.parts]
        found = []
        for name, data in members(self.archive.again(), frozenset(wanted)):
            found.append(name)
            yield part_in(data)
        if found != wanted:
            raise _part_is_gone(self.publication, "its archive")


def _archives(
    reports: PublishedReports, publication: Publication
) -> Sequence[tuple[Publication, StoredObject]]:
    """Those of this version and later ones, oldest first: a window ends with the latest version."""
    versions = [
        each
        for each in reports.list()
        if each.date == publication.date and each.version >= publication.version and not each.expired
    ]
    versions.sort(key=lambda each: each.version)
    return [(each, stored) for each in versions for stored in each.archived]


def _snapshot_of(publication: Publication) -> str:
    return snapshot_key(publication.date, publication.snapshot_generation)


def _its_snapshot(data: bytes, publication: Publication) -> Snapshot | None:
    """The snapshot in `data` if it is the one that the entry commits to."""
    found = snapshot_in(data, publication.date, publication.snapshot_generation)
    return found if found.commitment == publication.snapshot_commitment else None


def _part_is_gone(publication: Publication, place: str) -> KeyMissing:
    return KeyMissing(
        f"Making the report of {publication.date} version {publication.version} again: not all of the "
        f"{len(publication.parts):,} parts that its entry names are in {place}. Restore it from a copy."
    )
