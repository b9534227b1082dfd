"""The nightly forgetting: in portions, with its counts told, and the chain read only where it must be."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.cli import main as cli
from esg_assets.core.chain import Entry
from esg_assets.core.errors import Tampered
from esg_assets.core.forgetting import Keeping
from esg_assets.core.history import RunRecord
from esg_assets.forgetting import MOST, Forgetting, forget_old_history
from esg_assets_tests.pipeline.house import DAY
from esg_assets_tests.unit.test_forgetting import WHOLE
from esg_assets_tests.unit.test_retention import chain_of, publish, utc

NOW = utc(2040, 1, 1, 9)


class CountedPruning:
    """The port Pruning over numbers: so many rows are old."""

    def __init__(self, runs: int = 0, alerts: int = 0, published: Collection[str] = ()) -> None:
        self.left = {"runs": runs, "alerts": alerts}
        self.published = published
        self.asked: list[tuple[str, datetime]] = []

    def published_before(self, moment: datetime) -> Collection[str]:
        self.asked.append(("published", moment))
        return self.published

    def forget_figures(self, head_sha256: str) -> Mapping[str, int]:
        assert head_sha256 in self.published
        return {"esg_figures": 40, "esg_report_details": 1}

    def forget_runs(self, before: datetime, most: int) -> Mapping[str, int]:
        return self._take("runs", "esg_runs", before, most)

    def forget_alerts(self, before: datetime, most: int) -> Mapping[str, int]:
        return self._take("alerts", "esg_messages", before, most)

    def _take(self, kind: str, table: str, before: datetime, most: int) -> Mapping[str, int]:
        self.asked.append((kind, before))
        taken = min(most, self.left[kind])
        self.left[kind] -= taken
        return {table: taken} if taken else {}


def forgets(pruning: CountedPruning, entries: Sequence[Entry] | Tampered) -> Forgetting:
    def read() -> Sequence[Entry]:
        if isinstance(entries, Tampered):
            raise entries
        return entries

    return Forgetting(pruning, read, Keeping(history_years=10, run_record_days=1100, alert_days=400))


UNREADABLE = Tampered("entry 7 does not verify")


def test_it_goes_on_in_portions_until_nothing_is_old_and_tells_what_went() -> None:
    pruning = CountedPruning(runs=2 * MOST + 1, alerts=3)
    told = [str(each) for each in forgets(pruning, UNREADABLE).run(NOW)]
    assert told == [
        f"records of runs: {2 * MOST + 1:,} of esg_runs",
        "alerts: 3 of esg_messages",
        "figures: nothing is old enough",
    ]
    assert pruning.left == {"runs": 0, "alerts": 0}
    asked = dict(pruning.asked)
    assert asked["runs"] == NOW - timedelta(days=1100)
    assert asked["alerts"] == NOW - timedelta(days=400)


def test_figures_of_expired_reports_go_and_of_others_stay() -> None:
    entries = chain_of(publish(), WHOLE)
    sums = [each.rows for each in forgets(CountedPruning(published={entries[0].sha256}), entries).run(NOW)]
    assert sums[2] == {"esg_figures": 40, "esg_report_details": 1}
    unexpired = chain_of(publish())
    sums = [
        each.rows for each in forgets(CountedPruning(published={unexpired[0].sha256}), unexpired).run(NOW)
    ]
    assert sums[2] == {}


def test_a_chain_that_does_not_verify_lets_no_figures_go() -> None:
    with pytest.raises(Tampered):
        list(forgets(CountedPruning(published={"a" * 64}), UNREADABLE).run(NOW))


def test_the_job_tells_its_counts_and_fails_in_our_words() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done = forget_old_history.execute_in_process(
            resources={"old_history": forgets(CountedPruning(runs=7), [])}, instance=instance
        )
        (handled,) = (event for event in done.all_events if event.event_type_value == "STEP_OUTPUT")
        metadata = handled.step_output_data.metadata
        assert {name: value.value for name, value in metadata.items()} == {"rows": 7, "esg_runs": 7}
        failed = forget_old_history.execute_in_process(
            resources={"old_history": forgets(CountedPruning(published={"a"}), UNREADABLE)},
            instance=instance,
            raise_on_error=False,
        )
        assert not failed.success
        (event,) = (each for each in failed.all_events if each.is_step_failure)
        data = event.step_failure_data.user_failure_data
        assert data is not None
        assert data.description == "entry 7 does not verify"


def test_by_command_it_tells_what_went_and_a_second_time_that_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("ESG_ENV", "test")
    monkeypatch.setenv("ESG_DATABASE_URL", f"sqlite:///{tmp_path}/history.sqlite")
    old = datetime.now(UTC) - timedelta(days=1101)
    history = SqlHistory(f"sqlite:///{tmp_path}/history.sqlite")
    history.record_run(RunRecord("old", DAY, "failed", old, old))
    history.record_run(RunRecord("young", DAY, "failed", old + timedelta(days=2)))
    assert cli.run(["history", "prune", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": {"esg_runs": 1}}
    assert [run.run_id for run in history.runs_of(DAY)] == ["young"]
    assert cli.run(["history", "prune"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "Records of runs: nothing is old enough."
