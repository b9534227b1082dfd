"""What every outbox promises to deliverers (port Outbox), for SQLite, PostgreSQL and the fake."""

import threading
from datetime import timedelta

from esg_assets.core.alerts.incidents import Observation, State
from esg_assets.core.alerts.kinds import (
    GIVEN_UP,
    PUBLISHED,
    RUN_FAILED,
    SENSOR_SILENT,
)
from esg_assets.core.alerts.ports import Outbox, Receipt, Waiting
from esg_assets.core.alerts.routes import (
    CHANNELS,
    DEVELOPERS,
    EMAIL,
    HEARTBEAT,
    PAGERDUTY,
    SLACK,
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
    refuse_next,
    told,
)


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


def test_refusals_are_listed_with_their_reason(outbox: Outbox) -> None:
    outbox.record([FAILED, WELL], PAGER, NOW)
    refuse_next(outbox)
    assert [(one.message.state, one.refused_at, one.why) for one in outbox.refusals(NOW)] == [
        (State.OPEN, NOW, "refused"),
        (State.RESOLVED, NOW, "its opening was refused"),
    ]
    assert list(outbox.refusals(later(1))) == []


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
