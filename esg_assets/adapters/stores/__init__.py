"""Stores of named bytes: a folder (`local`), S3 (`s3`) and Google Cloud Storage (`google_cloud`).

`open_store` picks one by its URL. What is in the bytes, and who may read them, is not known here.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from esg_assets.adapters.stores.tended_folder import TendedFolder
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.object_keys import is_segment
from esg_assets.core.store_care import AtRest, TendedStore

__all__ = ["is_remote", "open_store"]

_NOTHING_ASKED = AtRest()


def open_store(
    url: str, environ: Mapping[str, str] | None = None, at_rest: AtRest = _NOTHING_ASKED
) -> TendedStore:
    """The store at `url`: a folder's path, `s3://bucket/prefix` or `gs://bucket/prefix`.

    Nothing is touched yet: a folder is made when the first object is written.

    Args:
        url: where it is, as in ESG_STORE_URL.
        environ: where AWS_* variables and STORAGE_EMULATOR_HOST are looked up; None means the process's
            own, where Google's libraries look in any case.
        at_rest: what is asked of a bucket for every object.

    Raises:
        SettingsWrong: the URL names no store.
    """
    if not is_remote(url):
        if "://" in url or not url:
            raise SettingsWrong(_WANTED)
        return TendedFolder(Path(url).expanduser())
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if not parts.hostname or parts.netloc != parts.hostname or parts.query or parts.fragment:
        raise SettingsWrong(_WANTED)
    if prefix and not all(map(is_segment, prefix.split("/"))):
        raise SettingsWrong(_WANTED)
    given = os.environ if environ is None else environ
    # Not needed for a folder, and not free to load.
    if parts.scheme == "s3":
        from esg_assets.adapters.stores.s3_entry import S3Entry  # noqa: PLC0415
        from esg_assets.adapters.stores.tended_s3 import TendedS3  # noqa: PLC0415

        return TendedS3(S3Entry(parts.netloc, prefix, given), at_rest)
    from esg_assets.adapters.stores.google_entry import GoogleEntry  # noqa: PLC0415
    from esg_assets.adapters.stores.tended_google import TendedGoogle  # noqa: PLC0415

    return TendedGoogle(GoogleEntry(parts.netloc, prefix, given), at_rest)


def is_remote(url: str) -> bool:
    """Whether a store's URL leads to another machine."""
    return url.startswith(("s3://", "gs://"))


_WANTED = (
    "A store is a folder's path, s3://bucket/prefix or gs://bucket/prefix, where the prefix has letters, "
    "digits and '._=-' between its '/', and neither credentials nor a query; this URL is none of them."
)
