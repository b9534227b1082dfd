"""Snapshots, ratings in work and small handles: sealed, in the work store, keyed by partition.

Names, each created once and never replaced, so that two writers never overwrite each other:

    snapshots/<date>/<4-digit generation>
    parts/<date>/<4-digit generation>/<8-digit number>
    handles/<kind>/<date>/<name>/<4-digit generation>

Snapshots and parts are Arrow IPC streams (zstd), handles are JSON; all are sealed by the envelope
that is handed in. Constructing any of them touches nothing. What a publication is, they don't know.
"""

from esg_assets.adapters.working_data.handles import SealedRecords
from esg_assets.adapters.working_data.kept import KeptWork
from esg_assets.adapters.working_data.parts import SealedParts, part_in
from esg_assets.adapters.working_data.ratings_handles import SealedRatingsHandles
from esg_assets.adapters.working_data.rekeying import Rekeying
from esg_assets.adapters.working_data.snapshots import SealedSnapshots, snapshot_in, snapshot_key

__all__ = [
    "KeptWork",
    "Rekeying",
    "SealedParts",
    "SealedRatingsHandles",
    "SealedRecords",
    "SealedSnapshots",
    "part_in",
    "snapshot_in",
    "snapshot_key",
]
