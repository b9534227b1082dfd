"""How long the queries of people take on ten years of days and 1,000 backfilled dates: told, not judged."""

import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.core.trend_figures import NAMES
from esg_assets_tests import long_history
from esg_assets_tests.long_history import DAYS, FIRST, RECORDED

LAST = FIRST + timedelta(days=DAYS - 1)
ASKED: dict[str, Callable[[SqlHistory], object]] = {
    "trends of everything": lambda history: history.trend(NAMES, date.min),
    "trends of a year": lambda history: history.trend(NAMES, LAST - timedelta(days=365)),
    "trends of 30 days": lambda history: history.trend(NAMES, LAST - timedelta(days=30)),
    "the newest version": lambda history: history.latest(LAST),
    "what was said then": lambda history: history.said_at(LAST, RECORDED + timedelta(days=DAYS)),
}


@pytest.mark.proof
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_ten_years_answer(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_database_url")
    rows = long_history.fill(url)
    history = SqlHistory(url)
    assert len(history.trend(NAMES, date.min)) == DAYS
    said = history.said_at(LAST, RECORDED + timedelta(days=DAYS))
    assert said is not None
    assert said.past.published.version == 1
    told = [f"{database}: {rows:,} rows"]
    for name, ask in ASKED.items():
        times = [_milliseconds(ask, history) for _ in range(9)]
        told.append(f"  {name}: median {statistics.median(times):.0f} ms, least {min(times):.0f} ms")
    with capsys.disabled():
        print("", *told, sep="\n")  # noqa: T201  # its purpose; no clock is asserted on


def _milliseconds(ask: Callable[[SqlHistory], object], history: SqlHistory) -> float:
    begun = time.perf_counter()
    ask(history)
    return (time.perf_counter() - begun) * 1000
