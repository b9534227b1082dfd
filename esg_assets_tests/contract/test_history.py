"""What every history promises (port History), for SQLite, a real PostgreSQL server and the fake."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.core.errors import Tampered
from esg_assets.core.history import ChainHead, PastReport, PublishedReport, RunRecord, RunTotals
from esg_assets.core.ports import History
from esg_assets.core.ratings import Status
from esg_assets_tests.fake_history import MemoryHistory

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


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "memory":
        return MemoryHistory
    if request.param == "sqlite":
        return lambda clock: SqlHistory(f"sqlite:///{tmp_path}/history.sqlite", clock)
    url = request.getfixturevalue("postgres_database_url")
    assert isinstance(url, str)
    return lambda clock: SqlHistory(url, clock)


@pytest.fixture
def history(opener: Opener) -> History:
    return opener(lambda: NOW)


def publication(day: date, version: int, sequence: int) -> PublishedReport:
    digest = f"{sequence:064x}"
    return replace(PUBLISHED, report_date=day, version=version, sequence=sequence, head_sha256=digest)


def test_a_new_history_knows_nothing(history: History) -> None:
    assert history.latest(DAY) is None
    assert history.latest_before(DAY) is None
    assert history.head() is None
    assert history.first_publication_date() is None
    assert history.published_dates(date.min) == []


def test_a_publication_is_remembered_whole(history: History) -> None:
    history.record_publication(PUBLISHED, FIGURES)
    assert history.latest(DAY) == PastReport(PUBLISHED, FIGURES, NOW)


def test_a_publication_without_figures_is_remembered_too(history: History) -> None:
    history.record_publication(PUBLISHED, {})
    assert history.latest(DAY) == PastReport(PUBLISHED, {}, NOW)


def test_details_are_kept_once_beside_the_publication_they_belong_to(history: History) -> None:
    body = {"checks": [{"name": "failure_rate", "passed": True}], "head": "5:ab", "none": None}
    history.record_details(PUBLISHED, body)
    assert history.details(PUBLISHED) is None, "nothing is published yet"
    history.record_publication(PUBLISHED, FIGURES)
    history.record_details(PUBLISHED, body)
    history.record_details(PUBLISHED, {"other": 1})
    assert history.details(PUBLISHED) == body
    assert history.details(replace(PUBLISHED, version=2)) is None


def test_every_version_of_a_date_is_there_with_its_figures_oldest_first(history: History) -> None:
    for version, sequence in ((2, 9), (1, 7)):
        history.record_publication(publication(DAY, version, sequence), {"accounts": version})
    history.record_publication(publication(DAY - timedelta(days=1), 1, 8), FIGURES)
    found = [(past.published.version, past.figures) for past in history.versions(DAY)]
    assert found == [(1, {"accounts": 1}), (2, {"accounts": 2})]
    assert history.versions(DAY + timedelta(days=1)) == []


def test_a_trend_holds_the_newest_version_of_each_date_and_only_what_is_asked_for(history: History) -> None:
    days = [DAY - timedelta(days=n) for n in (3, 2, 0)]
    for number, day in enumerate(days):
        history.record_publication(publication(day, 1, number + 1), {"accounts": number, "letter.A": 1})
    history.record_publication(publication(DAY, 2, 9), {"accounts": None, "letter.A": 3})
    found = [
        (p.published.report_date, p.published.version, p.figures)
        for p in history.trend(["accounts"], days[1])
    ]
    assert found == [(days[1], 1, {"accounts": 1}), (DAY, 2, {"accounts": None})]


def test_instants_come_back_in_utc_whatever_the_zone_they_were_given_in(opener: Opener) -> None:
    central = timezone(timedelta(hours=-6))
    history = opener(lambda: NOW.astimezone(central))
    history.record_publication(PUBLISHED, FIGURES)
    found = history.latest(DAY)
    assert found is not None
    assert found.recorded_at == NOW


def test_accounts_of_now_stay_marked(history: History) -> None:
    now = replace(PUBLISHED, accounts_as_of="2026-01-15T11:00:02Z")
    history.record_publication(now, FIGURES)
    found = history.latest(DAY)
    assert found is not None
    assert (found.published.current_accounts, PUBLISHED.current_accounts) == (True, False)


def test_what_was_recorded_lately_comes_oldest_first_whatever_its_date(opener: Opener) -> None:
    moments = iter([NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2)])
    history = opener(moments.__next__)
    old, first, again = (
        publication(DAY - timedelta(days=9), 1, 5),
        publication(DAY, 1, 6),
        publication(DAY, 2, 7),
    )
    for each in (old, first, again):
        history.record_publication(each, FIGURES)
    assert history.recorded_since(NOW + timedelta(hours=1)) == [
        PastReport(first, {}, NOW + timedelta(hours=1)),
        PastReport(again, {}, NOW + timedelta(hours=2)),
    ]
    assert [past.published for past in history.recorded_since(NOW)] == [old, first, again]


def test_recording_the_same_publication_again_changes_nothing(opener: Opener) -> None:
    history = opener(iter([NOW, NOW + timedelta(days=1)]).__next__)
    history.record_publication(PUBLISHED, FIGURES)
    history.record_publication(replace(PUBLISHED, reason="again"), {**FIGURES, "accounts": 1})
    assert history.latest(DAY) == PastReport(PUBLISHED, FIGURES, NOW)


def test_figures_are_added_to_a_publication_that_was_recorded_without_any(opener: Opener) -> None:
    history = opener(iter([NOW, NOW + timedelta(days=1), NOW + timedelta(days=2)]).__next__)
    history.record_publication(PUBLISHED, {})
    history.record_publication(PUBLISHED, FIGURES)
    history.record_publication(PUBLISHED, {"accounts": 1})
    assert history.latest(DAY) == PastReport(PUBLISHED, FIGURES, NOW)


def test_recorded_publications_are_told_by_their_entry(history: History) -> None:
    assert history.recorded_publications() == {}
    for version, sequence in ((1, 5), (2, 8)):
        history.record_publication(publication(DAY, version, sequence), FIGURES)
    assert history.recorded_publications() == {f"{5:064x}": (DAY, 1), f"{8:064x}": (DAY, 2)}


def test_what_a_restore_has_lost_is_published_no_longer_until_it_is_again(opener: Opener) -> None:
    ticks = iter(NOW + timedelta(seconds=n) for n in range(9))
    history = opener(ticks.__next__)
    before = date(2026, 1, 12)
    history.record_publication(publication(before, 1, 3), FIGURES)
    history.record_publication(publication(DAY, 1, 5), FIGURES)
    history.remember_head(ChainHead(6, "6" * 64))
    history.remember_head(ChainHead(5, "a" * 64), restored=True)
    assert history.latest(DAY) is None
    assert history.published_dates(date.min) == [before]
    assert history.latest(before) is not None
    assert len(history.recorded_publications()) == 2
    history.record_publication(publication(DAY, 1, 7), FIGURES)
    assert history.published_dates(date.min) == [before, DAY]
    found = history.latest(DAY)
    assert found is not None
    assert found.published.sequence == 7


def hours(number: int) -> datetime:
    return NOW + timedelta(hours=number)


def test_what_was_said_then_is_the_version_of_then_with_the_figures_of_then(opener: Opener) -> None:
    history = opener(map(hours, [0, 2, 4, 6]).__next__)
    history.record_publication(publication(DAY, 1, 5), {"accounts": 1})
    history.record_publication(publication(DAY, 2, 6), {})
    history.record_publication(publication(DAY, 2, 6), {"accounts": 2})

    def said(hour: int) -> tuple[int, object] | None:
        found = history.said_at(DAY, hours(hour))
        return None if found is None else (found.past.published.version, found.past.figures)

    assert [said(hour) for hour in (-1, 0, 1)] == [None, (1, {"accounts": 1}), (1, {"accounts": 1})]
    assert [said(hour) for hour in (2, 3)] == [(2, {})] * 2
    assert said(4) == (2, {"accounts": 2})
    in_central_time = hours(1).astimezone(timezone(timedelta(hours=-6)))
    assert history.said_at(DAY, in_central_time) == history.said_at(DAY, hours(1))
    assert history.said_at(DAY + timedelta(days=1), hours(9)) is None


def test_what_a_restore_has_lost_was_said_all_the_same(opener: Opener) -> None:
    history = opener(map(hours, [0, 1, 3, 5]).__next__)
    history.record_publication(publication(DAY, 1, 5), {"accounts": 1})
    history.remember_head(ChainHead(5, "a" * 64), restored=True)
    history.record_publication(publication(DAY, 1, 6), {"accounts": 2})
    before = history.said_at(DAY, NOW)
    assert before is not None
    assert (before.past.figures, before.lost) == ({"accounts": 1}, True)
    assert history.said_at(DAY, hours(2)) is None
    after = history.said_at(DAY, hours(3))
    assert after is not None
    assert (after.past.figures, after.lost) == ({"accounts": 2}, False)


def test_the_newest_version_is_the_latest_in_whatever_order_they_come(history: History) -> None:
    for version in (2, 3, 1):
        history.record_publication(publication(DAY, version, version), {"accounts": version})
    found = history.latest(DAY)
    assert found is not None
    assert (found.published.version, found.figures) == (3, {"accounts": 3})


def test_a_version_published_anew_after_a_restore_replaces_the_lost_one(history: History) -> None:
    history.record_publication(publication(DAY, 1, 5), {"accounts": 1})
    history.record_publication(publication(DAY, 1, 6), {"accounts": 2})
    found = history.latest(DAY)
    assert found is not None
    assert (found.published.sequence, found.figures) == (6, {"accounts": 2})


def test_the_latest_earlier_report_is_of_the_nearest_date_before(history: History) -> None:
    history.record_publication(publication(date(2026, 1, 9), 1, 1), {"accounts": 9})
    history.record_publication(publication(date(2026, 1, 12), 1, 2), {"accounts": 12})
    history.record_publication(publication(date(2026, 1, 12), 2, 4), {"accounts": 122})
    history.record_publication(publication(DAY, 1, 3), {"accounts": 15})
    before = history.latest_before(DAY)
    assert before is not None
    assert (before.published.report_date, before.published.version) == (date(2026, 1, 12), 2)
    assert before.figures == {"accounts": 122}
    assert history.latest_before(date(2026, 1, 9)) is None


def test_published_dates_are_told_once_and_in_order(history: History) -> None:
    days = [date(2026, 1, 12), date(2026, 1, 9), DAY]
    for sequence, day in enumerate(days, start=1):
        history.record_publication(publication(day, 1, sequence), {})
    history.record_publication(publication(DAY, 2, 9), {})
    assert history.first_publication_date() == date(2026, 1, 9)
    assert history.published_dates(date(2026, 1, 9)) == sorted(days)
    assert history.published_dates(date(2026, 1, 10)) == [date(2026, 1, 12), DAY]
    assert history.published_dates(date(2026, 1, 16)) == []


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


def test_many_threads_record_the_same_publication_as_one(opener: Opener) -> None:
    history = opener(lambda: NOW)
    ready = threading.Barrier(4)
    failed: list[BaseException] = []

    def record(number: int) -> None:
        ready.wait()
        try:
            history.record_publication(PUBLISHED, FIGURES)
            history.record_publication(publication(DAY, 2, 10 + number), {"accounts": number})
            history.remember_head(ChainHead(number, f"{number:064x}"))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=record, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert history.head() == ChainHead(4, f"{4:064x}")
    found = history.latest(DAY)
    assert found is not None
    assert found.published.version == 2
    assert found.figures == {"accounts": found.published.sequence - 10}
