"""A sealed object that is read twice: wholly verified before anything of it is shown, and without a copy.

What must be seen as a whole before it can be told (counts first, then rows) is neither kept in memory nor
written down in between: it is opened again, and every piece held against what was verified.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from esg_assets.core.errors import Tampered
from esg_assets.core.ports import Source

_PIECE = 1 << 20


class TwiceRead:
    """One object in pieces of a mebibyte; 32 bytes of each piece are remembered.

    Args:
        opened: opens it anew; leaving the block without an exception says that it was verified.
        what: what it is, for messages.
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[Source]], what: str) -> None:
        self._opened = opened
        self._what = what
        self._digests: list[bytes] = []
        self._verified = False

    def first(self) -> Iterator[bytes]:
        """Its pieces. Nothing read may be believed before they were read to the end.

        Raises:
            Tampered, KeyMissing: as whoever opens it does.
        """
        self._verified, self._digests = False, []
        with self._opened() as source:
            while piece := source.read(_PIECE):
                self._digests.append(hashlib.sha256(piece).digest())
                yield piece
        self._verified = True

    def again(self) -> Iterator[bytes]:
        """The same pieces, each known to be what was verified.

        Raises:
            Tampered: it is another object now.
        """
        if not self._verified:
            raise ValueError(f"{self._what} was not read to its end before")
        known = iter(self._digests)
        with self._opened() as source:
            while piece := source.read(_PIECE):
                if not hmac.compare_digest(hashlib.sha256(piece).digest(), next(known, b"")):
                    raise self._changed()
                yield piece
        if next(known, None) is not None:
            raise self._changed()

    def _changed(self) -> Tampered:
        return Tampered(
            f"Reading {self._what}: the store holds another object than a moment ago. What was shown was "
            "verified; `esg-assets report verify` tells more."
        )
