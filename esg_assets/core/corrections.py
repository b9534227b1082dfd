"""Why a published date has a next version where nobody said why: what the pipeline itself did, in counts.

Stands in the chain in the clear for ever, like every reason; what people type is `esg_assets.core.reasons`.
"""

import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core import outcomes
from esg_assets.core.accounts import Snapshot
from esg_assets.core.gathering import WITHOUT_RAW
from esg_assets.core.ports import RatingsParts
from esg_assets.core.publication import Publication
from esg_assets.core.ratings import Status
from esg_assets.core.sealed_ratings import Ratings

NOBODY = "nobody said"
"""Who asks for a version after the first, where nobody said who."""

BEGIN = "no reason was given"
"""The first words of a reason that is ours: no person wrote it."""

_ROWS = 10_000  # compared at a time: rows as Python objects are large
_CONTENT = [name for name in WITHOUT_RAW if name not in {"attempts", "last_status", "etag"}]
"""What of an outcome the report shows."""


def what_was_done(published: Publication, snapshot: Snapshot, ratings: Ratings, parts: RatingsParts) -> str:
    """What differs between a published version and the one to be made, with counts and nothing else.

    Args:
        published: the date's latest version.
        snapshot: what the next one is about.
        ratings: likewise.
        parts: where the answers of both are.

    Raises:
        Tampered: a part of the published version is not what was sealed.
    """
    told = [BEGIN]
    if snapshot.commitment != published.snapshot_commitment:
        told.append(f"new snapshot of the accounts: {snapshot.count:,}, before {published.rows:,}")
    known = {part.key for part in published.parts}
    before = [part.key for part in ratings.parts if part.key in known]
    since = [part.key for part in ratings.parts if part.key not in known]
    if not before:
        told.append(f"asked for anew under another mapping or other metrics: {snapshot.count:,}")
    elif since:
        told.append(_answers(snapshot, parts, before, since))
    if len(told) == 1:
        told.append("written anew from the same accounts and answers")
    return "; ".join(told)


def _answers(snapshot: Snapshot, parts: RatingsParts, before: list[str], since: list[str]) -> str:
    def of(keys: list[str]) -> pa.Table:
        given = parts.read(snapshot, WITHOUT_RAW, only=frozenset(keys))
        return outcomes.latest(snapshot.accounts.column("account_id"), given)

    old, new = of(before), of(since)
    answered = pc.is_valid(new.column("status"))
    old, new = old.filter(answered), new.filter(answered)
    failed = pc.sum(pc.equal(old.column("status"), Status.FAILED.value)).as_py() or 0
    return (
        f"answers since then: {new.num_rows:,}, of accounts that had failed: {failed:,}; "
        f"outcomes changed: {_changed(old, new):,}"
    )


def _changed(old: pa.Table, new: pa.Table) -> int:
    """How many rows differ in what the report shows; an account without an outcome before is not counted."""
    changed = 0
    for start in range(0, new.num_rows, _ROWS):
        pairs = zip(
            *(each.select(_CONTENT).slice(start, _ROWS).to_pylist() for each in (old, new)), strict=True
        )
        changed += sum(before["status"] is not None and before != after for before, after in pairs)
    return changed
