"""Small sealed JSON objects: what assets hand on, and what the publisher must know again."""

import datetime as dt
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from esg_assets.adapters.working_data.sealed_objects import SealedObjects
from esg_assets.core.ports import Context, Envelope, ObjectStore
from esg_assets.core.sealing import working_context
from esg_assets.core.store_identity import StoreIdentity

_DIGITS = 4


class SealedRecords:
    """Sealed JSON by kind, partition and name (port `Handles`)."""

    def __init__(
        self,
        store: ObjectStore,
        envelope: Envelope,
        environment: str,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Records in the work `store`, sealed by `envelope`, of the environment ESG_ENV."""
        self._objects = SealedObjects(store, envelope, environment, random)

    def put(self, kind: str, name: str, partition: dt.date, value: Mapping[str, Any]) -> None:
        """Keep `value`; durable on return. A later `put` of the same name replaces it.

        Args:
            kind: what it is, such as `salt`; one segment of a key.
            name: which one, one segment of a key; never made of an account's data.
            partition: the report's date.
            value: a JSON object.
        """
        folder = _folder(kind, name, partition)
        text = json.dumps(value, allow_nan=False, sort_keys=True).encode()
        numbers = self._objects.numbers(folder, _DIGITS)
        self._objects.create_next(
            folder,
            _DIGITS,
            numbers[-1] if numbers else 0,
            lambda place, number: _context(place, kind, name, partition, number),
            lambda sink: sink.write(text),
        )

    def get(self, kind: str, name: str, partition: dt.date) -> dict[str, Any] | None:
        """What was put last, None if nothing was (or it went with the working window). Raises Tampered."""
        folder = _folder(kind, name, partition)
        numbers = self._objects.numbers(folder, _DIGITS)
        if not numbers:
            return None
        key = f"{folder}{numbers[-1]:0{_DIGITS}d}"
        sealed = self._objects.read(key)
        data = self._objects.opened(
            key, sealed, lambda place: _context(place, kind, name, partition, numbers[-1])
        )
        value: dict[str, Any] = json.loads(data)
        return value


def _folder(kind: str, name: str, partition: dt.date) -> str:
    return f"handles/{kind}/{partition.isoformat()}/{name}/"


def _context(place: StoreIdentity, kind: str, name: str, partition: dt.date, generation: int) -> Context:
    return working_context(place, f"handle/{kind}", partition, generation, part=name)
