"""Detection of versions that are ready: readers are told once figures are kept, and not of every backfill."""

from datetime import date, datetime, timedelta

import pytest

from esg_assets.core.alerts.incidents import State
from esg_assets.core.history import PublishedReport
from esg_assets.core.ratings import Status
from esg_assets.detection import ready
from esg_assets.jobs import NIGHTLY
from esg_assets.stale_runs import BACKFILL_TAG
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.pipeline.house import DAY, NEXT, House
from esg_assets_tests.pipeline.test_schedule import at
from esg_assets_tests.pipeline.watched import Clock, Watched

OLD = DAY - timedelta(days=30)
MAIL = ("report_ready", "open", "email business")


@pytest.fixture
def watched(house: House, clock: Clock) -> Watched:
    house.history = MemoryHistory(clock)
    return Watched(house)


def recorded(watched: Watched, day: date = DAY, version: int = 1, run_id: str = "") -> PublishedReport:
    """A version whose figures are not kept yet."""
    counts = {Status.SUCCESS: 9, Status.NOT_RATED: 1, Status.FAILED: 0}
    number = day.toordinal() + version
    report = PublishedReport(day, version, number, f"{number:064x}", run_id, counts, day, day.isoformat())
    watched.house.history.record_publication(report, {})
    return report


def kept(watched: Watched, report: PublishedReport) -> None:
    watched.house.history.record_details(report, {"head": "1:a"})


def run_with(watched: Watched, tags: dict[str, str]) -> str:
    house = watched.house
    return house.instance.create_run_for_job(house.defs().resolve_job_def(NIGHTLY), tags=tags).run_id


def mails(watched: Watched) -> int:
    return watched.queued().count(MAIL)


def test_readers_are_told_once_when_the_figures_are_kept_and_not_before(watched: Watched) -> None:
    report = recorded(watched)
    watched.look(at(DAY, 5, 31))
    assert mails(watched) == 0
    assert ("report_published", "open", "heartbeat monitors") in watched.queued()

    kept(watched, report)
    for minute in range(32, 36):
        watched.look(at(DAY, 5, minute))
    assert mails(watched) == 1
    notice = watched.incident("report_ready", DAY, "1")
    assert notice.resolved_at is not None
    assert (notice.facts["accounts"], notice.facts["version"]) == (10, 1)


def test_figures_that_a_later_run_keeps_are_told_of_many_hours_later(watched: Watched) -> None:
    report = recorded(watched)
    for hour in range(6, 23):
        watched.look(at(DAY, hour))
    kept(watched, report)
    watched.look(at(NEXT, 1))
    assert mails(watched) == 1


def test_what_is_known_from_the_chain_alone_is_waited_for_three_days(watched: Watched) -> None:
    recorded(watched)
    for days in range(5):
        watched.look(at(DAY + timedelta(days=days), 6))
    waits_since = datetime.fromisoformat(watched.outbox.bookmark(ready.BOOKMARK))
    assert waits_since > at(DAY + timedelta(days=1), 5)
    assert mails(watched) == 0


def test_each_version_is_told_and_goes_to_readers_alone(watched: Watched, clock: Clock) -> None:
    for version in (1, 2):
        clock.now = at(DAY, 5 + version)
        kept(watched, recorded(watched, version=version))
        watched.look(at(DAY, 5 + version, 1))
    assert [message for message in watched.queued() if message[0] == "report_ready"] == [MAIL, MAIL]
    assert [message for message in watched.queued() if "business" in message[2]] == [MAIL, MAIL]
    assert watched.queued(State.RESOLVED) == []


@pytest.mark.parametrize("tag", [BACKFILL_TAG, ready.DAGSTERS_BACKFILL])
def test_a_backfill_of_old_dates_is_told_to_no_reader_but_its_corrections_are(
    watched: Watched, tag: str
) -> None:
    run_id = run_with(watched, {tag: "true"})
    kept(watched, recorded(watched, OLD, run_id=run_id))
    watched.look(at(DAY, 5, 31))
    assert mails(watched) == 0

    kept(watched, recorded(watched, OLD, version=2, run_id=run_id))
    watched.look(at(DAY, 5, 32))
    assert mails(watched) == 1


def test_a_missed_date_and_one_that_somebody_asked_for_are_told(watched: Watched) -> None:
    missed = run_with(watched, {BACKFILL_TAG: "true"})
    kept(watched, recorded(watched, DAY - timedelta(days=3), run_id=missed))
    kept(watched, recorded(watched, OLD, run_id=run_with(watched, {})))
    watched.look(at(DAY, 5, 31))
    assert mails(watched) == 2
