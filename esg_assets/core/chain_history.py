"""What an entry may say after those before it: versions, reseals, holds, expiries and restores.

Each version of a date follows the one before, and a correction is the next one. What is said later of a
version must fit what was published: a reseal has its counts and its commitment; an expiry names objects
of it that still stood, not under hold, and those that count only when its years are over.

After a `restore` entry sequences and versions go on from what stands in the chain: the entries that were
lost do not come back, and the numbers they had are given again.

Only the standard library is used, so that an auditor's one-file verifier can be made of it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind


@dataclass
class _Version:
    """One published version: its entry, and names of its objects."""

    published: Entry
    current: dict[str, frozenset[str]] = field(default_factory=dict)  # by what they are
    named: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        """Remember which objects count after this entry."""
        if entry.kind is Kind.EXPIRE:
            self.expired |= set(entry.body["keys"])
            return
        now = _objects(entry)
        self.current |= now
        self.named |= {key for keys in now.values() for key in keys}

    def counting(self) -> set[str]:
        """Names of the objects that no later entry replaced."""
        return {key for keys in self.current.values() for key in keys}


class ReportsSoFar:
    """The reports as the entries so far tell of them."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, int], _Version] = {}
        self._newest: dict[str, int] = {}
        self._held: set[str] = set()
        self._digests: dict[int, str] = {}

    def take(self, entry: Entry) -> None:
        """Go on from an entry that stands."""
        self._digests[entry.sequence] = entry.sha256
        if entry.kind is Kind.RESTORE:
            return
        date = str(entry.body["date"])
        if entry.kind is Kind.HOLD:
            self._held.add(date)
        elif entry.kind is Kind.RELEASE:
            self._held.discard(date)
        else:
            version = int(entry.body["version"])
            if entry.kind is Kind.PUBLISH:
                self._newest[date] = version
                self._versions[date, version] = _Version(entry)
            if (date, version) in self._versions:
                self._versions[date, version].take(entry)

    def objection(self, entry: Entry, *, whole: bool) -> str:
        """What contradicts the entries before, "" if nothing does.

        Args:
            entry: the next one.
            whole: every entry before it stands; a hole excuses what it may have held.
        """
        if entry.kind is Kind.RESTORE:
            return self._of_restore(entry.body["head"])
        newest = self._newest.get(str(entry.body["date"]), 0)
        if entry.kind is Kind.PUBLISH:
            return _of_version(int(entry.body["version"]), newest, whole=whole)
        if int(entry.body.get("version", 1)) > newest:
            return f"a {entry.kind} entry for a report that was never published" if whole else ""
        if entry.kind in {Kind.HOLD, Kind.RELEASE}:
            return self._of_hold(entry) if whole else ""
        return self._of_published(entry, whole=whole)

    def _of_hold(self, entry: Entry) -> str:
        held = entry.body["date"] in self._held
        if held is not (entry.kind is Kind.HOLD):
            return ""
        return f"a {entry.kind} entry for a date that is under {'hold already' if held else 'no hold'}"

    def _of_published(self, entry: Entry, *, whole: bool) -> str:
        date = str(entry.body["date"])
        version = self._versions.get((date, int(entry.body["version"])))
        if version is None:  # its publication stood in a hole
            return ""
        if entry.kind is Kind.RESEAL:
            return _of_reseal(entry.body, version, whole=whole)
        if entry.kind is Kind.EXPIRE and whole:
            return _of_expiry(entry, version, held=date in self._held)
        if entry.kind is Kind.ARCHIVE and not entry.body["objects"]:
            return "an archive entry that names no object"
        return ""

    def _of_restore(self, lost: Mapping[str, Any]) -> str:
        if not lost["sequence"] or self._digests.get(lost["sequence"]) == lost["sha256"]:
            return "a restore entry although nothing was lost: the chain holds the head that it names"
        return ""


def may_expire_from(published: dt.datetime, retention_years: int) -> dt.date:
    """The first day on which a report that was published then may expire.

    Of a report of 29 February that is 1 March where the year has no such day: later, never earlier.
    """
    day = published.date()
    try:
        return day.replace(year=day.year + retention_years)
    except ValueError:
        return dt.date(day.year + retention_years, 3, 1)


def _of_version(version: int, newest: int, *, whole: bool) -> str:
    if version <= newest:
        return f"version {version} of this date is there already"
    if version > newest + 1 and whole:
        return f"version {version} stands where version {newest + 1} is due"
    return ""


def _of_reseal(body: Mapping[str, Any], version: _Version, *, whole: bool) -> str:
    published = version.published.body
    if any(body[name] != published[name] for name in ("counts", "commitment")):
        return "a reseal entry with other counts or another commitment than what was published"
    if not body["recipients"]:
        return "a reseal entry for no recipient"
    if whole and version.current["report"] & version.expired:
        return "a reseal entry for a report that has expired"
    return ""


def _of_expiry(entry: Entry, version: _Version, *, held: bool) -> str:
    keys, years = set(entry.body["keys"]), int(entry.body["retention_years"])
    if held:
        return "an expire entry for a date under hold"
    if not keys or not keys <= version.named:
        return "an expire entry that does not name objects of its version"
    if keys & version.expired:
        return "an expire entry for an object that expired before"
    earliest = may_expire_from(version.published.recorded_at, years)
    # What a reseal replaced may go at any age: its content stands in others.
    if keys & version.counting() and entry.recorded_at.date() < earliest:
        return f"an expire entry that came too early: kept for {years} years, it may expire on {earliest}"
    return ""


def _objects(entry: Entry) -> dict[str, frozenset[str]]:
    """Names of the objects that an entry puts in place of earlier ones, by what they are."""
    body = entry.body
    if entry.kind is Kind.ARCHIVE:
        return {"archive": frozenset(each["key"] for each in body["objects"])}
    if entry.kind is Kind.SUMMARY:
        return {"summary": frozenset([body["object"]["key"]])}
    found = {"report": frozenset([body["object"]["key"]]), "salt": frozenset([body["salt"]["key"]])}
    if entry.kind is Kind.RESEAL:
        summary = body["summary"]
        found["summary"] = frozenset([] if summary is None else [summary["key"]])
        found["archive"] = frozenset(each["key"] for each in body["archived"])
    return found
