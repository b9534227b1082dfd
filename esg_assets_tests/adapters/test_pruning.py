"""What the history forgets, on both databases: what is old enough, in short transactions, and entered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from esg_assets.adapters.database import models
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.adapters.database.opening import open_database
from esg_assets.adapters.database.outbox import SqlOutbox
from esg_assets.adapters.database.pruning import SqlPruning
from esg_assets.core.alerts.incidents import State
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.history import PublishedReport, RunRecord, RunTotals
from esg_assets.core.ratings import Status
from esg_assets_tests.contract.outbox_steps import EVERYWHERE, FAILED, NOW, WELL, claim, deliver_all, later

DAY = date(2026, 1, 15)
BEGUN = datetime(2026, 1, 15, 11, tzinfo=UTC)
PUBLISHED = PublishedReport(DAY, 1, 5, "5" * 64, "run", dict.fromkeys(Status, 1), DAY, "2026-01-15")
CORRECTED = replace(PUBLISHED, version=2, sequence=6, head_sha256="6" * 64)
RUN = RunRecord("run 0", DAY, "published", BEGUN, BEGUN, 7, 2, 1, 0.5)
FIGURES = {"accounts": 3.0, "letter.AAA": None}


def pruning(url: str) -> SqlPruning:
    return SqlPruning(url, "test", lambda: later(0))


def entered(url: str) -> list[tuple[str, object]]:
    """What esg_prunings says."""
    query = sa.select(models.PRUNINGS.c.what, models.PRUNINGS.c.counts).order_by(models.PRUNINGS.c.id)
    with open_database(url).connect() as connection:
        return [(row.what, row.counts) for row in connection.execute(query)]


def test_figures_of_one_version_go_and_everything_else_of_the_date_stays(url: str) -> None:
    history, forgets = SqlHistory(url, lambda: BEGUN), pruning(url)
    for each in (PUBLISHED, CORRECTED):
        history.record_publication(each, FIGURES)
        history.record_details(each, {"checks": []})
    both = {PUBLISHED.head_sha256, CORRECTED.head_sha256}
    assert set(forgets.published_before(BEGUN + timedelta(seconds=1))) == both
    assert not forgets.published_before(BEGUN)
    assert forgets.forget_figures(PUBLISHED.head_sha256) == {"esg_figures": 2, "esg_report_details": 1}
    first, second = history.versions(DAY)
    assert (first.published, first.figures, history.details(PUBLISHED)) == (PUBLISHED, {}, None)
    assert (second.published, second.figures, history.details(CORRECTED)) == (
        CORRECTED,
        FIGURES,
        {"checks": []},
    )
    assert set(forgets.published_before(BEGUN + timedelta(seconds=1))) == {CORRECTED.head_sha256}
    assert forgets.forget_figures(PUBLISHED.head_sha256) == {}
    assert entered(url) == [("figures", {"esg_figures": 2, "esg_report_details": 1})]
    said = history.said_at(DAY, BEGUN)
    assert said is not None
    assert said.forgotten_at is None  # it is the second version's, which was not forgotten
    forgets.forget_figures(CORRECTED.head_sha256)
    said = history.said_at(DAY, BEGUN)
    assert said is not None
    assert said.forgotten_at == later(0)


def test_old_records_of_runs_go_a_few_at_a_time_and_the_totals_stay(url: str) -> None:
    history, forgets = SqlHistory(url), pruning(url)
    runs = [replace(RUN, run_id=f"run {n}", started_at=BEGUN + timedelta(days=n)) for n in range(5)]
    runs[1] = replace(runs[1], status="failed")
    for run in runs:
        history.record_run(run)
    before = history.run_totals()
    assert before == RunTotals({"published": 4, "failed": 1}, 35, 10, 5, 2.5)
    cut = BEGUN + timedelta(days=3)
    done = [forgets.forget_runs(cut, 2) for _ in range(3)]
    assert done == [{"esg_runs": 2}, {"esg_runs": 1}, {}]
    assert history.runs_since(BEGUN) == runs[3:]
    assert history.run_totals() == before
    assert entered(url) == [("runs", {"esg_runs": 2}), ("runs", {"esg_runs": 1})]
    # Dagster still has that run, and a sensor without its cursor looks at all of them again.
    history.record_run(runs[0])
    assert (history.runs_since(BEGUN), history.run_totals()) == (runs[3:], before)
    history.record_run(replace(RUN, run_id="new", started_at=cut))
    assert history.run_totals().runs == {"published": 5, "failed": 1}


def test_two_who_remove_at_once_count_nothing_twice(url: str) -> None:
    history = SqlHistory(url, lambda: BEGUN)
    history.record_run(RUN)
    history.record_publication(PUBLISHED, FIGURES)
    totals, other = history.run_totals(), pruning(url)

    def beside(remove: Callable[[SqlPruning], object]) -> None:
        """Another removes the same, begun where the first has chosen its rows and not removed them."""
        others: list[Thread] = []

        def clock() -> datetime:
            others.append(Thread(target=remove, args=(other,)))
            others[0].start()
            others[0].join(0.5)
            return later(0)

        remove(SqlPruning(url, "test", clock))
        others[0].join()

    beside(lambda forgets: forgets.forget_runs(BEGUN + timedelta(days=1), 10))
    beside(lambda forgets: forgets.forget_figures(PUBLISHED.head_sha256))
    assert history.run_totals() == totals
    counts = {"esg_figures": 2, "esg_report_details": 0}
    assert entered(url) == [("runs", {"esg_runs": 1}), ("figures", counts)]


def test_alerts_that_ended_and_were_told_go_and_one_that_waits_stays(url: str) -> None:
    outbox, forgets = SqlOutbox(url, "test"), pruning(url)
    outbox.record([FAILED], EVERYWHERE, NOW)
    deliver_all(outbox)
    assert forgets.forget_alerts(later(9e5), 10) == {"esg_messages": 0, "esg_incidents": 0, "esg_evidence": 1}
    outbox.record([WELL], EVERYWHERE, NOW)
    waits = outbox.waiting(later(1)).pending
    assert sum(waits.values()) > 0
    # Its end is not told yet: nothing of it goes, however old it is; only evidence does.
    assert forgets.forget_alerts(later(9e5), 10) == {"esg_messages": 0, "esg_incidents": 0, "esg_evidence": 1}
    assert forgets.forget_alerts(later(9e5), 10) == {}
    assert outbox.waiting(later(1)).pending == waits
    ends = deliver_all(outbox, later(1))
    assert {message.state for message in ends} == {State.RESOLVED}
    assert forgets.forget_alerts(later(0), 10) == {}  # it ended at that very moment
    went = forgets.forget_alerts(later(9e5), 10)
    assert went["esg_messages"] == len(ends) * 2
    assert went["esg_incidents"] == 0  # the latest of its cause keeps the number
    assert claim(outbox, later(9e5)) is None
    again = replace(FAILED, evidence="run:2:failed", at=later(60))
    (opened,) = outbox.record([again], EVERYWHERE, later(60))
    assert opened.key.endswith("#2")


def test_alerts_of_another_environment_are_left_alone(url: str) -> None:
    outbox = SqlOutbox(url, "dev")
    outbox.record([FAILED, WELL], EVERYWHERE, NOW)
    deliver_all(outbox)
    deliver_all(outbox, later(1))
    assert pruning(url).forget_alerts(later(9e5), 10) == {}
    assert entered(url) == []


def test_an_error_leaves_everything_as_it_was(url: str) -> None:
    history, forgets = SqlHistory(url, lambda: BEGUN), pruning(url)
    history.record_publication(PUBLISHED, FIGURES)
    history.record_details(PUBLISHED, {})
    with open_database(url).begin() as connection:
        name = "esg_report_details_no_delete"
        on = " ON esg_report_details" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        always = "WHEN 1 BEGIN SELECT RAISE(ABORT, 'no'); END"
        if on:
            always = "FOR EACH ROW EXECUTE FUNCTION esg_only_added_to()"
        connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE DELETE ON esg_report_details {always}")
    with pytest.raises(StoreUnavailable, match="removing old figures failed"):
        forgets.forget_figures(PUBLISHED.head_sha256)
    assert entered(url) == []
    assert history.versions(DAY)[0].figures == FIGURES
