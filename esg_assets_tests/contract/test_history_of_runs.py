"""What every history promises (port History) of runs and of the chain's head."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from esg_assets.core.errors import Tampered
from esg_assets.core.history import ChainHead, RunRecord, RunTotals
from esg_assets.core.ports import History
from esg_assets_tests.contract.histories import DAY, NOW


def test_the_newest_head_is_remembered_whoever_comes_last(history: History) -> None:
    history.remember_head(ChainHead(2, "b" * 64))
    history.remember_head(ChainHead(1, "a" * 64))
    history.remember_head(ChainHead(2, "b" * 64))
    assert history.head() == ChainHead(2, "b" * 64)
    history.remember_head(ChainHead(10**12, "c" * 64))
    assert history.head() == ChainHead(10**12, "c" * 64)


def test_another_entry_of_the_same_sequence_is_tampering(history: History) -> None:
    history.remember_head(ChainHead(2, "b" * 64))
    with pytest.raises(Tampered, match="entry 2 is not the one that was seen before"):
        history.remember_head(ChainHead(2, "d" * 64))
    assert history.head() == ChainHead(2, "b" * 64)


def test_after_a_restore_the_head_may_go_back_once(history: History) -> None:
    history.remember_head(ChainHead(9, "9" * 64))
    history.remember_head(ChainHead(4, "4" * 64), restored=True)
    assert history.head() == ChainHead(4, "4" * 64)
    history.remember_head(ChainHead(3, "3" * 64))
    assert history.head() == ChainHead(4, "4" * 64)
    history.remember_head(ChainHead(5, "5" * 64))
    assert history.head() == ChainHead(5, "5" * 64)


def run_record(run_id: str, status: str, hours: int) -> RunRecord:
    """A run that started so many hours after NOW."""
    started = NOW + timedelta(hours=hours)
    return RunRecord(
        run_id=run_id,
        report_date=DAY,
        status=status,
        started_at=started,
        ended_at=started + timedelta(minutes=5, microseconds=1),
        calls=1000,
        retries=20,
        refusals=3,
        seconds=250.25,
        requested_by="jané",
        version=2 if status == "published" else None,
        figures={"p99_seconds": 0.8, "accounts": 900, "python": "3.11.7"},
    )


def test_runs_are_given_back_as_they_were_recorded_oldest_start_first(history: History) -> None:
    late, early = run_record("late", "published", 4), run_record("early", "failed", 1)
    unseen = replace(run_record("unseen", "failed", 2), ended_at=None, figures={}, requested_by="")
    for run in (late, early, unseen, run_record("before", "stopped", -1)):
        history.record_run(run)
    assert history.runs_since(NOW) == [early, unseen, late]
    assert history.runs_since(NOW + timedelta(hours=4)) == [late]
    assert history.runs_since((NOW + timedelta(hours=4)).astimezone(timezone(timedelta(hours=-6)))) == [late]
    assert history.runs_since(NOW + timedelta(hours=5)) == []
    assert history.runs_of(DAY) == [run_record("before", "stopped", -1), early, unseen, late]
    assert history.runs_of(DAY - timedelta(days=1)) == []


def test_totals_are_those_of_every_recorded_run(history: History) -> None:
    assert history.run_totals() == RunTotals()
    for number, status in enumerate(["published", "failed", "published", "stopped"]):
        history.record_run(run_record(f"run {number}", status, number))
        history.record_run(run_record(f"run {number}", status, number))  # once more counts for nothing
    assert history.run_totals() == RunTotals(
        runs={"published": 2, "failed": 1, "stopped": 1}, calls=4000, retries=80, refusals=12, seconds=1001.0
    )
