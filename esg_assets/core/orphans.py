"""Which objects of the stores nobody refers to: what a crash left between an object and its entry.

Purely by names. What the chain names is never among them, expired or not; nor is anything whose
kind is not known here.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.store_care import StoredObject

RECORD_FOLDERS = ("reports/", "summaries/", "archive/")
"""Below them an object counts only if an entry names it; `store_id` and `chain/` count by themselves."""

_DATE = re.compile(r"(?:^|/)(\d{4}-\d{2}-\d{2})/")
_WORK_SALT = re.compile(r"handles/salt/\d{4}-\d{2}-\d{2}/([0-9a-f]{64})/\d+")
_WORK_SUMMARY = re.compile(r"handles/summary/\d{4}-\d{2}-\d{2}/([0-9a-f]{32})/\d+")
_DOCTOR = "doctor/"  # what `esg-assets doctor` writes, reads and removes


def named_keys(entries: Iterable[Entry]) -> set[str]:
    """Every object that an entry names, in the records and in the work store."""
    return {key for entry in entries for key in _keys_in(entry.body)}


def records_orphans(objects: Iterable[StoredObject], entries: Sequence[Entry]) -> list[StoredObject]:
    """Objects of the records store that no entry names.

    Args:
        objects: listed before the entries were read, so that no entry can be missing for one.
        entries: the whole verified chain.
    """
    named = named_keys(entries)
    return [each for each in objects if each.key.startswith(RECORD_FOLDERS) and each.key not in named]


def work_orphans(objects: Iterable[StoredObject], entries: Sequence[Entry]) -> list[StoredObject]:
    """Objects of the work store that belong to nothing: handles of what was never published.

    Snapshots and parts are progress, and are kept whether or not their date is published.
    """
    named = named_keys(entries)
    commitments = {
        str(entry.body["commitment"]) for entry in entries if entry.kind in {Kind.PUBLISH, Kind.RESEAL}
    }
    summaries = {key.rsplit("/", 1)[-1].split(".", 1)[0] for key in named if key.startswith("summaries/")}

    def orphaned(key: str) -> bool:
        if salt := _WORK_SALT.fullmatch(key):
            return salt[1] not in commitments
        if summary := _WORK_SUMMARY.fullmatch(key):
            return summary[1] not in summaries
        return key.startswith(_DOCTOR)

    return [each for each in objects if each.key not in named and orphaned(each.key)]


def date_in(name: str) -> dt.date | None:
    """The report's date that an object belongs to, None if it belongs to none."""
    found = _DATE.search(name)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _keys_in(value: Any) -> Iterator[str]:
    """The texts of every field `key` and `keys`, however deep."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "key" and isinstance(inner, str):
                yield inner
            elif name == "keys" and isinstance(inner, list):
                yield from (each for each in inner if isinstance(each, str))
            else:
                yield from _keys_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys_in(inner)
