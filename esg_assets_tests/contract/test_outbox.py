"""What every outbox promises of what is recorded (port Outbox), for SQLite, PostgreSQL and the fake."""

import threading
from datetime import UTC, datetime, timedelta, timezone

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
from esg_assets.core.alerts.ports import Outbox, Waiting
from esg_assets.core.alerts.routes import (
    BUSINESS,
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
from esg_assets_tests.contract.outbox_steps import (
    DAY,
    EVERYWHERE,
    FAILED,
    HEART,
    KEY,
    NOW,
    PAGER,
    WELL,
    claim,
    claimed,
    deliver_all,
    later,
    told,
)


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


def test_a_bookmark_is_kept_and_replaced(outbox: Outbox) -> None:
    outbox.keep_bookmark("runs", "1")
    outbox.keep_bookmark("checks", "x")
    outbox.keep_bookmark("runs", "2" * 5_000)
    assert (outbox.bookmark("runs"), outbox.bookmark("checks")) == ("2" * 5_000, "x")


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
