"""The handles of ratings among the sealed records of the work store."""

from datetime import date

from esg_assets.core.record_ports import Handles
from esg_assets.core.sealed_ratings import SealedRatings

_KIND = "ratings"
_NAME = "handle"


class SealedRatingsHandles:
    """The port `SealedRatingsStore`.

    Args:
        handles: sealed JSON in the work store.
    """

    def __init__(self, handles: Handles) -> None:
        self._handles = handles

    def get(self, partition: date) -> SealedRatings | None:
        """The newest handle of a partition, None if there is none. Raises Tampered."""
        document = self._handles.get(_KIND, _NAME, partition)
        return None if document is None else SealedRatings.of_json(document)

    def put(self, sealed: SealedRatings) -> None:
        """Keep a handle as the newest of its partition."""
        self._handles.put(_KIND, _NAME, sealed.partition, sealed.as_json())
