"""A working key in KMS: it wraps one data key for each report date, and KMS is asked for that alone.

    keys/<date>/<name of the KMS key>

in the work store is a message, sealed by the KMS key, of 32 random bytes. These seal the working data
of that date, so that a night costs a call or two and not one for each part. Who removes this object
has made the working data of the date unreadable.
"""

import io
import secrets
import threading

from esg_assets.adapters.envelope.keyrings import Keyring, aes_keyring, kms_keyring
from esg_assets.adapters.envelope.kms_keys import KmsKey, failures_of
from esg_assets.adapters.envelope.messages import WORKING_SUITE, open_sealed, seal
from esg_assets.core.errors import KeyExists, KeyMissing, Refused, Tampered
from esg_assets.core.ports import Context, ObjectStore

DATA_KEY_KIND = "data-key"
_DATA_KEY_BYTES = 32


class KmsWorkingKey:
    """A working key that never leaves KMS, with its wrapped data keys in the work store.

    Args:
        key: the symmetric KMS key; kms:GenerateDataKey and kms:Decrypt are asked of it.
        store: the work store.
    """

    def __init__(self, key: KmsKey, store: ObjectStore) -> None:
        self._key = key
        self._store = store
        self._lock = threading.Lock()
        self._keyrings: dict[str, Keyring] = {}

    @property
    def name(self) -> str:
        """SHA-256 of the key's ARN, as messages name it."""
        return self._key.name

    def keyring(self, context: Context, *, make: bool) -> Keyring:
        """What wraps and unwraps messages of the context's partition; KMS is asked once for each.

        Raises:
            Tampered: the wrapped data key is gone, or does not open.
            Refused, Unavailable: KMS said no, or nothing.
        """
        partition = context.get("partition", "")
        if not partition or "/" in partition:
            raise Refused("Sealing working data: its context names no partition.")
        with self._lock:  # several threads seal; one of them asks
            if partition not in self._keyrings:
                self._keyrings[partition] = aes_keyring(
                    self._data_key(partition, context, make=make), self._key.name
                )
            return self._keyrings[partition]

    def _data_key(self, partition: str, context: Context, *, make: bool) -> bytes:
        place, own = f"keys/{partition}/{self._key.name}", _own_context(context, self._key.name)
        try:
            return self._opened(self._store.read(place), own)
        except KeyMissing:
            if not make:
                raise Tampered(
                    f"Opening working data of {partition}: its data key is gone from the work store (folder "
                    f"keys/{partition}/). Restore it from a copy, or run the date again with "
                    "--refresh-snapshot in an empty work store."
                ) from None
        made, sealed = secrets.token_bytes(_DATA_KEY_BYTES), io.BytesIO()
        asked, keyring = failures_of([self._key]), kms_keyring(self._key.arn, self._key.client)
        with seal(keyring, WORKING_SUITE, sealed, own, asked) as sink:
            sink.write(made)
        try:
            self._store.create(place, sealed.getvalue())
        except KeyExists:  # another process was first, and may have sealed with its own already
            return self._opened(self._store.read(place), own)
        return made

    def _opened(self, sealed: bytes, own: Context) -> bytes:
        asked, keyring = failures_of([self._key]), kms_keyring(self._key.arn, self._key.client)
        with open_sealed(keyring, WORKING_SUITE, io.BytesIO(sealed), own, asked) as source:
            return source.read()


def _own_context(context: Context, name: str) -> Context:
    """The data key's own context: of the same place and date as what it seals."""
    own = dict.fromkeys(context, "-")
    kept = {field: context[field] for field in ("environment", "store", "partition") if field in context}
    return {**own, **kept, "kind": DATA_KEY_KIND, "part": name}
