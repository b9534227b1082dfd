"""A store in Google Cloud Storage, with what looking after it needs (port TendedStore)."""

import requests
from google.api_core.exceptions import Forbidden

from esg_assets.adapters.stores.google_cloud import GoogleObjects
from esg_assets.adapters.stores.google_entry import TIMEOUT, translated
from esg_assets.core.store_care import Leftover, Protection
from esg_assets.core.store_identity import KEY as STORE_ID

_DAY_SECONDS = 86_400


class TendedGoogle(GoogleObjects):
    """Objects in a bucket."""

    def leftovers(self) -> list[Leftover]:
        """None: a resumable upload that nobody finished cannot be listed, and ends by itself in a week."""
        return []

    def remove_leftover(self, leftover: Leftover) -> None:
        """Nothing of this store is one."""
        del leftover
        raise ValueError("no leftover of this store")

    def protection(self) -> Protection:
        """What the bucket's configuration is now, and what it lets anybody do; three calls."""
        bucket = self._entry.bucket
        with translated("Looking at the bucket's protection", ""):
            try:
                bucket.reload(timeout=TIMEOUT)
            except Forbidden:
                return Protection(bucket=True, public=self._open_to_anybody())
            prevented = bucket.iam_configuration.public_access_prevention == "enforced"
            return Protection(
                bucket=True,
                public=False if prevented else self._open_to_anybody(),
                versioned=bool(bucket.versioning_enabled),
                retention=_in_words(bucket.retention_period),
            )

    def _open_to_anybody(self) -> bool | None:
        """Tried without credentials, to list and to read; None if there was no answer."""
        try:
            return self._entry.open_to_anybody(STORE_ID)
        except requests.RequestException:
            return None


def _in_words(seconds: int | None) -> str:
    return f"a retention policy of {int(seconds) // _DAY_SECONDS:,} days" if seconds else ""
