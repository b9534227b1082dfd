"""Judging the sealed objects that the chain names, by size and digest; no private key is needed.

Only the standard library is used, so that an auditor's one-file verifier can be made of it.
"""

from collections.abc import Callable, Sequence

from esg_assets.core.chain import Entry
from esg_assets.core.examination import Fault
from esg_assets.core.publication import StoredObject, expired_keys, named_objects

Found = tuple[int, str] | None
"""Size and SHA-256 of what the store holds under a name; None if it holds nothing."""


def object_faults(
    entries: Sequence[Entry], found_of: Callable[[str], Found], date: str | None = None
) -> list[Fault]:
    """What is wrong with the objects, in the order of the entries that name them.

    Args:
        entries: those that stand.
        found_of: looks at the object of that name.
        date: objects of this report date alone (ISO); None for all.
    """
    expired = expired_keys(entries)
    faults = []
    for entry in entries:
        if date is not None and entry.body.get("date") != date:
            continue
        for what, recorded in named_objects(entry):
            wrong = _wrong(what, recorded, found_of(recorded.key), expired=recorded.key in expired)
            if wrong:
                faults.append(Fault(entry.sequence, wrong, entry.body.get("date"), entry.body.get("version")))
    return faults


def _wrong(what: str, recorded: StoredObject, found: Found, *, expired: bool) -> str:
    if found is None:
        return "" if expired else f"the sealed {what} is missing from the store"
    size, sha256 = found
    if size != recorded.bytes:
        return f"the sealed {what} has {size:,} bytes, not the {recorded.bytes:,} recorded"
    if sha256 != recorded.sha256:
        return f"the sealed {what} was altered or replaced: its digest is not the recorded one"
    return ""
