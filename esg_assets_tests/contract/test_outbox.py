"""What every outbox promises (port Outbox), for SQLite, a real PostgreSQL server and the fake."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from esg_assets.core.alerts.incidents import Incident, Message, Observation, Recovery, State
from esg_assets.core.alerts.kinds import (
    ALERT_REFUSED,
    DRILL,
    FORECAST_LATE,
    GIVEN_UP,
    PUBLISHED,
    REPORT_LATE,
    RUN_FAILED,
    SENSOR_SILENT,
    Severity,
)
from esg_assets.core.alerts.ports import Outbox, Receipt, Waiting
from esg_assets.core.alerts.routes import (
    BUSINESS,
    CHANNELS,
    DEFAULT,
    DEVELOPERS,
    EMAIL,
    HEARTBEAT,
    MONITORS,
    PAGERDUTY,
    SLACK,
    Routes,
    Target,
)
from esg_assets_tests.fake_outbox import MemoryOutbox
from esg_assets_tests.outbox_material import emptied_outbox
from esg_assets_tests.servers import postgres_database

NOW = datetime(2026, 11, 24, 11, 30, 0, 123456, tzinfo=UTC)
DAY = date(2026, 11, 24)
EVERYWHERE = Routes(
    DEFAULT,
    frozenset(
        {
            Target(PAGERDUTY, DEVELOPERS),
            Target(EMAIL, DEVELOPERS),
            Target(SLACK, DEVELOPERS),
            Target(EMAIL, BUSINESS),
            Target(HEARTBEAT, MONITORS),
        }
    ),
)
PAGER = Routes(DEFAULT, frozenset({Target(PAGERDUTY, DEVELOPERS)}))
HEART = Routes(DEFAULT, frozenset({Target(HEARTBEAT, MONITORS)}))
FAILED = Observation(
    RUN_FAILED,
    "run:1:failed",
    NOW - timedelta(minutes=5),
    DAY,
    "StoreUnavailable",
    facts={"attempts": 2, "share": 0.25, "error": "StoreUnavailable"},
    run_id="1",
)
WELL = Recovery(
    "published:2026-11-24:1",
    NOW,
    frozenset({RUN_FAILED.name, REPORT_LATE.name, FORECAST_LATE.name, GIVEN_UP.name}),
    DAY,
    earlier_dates=True,
    facts={"version": 1},
)
KEY = "esg/test/2026-11-24/run_failed/StoreUnavailable"


@pytest.fixture(scope="module")
def urls(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """One database of each kind for the module; each test empties it."""
    with postgres_database(postgres_url) as url:
        made = {
            "sqlite": f"sqlite:///{tmp_path_factory.mktemp('outbox')}/history.sqlite",
            "postgresql": url,
        }
        yield made


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def outbox(request: pytest.FixtureRequest, urls: Mapping[str, str]) -> Outbox:
    if request.param == "memory":
        return MemoryOutbox("test")
    return emptied_outbox(urls[request.param])


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def claim(
    outbox: Outbox,
    now: datetime = NOW,
    deliverer: str = "a",
    channels: Sequence[str] = CHANNELS,
    *,
    early: bool = False,
) -> Message | None:
    return outbox.claim(deliverer, now, lease_seconds=60, channels=channels, early=early)


def claimed(outbox: Outbox, now: datetime = NOW) -> Message:
    found = claim(outbox, now)
    assert found is not None
    return found


def deliver_all(outbox: Outbox, now: datetime = NOW) -> list[Message]:
    delivered = []
    while (message := claim(outbox, now)) is not None:
        outbox.delivered(message, "a", now, f"receipt {message.id}")
        delivered.append(message)
    return delivered


def told(messages: Sequence[Message]) -> list[tuple[State, str, str]]:
    return [(message.state, message.channel, message.audience) for message in messages]


def refuse_next(outbox: Outbox, now: datetime = NOW) -> Message:
    message = claimed(outbox, now)
    outbox.failed(message, "a", now, "refused", None)
    return message


def test_a_new_outbox_holds_nothing(outbox: Outbox) -> None:
    assert list(outbox.open_incidents()) == []
    assert list(outbox.incidents_since(datetime.min.replace(tzinfo=UTC))) == []
    assert claim(outbox) is None
    assert outbox.waiting(NOW) == Waiting()
    assert list(outbox.receipts(KEY)) == []
    assert outbox.bookmark("runs") == ""


def test_an_incident_is_kept_whole(outbox: Outbox) -> None:
    expected = Incident(
        key=KEY,
        environment="test",
        kind=RUN_FAILED,
        severity=Severity.ERROR,
        opened_at=FAILED.at,
        seen_at=FAILED.at,
        date=DAY,
        subject="StoreUnavailable",
        unwell={RUN_FAILED.name: FAILED.at},
        kinds=frozenset({RUN_FAILED.name}),
        facts=FAILED.facts,
        run_id="1",
    )
    assert list(outbox.record([FAILED], PAGER, NOW)) == [expected]
    assert list(outbox.open_incidents()) == [expected]
    assert list(outbox.incidents_since(FAILED.at)) == [expected]
    assert list(outbox.incidents_since(FAILED.at + timedelta(microseconds=1))) == []
    message = claimed(outbox)
    assert message == Message(message.id, expected, State.OPEN, PAGERDUTY, DEVELOPERS, NOW)


def test_instants_come_back_in_utc_whatever_the_zone_they_were_given_in(outbox: Outbox) -> None:
    central = timezone(timedelta(hours=-6))
    seen = Observation(RUN_FAILED, "run:1", FAILED.at.astimezone(central), DAY)
    outbox.record([seen], PAGER, NOW.astimezone(central))
    (found,) = outbox.open_incidents()
    assert (found.opened_at, found.opened_at.utcoffset()) == (FAILED.at, timedelta(0))
    assert claimed(outbox).queued_at.utcoffset() == timedelta(0)


def test_an_incident_without_a_date_is_kept_too(outbox: Outbox) -> None:
    outbox.record([Observation(SENSOR_SILENT, "silent:x", NOW, subject="x")], PAGER, NOW)
    (found,) = outbox.open_incidents()
    assert (found.key, found.date) == ("esg/test/-/sensor_silent/x", None)


def test_everybody_in_the_routes_hears_of_the_opening_and_of_the_end(outbox: Outbox) -> None:
    outbox.record([FAILED], EVERYWHERE, NOW)
    everybody = [
        (PAGERDUTY, DEVELOPERS),
        (EMAIL, DEVELOPERS),
        (SLACK, DEVELOPERS),
        (EMAIL, BUSINESS),
        (HEARTBEAT, MONITORS),
    ]
    assert told(deliver_all(outbox)) == [(State.OPEN, *target) for target in everybody]
    (ended,) = outbox.record([WELL], EVERYWHERE, NOW)
    assert ended.resolved_at == WELL.at
    assert ended.facts == {**FAILED.facts, "version": 1}
    assert list(outbox.open_incidents()) == []
    ends = deliver_all(outbox)
    assert told(ends) == [(State.RESOLVED, *target) for target in everybody]
    assert {message.incident.resolved_at for message in ends} == {WELL.at}


def test_evidence_counts_once_within_a_batch_and_after_it(outbox: Outbox) -> None:
    (first,) = outbox.record([FAILED, FAILED], PAGER, NOW)
    assert list(outbox.record([FAILED], PAGER, later(1))) == []
    assert first.occurrences == 1
    assert list(outbox.open_incidents()) == [first]
    assert len(deliver_all(outbox)) == 1


def test_an_evidence_of_any_length_counts_once_and_for_itself_alone(outbox: Outbox) -> None:
    long = "run:" + "x" * 300
    outbox.record([Observation(RUN_FAILED, long + "1", NOW, DAY)], PAGER, NOW)
    outbox.record([Observation(RUN_FAILED, long + "1", NOW, DAY)], PAGER, NOW)
    outbox.record([Observation(RUN_FAILED, long + "2", NOW, DAY)], PAGER, NOW)
    (found,) = outbox.open_incidents()
    assert found.occurrences == 2


def test_the_same_cause_again_is_the_same_incident_and_tells_nobody(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    again = Observation(RUN_FAILED, "run:2:failed", NOW, DAY, "StoreUnavailable", facts={"attempts": 3})
    (grown,) = outbox.record([again], PAGER, NOW)
    assert (grown.occurrences, grown.facts["attempts"], grown.facts["share"]) == (2, 3, 0.25)
    assert (grown.opened_at, grown.seen_at, grown.run_id) == (FAILED.at, NOW, "1")
    assert len(deliver_all(outbox)) == 1


def test_a_cause_that_comes_back_after_its_end_is_a_new_incident_with_a_number(outbox: Outbox) -> None:
    outbox.record([FAILED, WELL], PAGER, NOW)
    again = Observation(RUN_FAILED, "run:2:failed", later(1), DAY, "StoreUnavailable")
    well = Recovery("published:2", later(2), WELL.kinds, DAY)
    third = Observation(RUN_FAILED, "run:3:failed", later(3), DAY, "StoreUnavailable")
    (second,) = outbox.record([again], PAGER, later(1))
    found = outbox.record([well, third], PAGER, later(3))
    assert second.key == f"{KEY}#2"
    assert [incident.key for incident in found] == [f"{KEY}#2", f"{KEY}#3"]
    assert [message.incident.key for message in deliver_all(outbox, later(3))] == [
        KEY,
        KEY,
        f"{KEY}#2",
        f"{KEY}#2",
        f"{KEY}#3",
    ]


def test_what_happened_before_a_recovery_and_is_seen_after_it_ends_too(outbox: Outbox) -> None:
    outbox.record([WELL], PAGER, NOW)
    (found,) = outbox.record([FAILED], PAGER, later(1))
    assert found.resolved_at == WELL.at
    assert told(deliver_all(outbox, later(1))) == [
        (State.OPEN, PAGERDUTY, DEVELOPERS),
        (State.RESOLVED, PAGERDUTY, DEVELOPERS),
    ]


def test_what_happened_after_a_recovery_stays_open(outbox: Outbox) -> None:
    outbox.record([WELL], PAGER, NOW)
    (found,) = outbox.record([Observation(RUN_FAILED, "run:2", later(1), DAY)], PAGER, later(1))
    assert found.resolved_at is None


def test_getting_worse_is_told_once_and_opens_where_nothing_was_told(outbox: Outbox) -> None:
    outbox.record([Observation(FORECAST_LATE, "forecast", NOW, DAY)], EVERYWHERE, NOW)
    assert told(deliver_all(outbox)) == [(State.OPEN, SLACK, DEVELOPERS), (State.OPEN, EMAIL, DEVELOPERS)]
    (worse,) = outbox.record([Observation(REPORT_LATE, "late", later(1), DAY)], EVERYWHERE, later(1))
    assert worse.severity is Severity.ERROR
    assert sorted(told(deliver_all(outbox, later(1)))) == [
        (State.OPEN, EMAIL, BUSINESS),
        (State.OPEN, HEARTBEAT, MONITORS),
        (State.OPEN, PAGERDUTY, DEVELOPERS),
        (State.WORSE, EMAIL, DEVELOPERS),
        (State.WORSE, SLACK, DEVELOPERS),
    ]
    outbox.record([Observation(GIVEN_UP, "given up", later(2), DAY)], EVERYWHERE, later(2))
    assert sorted(told(deliver_all(outbox, later(2)))) == [
        (State.WORSE, EMAIL, BUSINESS),
        (State.WORSE, HEARTBEAT, MONITORS),
        (State.WORSE, PAGERDUTY, DEVELOPERS),
    ]


def test_a_notice_is_told_once_and_never_open(outbox: Outbox) -> None:
    (notice,) = outbox.record([Observation(PUBLISHED, "published:1", NOW, DAY)], HEART, NOW)
    assert notice.resolved_at == NOW
    assert list(outbox.open_incidents()) == []
    assert told(deliver_all(outbox)) == [(State.OPEN, HEARTBEAT, MONITORS)]


def test_a_refusal_is_not_told_to_the_channel_that_refuses(outbox: Outbox) -> None:
    outbox.record([Observation(ALERT_REFUSED, "refused", NOW, subject=PAGERDUTY)], EVERYWHERE, NOW)
    assert PAGERDUTY not in {message.channel for message in deliver_all(outbox)}


def test_a_drill_goes_to_every_target_of_any_severity(outbox: Outbox) -> None:
    outbox.record([Observation(DRILL, "drill:1", NOW, subject="1")], EVERYWHERE, NOW)
    assert {Target(message.channel, message.audience) for message in deliver_all(outbox)} == set(
        EVERYWHERE.usable
    )


def test_without_a_target_an_incident_is_kept_all_the_same(outbox: Outbox) -> None:
    outbox.record([FAILED, WELL], Routes(DEFAULT, frozenset()), NOW)
    assert len(outbox.incidents_since(FAILED.at)) == 1
    assert claim(outbox) is None


def test_a_claimed_message_is_nobody_else_s_until_its_lease_ends(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    message = claim(outbox, NOW, "a")
    assert claim(outbox, later(0.99), "b") is None
    assert claim(outbox, later(0.99), "a", early=True) is None
    assert claim(outbox, later(1), "b") == message


def test_a_delivered_message_is_never_sent_again(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    message = claimed(outbox)
    outbox.delivered(message, "a", later(0.5), "accepted 1")
    outbox.failed(message, "a", later(0.6), "late doubt", later(0.6))
    assert claim(outbox, later(10_000), early=True) is None
    assert list(outbox.receipts(KEY)) == [Receipt(message, later(0.5), "accepted 1")]


def test_an_acknowledgement_counts_even_after_the_lease_has_passed_on(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    message = claimed(outbox)
    again = claim(outbox, later(2), "b")
    assert again is not None
    outbox.delivered(message, "a", later(2), "from a")
    outbox.failed(again, "b", later(2), "gone", later(3))
    outbox.delivered(again, "b", later(3), "from b")
    assert claim(outbox, later(10), "c") is None
    assert [receipt.receipt for receipt in outbox.receipts(KEY)] == ["from a"]


def test_a_failed_message_waits_for_its_time_and_counts_its_attempts(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    outbox.failed(claimed(outbox), "a", NOW, "no answer", later(5))
    assert claim(outbox, later(4.9)) is None
    early = claim(outbox, later(4.9), early=True)
    assert early is not None
    outbox.failed(early, "a", later(4.9), "no answer", later(10))
    assert claimed(outbox, later(10)).attempts == 2


def test_the_failure_of_a_deliverer_that_lost_its_claim_changes_nothing(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    message = claimed(outbox)
    assert claim(outbox, later(2), "b") is not None
    outbox.failed(message, "a", later(2), "no answer", later(2))
    assert claim(outbox, later(2.5), "c") is None  # it is b's
    outbox.delivered(message, "b", later(2.5), "taken")
    assert len(outbox.receipts(KEY)) == 1


def test_only_the_channels_asked_for_are_claimed(outbox: Outbox) -> None:
    outbox.record([FAILED], EVERYWHERE, NOW)
    message = claim(outbox, NOW, "a", (SLACK,))
    assert message is not None
    assert message.channel == SLACK
    assert claim(outbox, NOW, "a", (SLACK,)) is None
    assert claim(outbox, NOW, "a", ()) is None


def test_the_end_is_not_told_before_the_opening_was_acknowledged(outbox: Outbox) -> None:
    outbox.record([FAILED, WELL], PAGER, NOW)
    opening = claimed(outbox)
    assert opening.state is State.OPEN
    assert claim(outbox, early=True) is None
    outbox.failed(opening, "a", NOW, "no answer", later(5))
    assert claim(outbox, later(1)) is None
    assert told(deliver_all(outbox, later(5))) == [
        (State.OPEN, PAGERDUTY, DEVELOPERS),
        (State.RESOLVED, PAGERDUTY, DEVELOPERS),
    ]


def test_incidents_do_not_wait_for_each_other(outbox: Outbox) -> None:
    other = Observation(SENSOR_SILENT, "silent", NOW, subject="x")
    outbox.record([FAILED, other], PAGER, NOW)
    outbox.failed(claimed(outbox), "a", NOW, "no answer", later(5))
    assert claimed(outbox).incident.kind == SENSOR_SILENT


def test_a_refused_message_is_never_sent_again_and_nothing_follows_it(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    refuse_next(outbox)
    outbox.record([WELL], PAGER, NOW)
    assert claim(outbox, later(10_000), early=True) is None
    assert outbox.waiting(NOW) == Waiting({}, None, {PAGERDUTY: 1})


def test_an_end_that_was_queued_before_the_opening_was_refused_is_not_told(outbox: Outbox) -> None:
    outbox.record([FAILED, WELL], EVERYWHERE, NOW)
    refused = refuse_next(outbox)
    left = told(deliver_all(outbox, later(1)))
    assert (State.RESOLVED, refused.channel, refused.audience) not in left
    assert len(left) == 8
    assert outbox.waiting(later(1)).pending == {}


def test_a_refused_target_is_not_opened_again_when_it_gets_worse(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    refuse_next(outbox)
    outbox.record([Observation(GIVEN_UP, "given up", later(1), DAY)], PAGER, later(1))
    assert claim(outbox, later(2)) is None


def test_heartbeats_go_in_order_whatever_they_are_about(outbox: Outbox) -> None:
    outbox.record([FAILED], HEART, NOW)
    outbox.record([Observation(PUBLISHED, "published", NOW, DAY), WELL], HEART, NOW)
    first = claimed(outbox)
    assert first.incident.kind == RUN_FAILED
    assert claim(outbox, early=True) is None
    outbox.failed(first, "a", NOW, "no answer", later(5))
    assert claim(outbox, later(1)) is None
    assert [message.incident.kind for message in deliver_all(outbox, later(5))] == [
        RUN_FAILED,
        PUBLISHED,
        RUN_FAILED,
    ]


def test_what_has_been_due_for_longest_comes_first(outbox: Outbox) -> None:
    outbox.record([FAILED, Observation(SENSOR_SILENT, "silent", NOW, subject="x")], PAGER, NOW)
    outbox.failed(claimed(outbox), "a", NOW, "no answer", later(5))
    outbox.failed(claimed(outbox), "a", NOW, "no answer", later(4))
    assert [message.incident.kind for message in deliver_all(outbox, later(6))] == [SENSOR_SILENT, RUN_FAILED]


def test_what_waits_is_counted_by_channel(outbox: Outbox) -> None:
    outbox.record([FAILED], EVERYWHERE, NOW)
    outbox.record([Observation(SENSOR_SILENT, "silent", later(1), subject="x")], PAGER, later(1))
    claimed(outbox)
    assert outbox.waiting(later(2)) == Waiting({PAGERDUTY: 2, EMAIL: 2, SLACK: 1, HEARTBEAT: 1}, NOW, {})
    deliver_all(outbox, later(2))
    assert outbox.waiting(later(2)) == Waiting({}, None, {})


def test_refusals_are_counted_for_seven_days(outbox: Outbox) -> None:
    outbox.record([FAILED], PAGER, NOW)
    refuse_next(outbox)
    assert outbox.waiting(NOW + timedelta(days=7)).refused == {PAGERDUTY: 1}
    assert outbox.waiting(NOW + timedelta(days=7, seconds=1)).refused == {}


def test_what_is_left_of_an_incident_is_known(outbox: Outbox) -> None:
    outbox.record([FAILED, Observation(SENSOR_SILENT, "silent", NOW, subject="x")], EVERYWHERE, NOW)
    refuse_next(outbox)
    outbox.delivered(claimed(outbox), "a", NOW, "taken")
    left = outbox.pending(KEY)
    assert len(left) == 3
    assert {message.incident.key for message in left} == {KEY}
    assert list(outbox.pending("esg/test/-/nothing")) == []


def test_a_bookmark_is_kept_and_replaced(outbox: Outbox) -> None:
    outbox.keep_bookmark("runs", "1")
    outbox.keep_bookmark("checks", "x")
    outbox.keep_bookmark("runs", "2" * 5_000)
    assert (outbox.bookmark("runs"), outbox.bookmark("checks")) == ("2" * 5_000, "x")


def test_many_threads_that_claim_at_once_get_every_message_once(outbox: Outbox) -> None:
    seen = [Observation(SENSOR_SILENT, f"silent:{n}", NOW, subject=f"s{n}") for n in range(8)]
    outbox.record(seen, PAGER, NOW)
    found: list[int] = []
    start = threading.Barrier(4)

    def deliver(name: str) -> None:
        start.wait()
        while (message := outbox.claim(name, NOW, lease_seconds=60, channels=CHANNELS)) is not None:
            found.append(message.id)

    threads = [threading.Thread(target=deliver, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found) == 8


def test_many_threads_that_record_the_same_make_one_incident(outbox: Outbox) -> None:
    start = threading.Barrier(4)
    counts: list[int] = []

    def record(n: int) -> None:
        start.wait()
        own = Observation(RUN_FAILED, f"run:{n}", NOW, DAY, "StoreUnavailable")
        counts.append(len(outbox.record([FAILED, own], PAGER, NOW)))

    threads = [threading.Thread(target=record, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (found,) = outbox.open_incidents()
    assert counts == [1] * 4
    assert found.occurrences == 5
    assert len(deliver_all(outbox)) == 1
