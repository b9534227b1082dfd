"""Stores of named bytes: a folder (`local`), S3 and Google Cloud Storage (`remote`).

`open_store` picks one by its URL. What is in the bytes, and who may read them, is not known here.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.object_keys import is_segment
from esg_assets.core.ports import ObjectStore

__all__ = ["is_remote", "open_store"]


def open_store(url: str, environ: Mapping[str, str] | None = None) -> ObjectStore:
    """The store at `url`: a folder's path, `s3://bucket/prefix` or `gs://bucket/prefix`.

    Nothing is touched yet: a folder is made when the first object is written.

    Args:
        url: where it is, as in ESG_STORE_URL.
        environ: where AWS_* and GOOGLE_* variables are looked up; None means the process's own.

    Raises:
        SettingsWrong: the URL names no store.
    """
    if not is_remote(url):
        if "://" in url or not url:
            raise SettingsWrong(_WANTED)
        return LocalStore(Path(url).expanduser())
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if not parts.hostname or parts.netloc != parts.hostname or parts.query or parts.fragment:
        raise SettingsWrong(_WANTED)
    if prefix and not all(map(is_segment, prefix.split("/"))):
        raise SettingsWrong(_WANTED)
    # Not needed for a folder, and not free to load.
    from esg_assets.adapters.stores.remote import gcs_store, s3_store  # noqa: PLC0415

    make = s3_store if parts.scheme == "s3" else gcs_store
    return make(parts.netloc, prefix, os.environ if environ is None else environ)


def is_remote(url: str) -> bool:
    """Whether a store's URL leads to another machine."""
    return url.startswith(("s3://", "gs://"))


_WANTED = (
    "A store is a folder's path, s3://bucket/prefix or gs://bucket/prefix, where the prefix has letters, "
    "digits and '._=-' between its '/', and neither credentials nor a query; this URL is none of them."
)
