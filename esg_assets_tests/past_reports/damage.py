"""What may have become of stored reports: a flipped bit, the end of their retention."""

import datetime as dt
from pathlib import Path

from esg_assets.adapters.publications import Expiry
from esg_assets.adapters.stores.local import LocalStore
from esg_assets_tests.past_reports.nights import (
    lifecycle,
)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def report_file(home: Path, day: dt.date, version: int) -> Path:
    return home / "store" / lifecycle().published.version(day, version).report.key


def expire(home: Path, day: dt.date) -> None:
    century = dt.datetime.now(dt.UTC) + dt.timedelta(days=40_000)
    chain = lifecycle().remembered_chain
    expiry = Expiry(LocalStore(home / "store"), chain, retention_years=6, now=lambda: century)
    expiry.expire(day, requested_by="test", reason="retention ended")
