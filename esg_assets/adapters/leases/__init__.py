"""Leases that the kernel or the database frees when their holder dies (port Leases).

Files serve the processes of one host, PostgreSQL those of many. Nothing here expires by the clock:
a lease that times out under a slow holder is no lease.
"""

from pathlib import Path

from esg_assets.adapters.leases.file_leases import FileLeases
from esg_assets.adapters.leases.postgres_leases import PostgresLeases
from esg_assets.core.ports import Leases

__all__ = ["FileLeases", "PostgresLeases", "open_leases"]


def open_leases(database_url: str, folder: Path) -> Leases:
    """The leases that go with a database: PostgreSQL's own, else files in `folder`.

    Nothing is touched before the first lease is asked for.

    Args:
        database_url: any SQLAlchemy URL, as in ESG_DATABASE_URL.
        folder: on this host; used unless the database is PostgreSQL.
    """
    if database_url.startswith(("postgresql:", "postgresql+", "postgres:")):
        return PostgresLeases(database_url)
    return FileLeases(folder)
