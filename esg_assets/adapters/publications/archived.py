"""Members of an archive, as it streams by: the other side of `esg_assets.adapters.publications.archiving`."""

import io
import tarfile
from collections.abc import Collection, Iterable, Iterator

from esg_assets.core.errors import Tampered


def members(pieces: Iterable[bytes], wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of those that are wanted, in the archive's order, one of them in memory at a time.

    Args:
        pieces: the opened archive; taken to its end, so that whoever opened it can verify it.
        wanted: names in the work store.

    Raises:
        Tampered: it is no archive.
    """
    stream = iter(pieces)
    try:
        with tarfile.open(mode="r|", fileobj=_File(stream)) as tar:
            for member in tar:
                if member.name in wanted and (file := tar.extractfile(member)) is not None:
                    yield member.name, file.read()
    except tarfile.TarError:
        raise Tampered(
            "Reading an archive of working data: it is no archive of ours. `esg-assets report verify` tells "
            "more."
        ) from None
    for _ in stream:  # what tar fills its last block with
        pass


class _File(io.RawIOBase):
    """Pieces as the file object that tarfile reads."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken, left = [], size
        while left > 0:
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
                if not self._rest:
                    break
            taken.append(self._rest[:left])
            left -= len(taken[-1])
            self._rest = self._rest[len(taken[-1]) :]
        return b"".join(taken)
