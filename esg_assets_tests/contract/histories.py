"""A publication for histories to remember, and how a test opens one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from esg_assets.core.history import PublishedReport
from esg_assets.core.ports import History
from esg_assets.core.ratings import Status

NOW = datetime(2026, 1, 15, 12, 30, 0, 123456, tzinfo=UTC)
DAY = date(2026, 1, 15)
FIGURES = {"accounts": 100, "overall_score.mean": 52.3, "letter.AAA": None, "focus.social": 0}
PUBLISHED = PublishedReport(
    report_date=DAY,
    version=1,
    sequence=5,
    head_sha256="5" * 64,
    run_id="0f3c2a1e-9d7b-4f0e-8f57-1c1d4c5e6f70",
    counts={Status.SUCCESS: 90, Status.NOT_RATED: 7, Status.FAILED: 3},
    as_of=date(2026, 1, 14),
    accounts_as_of="2026-01-14",
    requested_by="jané",
    reason="first 'of' its kind; 100 %",
)
Opener = Callable[[Callable[[], datetime]], History]
"""Opens a history that records by a clock."""


def publication(day: date, version: int, sequence: int) -> PublishedReport:
    digest = f"{sequence:064x}"
    return replace(PUBLISHED, report_date=day, version=version, sequence=sequence, head_sha256=digest)
