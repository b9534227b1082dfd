"""How long things are kept: the working window, holds, retention, and what may be removed when.

Pure functions over the chain's entries and a moment. Who may remove anything is decided by the store's
permissions; here is only when it would be right.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.chain_history import may_expire_from
from esg_assets.core.errors import KeyMissing, Refused
from esg_assets.core.publication import Publication, StoredObject, expired_keys, named_objects, publications


class Outcome(StrEnum):
    """What became of a date's working data."""

    KEPT = "kept"  # within the working window
    ARCHIVED = "archived"  # re-sealed, entered and removed here
    REMOVED = "removed"  # never published and untouched for a whole window
    NOTHING = "nothing"  # there was none


@dataclass(frozen=True)
class Closed:
    """What became of a date's working data, told.

    Attributes:
        date: the report's date.
        outcome: as said.
        version: of the report that it belongs to, None if that was never published.
        objects: how many objects of the work store were archived or removed.
        until: when the window of what is kept ends.
        archived: the object in the records store.
    """

    date: dt.date
    outcome: Outcome
    version: int | None = None
    objects: int = 0
    until: dt.datetime | None = None
    archived: StoredObject | None = None


@dataclass(frozen=True)
class Removal:
    """Objects of one version that may be removed.

    Attributes:
        publication: the version.
        keys: names of its objects that no expire entry names yet, ascending.
    """

    publication: Publication
    keys: tuple[str, ...]


def window_end(published: dt.datetime, working_days: int) -> dt.datetime:
    """When the host's own copy of what was published then is to be re-sealed to the recipients."""
    return published + dt.timedelta(days=working_days)


def held_by(entries: Iterable[Entry], date: dt.date) -> Entry | None:
    """The latest hold on a date that no release came after, None if there is none."""
    standing = None
    for entry in entries:
        if entry.kind in {Kind.HOLD, Kind.RELEASE} and entry.body["date"] == date.isoformat():
            standing = entry if entry.kind is Kind.HOLD else None
    return standing


def to_expire(
    entries: Sequence[Entry], date: dt.date, *, now: dt.datetime, retention_years: int
) -> list[Removal]:
    """What an expiry of the date removes: every object of every version, one `Removal` a version.

    Empty when all of it expired before.

    Raises:
        KeyMissing: the date was never published.
        Refused: it is under hold, or its youngest version is not old enough.
    """
    versions = _versions(entries, date)
    _refuse_held(entries, date, "Expiring")
    youngest = max(versions, key=lambda each: each.recorded_at)
    from_day = may_expire_from(youngest.recorded_at, retention_years)
    if now.date() < from_day:
        raise Refused(
            f"Expiring the report of {date}: version {youngest.version} was published on "
            f"{youngest.recorded_at.date()} and is kept for {retention_years} years (ESG_RETENTION_YEARS), "
            f"so it may expire on {from_day} at the earliest. Nothing was removed."
        )
    return [_removal(entries, each, frozenset()) for each in versions if _left(entries, each, frozenset())]


def superseded(entries: Sequence[Entry], date: dt.date) -> list[Removal]:
    """Objects of a date's re-sealed versions that do not count any more, one `Removal` a version.

    The reseal put their content into others, so the retention does not count here; a hold does.

    Raises:
        KeyMissing: the date was never published.
        Refused: it is under hold.
    """
    versions = _versions(entries, date)
    _refuse_held(entries, date, "Removing superseded objects of")
    found = []
    for each in versions:
        current = frozenset(stored.key for stored in each.objects)
        # An earlier summary of the same version is among them: the report that both were computed from
        # stays, and so does the summary that counts.
        if _resealed(entries, each) and _left(entries, each, current):
            found.append(_removal(entries, each, current))
    return found


def unfinished_keys(entries: Iterable[Entry], date: dt.date) -> list[str]:
    """Names of all objects of a date that are to be gone: a removal that broke off goes on with them."""
    own = (entry for entry in entries if entry.body.get("date") == date.isoformat())
    return sorted(expired_keys(own))


def _versions(entries: Sequence[Entry], date: dt.date) -> list[Publication]:
    versions = [each for each in publications(entries) if each.date == date]
    if not versions:
        raise KeyMissing(f"Looking for the report of {date}: no report is published.")
    return versions


def _refuse_held(entries: Sequence[Entry], date: dt.date, doing: str) -> None:
    hold = held_by(entries, date)
    if hold is not None:
        raise Refused(
            f"{doing} the report of {date}: it is under hold since {hold.recorded_at.date()} (entry "
            f"{hold.sequence}, by {hold.body['requested_by'] or 'nobody named'}: {hold.body['reason']}). "
            "Nothing was removed; `esg-assets report release` ends the hold."
        )


def _resealed(entries: Iterable[Entry], publication: Publication) -> bool:
    return any(entry.kind is Kind.RESEAL and _of(entry, publication) for entry in entries)


def _left(entries: Sequence[Entry], publication: Publication, without: frozenset[str]) -> tuple[str, ...]:
    """Names of the version's objects that are not expired, but for those of `without`."""
    own = [entry for entry in entries if _of(entry, publication)]
    named = {stored.key for entry in own for _, stored in named_objects(entry)}
    return tuple(sorted(named - expired_keys(own) - without))


def _removal(entries: Sequence[Entry], publication: Publication, without: frozenset[str]) -> Removal:
    return Removal(publication, _left(entries, publication, without))


def _of(entry: Entry, publication: Publication) -> bool:
    named = (entry.body.get("date"), entry.body.get("version"))
    return named == (publication.date.isoformat(), publication.version)
