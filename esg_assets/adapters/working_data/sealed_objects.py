"""Sealed objects under numbered names: what snapshots, parts and handles have in common."""

import hashlib
import io
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from esg_assets.core import store_identity
from esg_assets.core.errors import KeyExists, StoreUnavailable, Tampered
from esg_assets.core.ports import Context, Envelope, ObjectStore, Sink
from esg_assets.core.store_identity import StoreIdentity

Write = Callable[[Sink], object]
"""Writes the plaintext."""

_TRIES = 1_000
_READERS = 8
_AHEAD = 16


class SealedObjects:
    """Objects of one work store, sealed in memory and created whole."""

    def __init__(
        self,
        store: ObjectStore,
        envelope: Envelope,
        environment: str,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._envelope = envelope
        self._environment = environment
        self._random = random
        self._place: StoreIdentity | None = None

    def create_next(
        self,
        folder: str,
        digits: int,
        known: int,
        context: Callable[[StoreIdentity, int], Context],
        write: Write,
    ) -> tuple[int, str]:
        """Seal an object under the first free number after `known`.

        A number is tried only when every one before it is taken, so the row has no gap, whatever
        fails and however many write.

        Returns:
            The number, and the SHA-256 of the ciphertext.
        """
        place = self.place(make=True)
        for number in range(known + 1, known + 1 + _TRIES):
            sealed = io.BytesIO()
            with self._envelope.seal(sealed, context(place, number)) as sink:
                write(sink)
            data = sealed.getvalue()
            try:
                self._store.create(f"{folder}{number:0{digits}d}", data)
            except KeyExists:
                continue
            return number, hashlib.sha256(data).hexdigest()
        raise StoreUnavailable(f"Writing working data: {_TRIES} numbers in a row were taken meanwhile.")

    def opened(self, key: str, sealed: bytes, context: Callable[[StoreIdentity], Context]) -> bytes:
        """The plaintext of the object of that name, whole and verified. Raises Tampered."""
        place = self.place(make=False)
        try:
            with self._envelope.open(io.BytesIO(sealed), context(place)) as source:
                return source.read()
        except Tampered:
            raise Tampered(_does_not_open(key)) from None

    def read(self, key: str) -> bytes:
        """The ciphertext of an object. Raises KeyMissing."""
        return self._store.read(key)

    def read_ahead(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Ciphertext of many objects in the given order, some of them fetched in advance."""
        waiting: deque[tuple[str, Future[bytes]]] = deque()
        with ThreadPoolExecutor(_READERS) as readers:
            for key in keys:
                waiting.append((key, readers.submit(self._store.read, key)))
                if len(waiting) == _AHEAD:
                    first, data = waiting.popleft()
                    yield first, data.result()
            for first, data in waiting:
                yield first, data.result()

    def numbers(self, folder: str, digits: int) -> list[int]:
        """Numbers of the objects right below `folder`, ascending.

        Raises:
            Tampered: something else is there.
        """
        return [number_in(key.removeprefix(folder), digits) for key in self._store.keys(folder)]

    def keys(self, folder: str) -> list[str]:
        """Names below `folder`, ascending."""
        return list(self._store.keys(folder))

    def place(self, *, make: bool) -> StoreIdentity:
        """The work store's identity; `make` it if it has none yet."""
        if self._place is None:
            if make:
                self._place = store_identity.ensure(self._store, self._environment, self._random)
            else:
                self._place = store_identity.find(self._store, self._environment)
        if self._place is None:
            raise Tampered(
                "Reading working data: the object `store_id` of the work store is gone. Restore it from a "
                "copy, or run the date again with --refresh-snapshot in an empty work store."
            )
        return self._place


def _does_not_open(key: str) -> str:
    """What became of an object, and what gets its date going again: working data can be made anew."""
    kind, _, rest = key.partition("/")
    day = rest.partition("/")[0]
    # Parts belong to a snapshot, and do not open without it.
    again = {
        "parts": f"remove the folder parts/{day}/ there",
        "snapshots": f"remove the folders snapshots/{day}/ and parts/{day}/ there",
    }.get(kind, f"remove the folder {key.rpartition('/')[0]}/ there")
    return (
        f"A sealed object does not open: {key} of the work store was altered, cut off, moved from another "
        "place, or sealed with another key. If `esg-assets doctor` finds ESG_WORKING_KEY to be the right "
        f"one, restore the work store from a copy; or {again} and run the date again, which asks for what "
        "is missing then."
    )


def number_in(name: str, digits: int) -> int:
    """The number that a name of exactly that many digits is. Raises Tampered."""
    if len(name) != digits or not (name.isascii() and name.isdigit()) or int(name) == 0:
        raise Tampered(
            "Reading working data: among the numbered objects is one of another name, which nobody but a "
            "stranger writes. `esg-assets doctor` examines the work store."
        )
    return int(name)
