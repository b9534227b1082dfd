"""From settings to the two stores: the records and the working data, and what is asked of their buckets.

Part of `esg_assets.composition`, which is the one that others ask. Here too is refused what `prod` does
not keep records in.
"""

import functools
from typing import TYPE_CHECKING

from esg_assets.core.errors import Refused
from esg_assets.core.store_care import AtRest, objections

if TYPE_CHECKING:
    from esg_assets.core.store_care import Protection, TendedStore
    from esg_assets.settings import Settings


def records_store(settings: "Settings") -> "TendedStore":
    """ESG_STORE_URL: what is only ever added to, kept for ESG_RETENTION_YEARS where a bucket can."""
    from esg_assets.adapters.stores import open_store  # noqa: PLC0415 - obstore is slow to import

    at_rest = AtRest(kms_key=_kms_key(settings), retention_years=settings.retention_years)
    return open_store(settings.store_url.get_secret_value(), at_rest=at_rest)


def work_store(settings: "Settings") -> "TendedStore":
    """ESG_WORK_URL: what comes and goes."""
    from esg_assets.adapters.stores import open_store  # noqa: PLC0415 - as above

    return open_store(settings.work_url.get_secret_value(), at_rest=AtRest(kms_key=_kms_key(settings)))


def require_guarded_records(settings: "Settings") -> None:
    """Nothing, unless this is `prod` and the bucket of the records is public or keeps no versions.

    The bucket is asked once in the life of a process.

    Raises:
        Refused: it is; says what to change.
        StoreUnavailable: it does not answer.
    """
    if settings.env != "prod":
        return
    found = objections(_protection(settings.store_url.get_secret_value()))
    if found:
        raise Refused(
            f"Opening the records store: {'; '.join(found)}. ESG_ENV=prod keeps no records there. Nothing "
            "was asked or written."
        )


@functools.lru_cache(maxsize=4)
def _protection(url: str) -> "Protection":
    from esg_assets.adapters.stores import open_store  # noqa: PLC0415 - as above

    return open_store(url).protection()


def _kms_key(settings: "Settings") -> str:
    return settings.store_kms_key or ""
