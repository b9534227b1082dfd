"""What every history promises (port History), for SQLite, a real PostgreSQL server and the fake.

Of publications and figures; runs and the chain's head are `test_history_of_runs`'.
"""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from esg_assets.core.history import ChainHead, PastReport
from esg_assets.core.ports import History
from esg_assets_tests.contract.histories import DAY, FIGURES, NOW, PUBLISHED, Opener, publication


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
