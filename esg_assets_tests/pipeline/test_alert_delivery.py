"""Delivering what waits: no channel keeps back another, no message keeps back the next."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from esg_assets.alert_delivery import Delivery, deliver_due, new_deliverer
from esg_assets.core.alerts.incidents import Message, Observation, Recovery, State
from esg_assets.core.alerts.kinds import ALERT_REFUSED, RUN_FAILED, SENSOR_SILENT
from esg_assets.core.alerts.ports import Outbox, Waiting
from esg_assets.core.alerts.routes import DEFAULT, DEVELOPERS, EMAIL, PAGERDUTY, SLACK, Routes, Target
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable, StoreUnavailable
from esg_assets_tests.fake_channels import ScriptedChannel
from esg_assets_tests.fake_outbox import MemoryOutbox

NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
ROUTES = Routes(
    DEFAULT,
    frozenset({Target(PAGERDUTY, DEVELOPERS), Target(EMAIL, DEVELOPERS), Target(SLACK, DEVELOPERS)}),
)
DOWN = ChannelUnavailable("the service answered 503")


class Preparing(ScriptedChannel):
    """A channel that makes something before it delivers.

    Args:
        make: what it does then.
    """

    def __init__(self, name: str, make: Callable[[], None]) -> None:
        super().__init__(name)
        self._make = make

    def prepare(self, message: Message) -> None:
        self._make()


def seen(number: int) -> Observation:
    return Observation(SENSOR_SILENT, f"silent:{number}", NOW, subject=f"s{number}")


@pytest.fixture
def outbox() -> MemoryOutbox:
    made = MemoryOutbox()
    made.record([seen(1), seen(2)], ROUTES, NOW)
    return made


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Ends what hangs when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def deliver(
    outbox: Outbox,
    *channels: ScriptedChannel,
    now: datetime = NOW,
    early: bool = False,
    seconds: float = 20.0,
    channel_seconds: float = 5.0,
) -> Delivery:
    return deliver_due(
        outbox,
        channels,
        ROUTES,
        new_deliverer(),
        lambda: now,
        seconds=seconds,
        channel_seconds=channel_seconds,
        early=early,
        jitter=lambda: 1.0,
    )


def test_everything_that_is_due_is_delivered_and_marked(outbox: MemoryOutbox) -> None:
    channels = [ScriptedChannel(name) for name in (PAGERDUTY, EMAIL, SLACK)]
    result = deliver(outbox, *channels)
    assert result.delivered == {PAGERDUTY: 2, EMAIL: 2, SLACK: 2}
    assert outbox.waiting(NOW) == Waiting()
    assert result.told({}) == "delivered 2 by email, 2 by pagerduty, 2 by slack"
    assert [receipt.receipt for receipt in outbox.receipts("esg/test/-/sensor_silent/s1")] == [
        "pagerduty 1",
        "email 1",
        "slack 1",
    ]
    assert deliver(outbox, *channels).told({}) == "nothing was due"


def test_after_a_failure_the_rest_of_the_channel_waits_and_the_others_do_not(outbox: MemoryOutbox) -> None:
    pager, email = ScriptedChannel(PAGERDUTY, [DOWN] * 2), ScriptedChannel(EMAIL)
    result = deliver(outbox, pager, email)
    assert result.delivered == {EMAIL: 2}
    assert len(pager.tried) == 1
    assert result.told(outbox.waiting(NOW).pending) == (
        "delivered 2 by email; pagerduty did not take a message: the service answered 503; "
        "still waiting: 2 by pagerduty, 2 by slack"
    )
    assert [trouble.refused for trouble in result.troubles] == [False]


def test_a_failed_message_is_tried_again_after_its_backoff_and_not_before(outbox: MemoryOutbox) -> None:
    pager = ScriptedChannel(PAGERDUTY, [ChannelUnavailable("slow down", retry_after_seconds=120), DOWN])
    deliver(outbox, pager)
    deliver(outbox, pager)  # the other message; then both wait
    assert not deliver(outbox, pager, now=NOW + timedelta(seconds=14)).delivered
    assert deliver(outbox, pager, now=NOW + timedelta(seconds=15)).delivered == {PAGERDUTY: 1}
    assert not deliver(outbox, pager, now=NOW + timedelta(seconds=119)).delivered
    assert deliver(outbox, pager, now=NOW + timedelta(seconds=120)).delivered == {PAGERDUTY: 1}
    assert [message.incident.subject for message in pager.taken] == ["s2", "s1"]


def test_what_waits_for_its_next_try_can_be_tried_early(outbox: MemoryOutbox) -> None:
    pager = ScriptedChannel(PAGERDUTY, [DOWN])
    deliver(outbox, pager)
    assert deliver(outbox, pager, early=True).delivered == {PAGERDUTY: 2}


def test_a_poison_message_keeps_back_its_channel_for_one_pass_only(outbox: MemoryOutbox) -> None:
    def poison(message: Message) -> None:
        if message.incident.subject == "s1":
            raise KeyError("a-secret")

    pager = ScriptedChannel(PAGERDUTY, always=poison)
    first = deliver(outbox, pager)
    assert deliver(outbox, pager).delivered == {PAGERDUTY: 1}
    (trouble,) = first.troubles
    assert trouble.why.startswith("an unexpected KeyError at esg_assets_tests/pipeline/")
    assert "secret" not in trouble.why


def test_a_refused_message_ends_and_the_next_follows_in_the_same_pass(outbox: MemoryOutbox) -> None:
    pager = ScriptedChannel(PAGERDUTY, [ChannelRefused("the service answered 400")])
    result = deliver(outbox, pager, ScriptedChannel(EMAIL), ScriptedChannel(SLACK))
    assert result.delivered[PAGERDUTY] == 1
    assert outbox.waiting(NOW) == Waiting({}, None, {PAGERDUTY: 1})


def test_a_channel_that_refuses_is_told_of_on_the_others_and_ends_when_it_takes_again(
    outbox: MemoryOutbox,
) -> None:
    refusals = [ChannelRefused("the service answered 400")] * 2
    pager, email, slack = ScriptedChannel(PAGERDUTY, refusals), ScriptedChannel(EMAIL), ScriptedChannel(SLACK)
    deliver(outbox, pager, email, slack)
    (refused,) = outbox.open_incidents()[2:]
    assert (refused.kind, refused.subject, refused.facts["channel"]) == (ALERT_REFUSED, PAGERDUTY, PAGERDUTY)
    assert [message.incident.kind for message in email.taken][-1] == ALERT_REFUSED
    assert [message.incident.kind for message in slack.taken][-1] == ALERT_REFUSED
    assert len(pager.tried) == 2
    outbox.record([seen(3)], ROUTES, NOW)
    deliver(outbox, pager, email, slack)
    deliver(outbox, pager, email, slack)
    assert outbox.incidents[refused.key].resolved_at == NOW
    assert (email.taken[-1].incident.key, email.taken[-1].state) == (refused.key, State.RESOLVED)


def test_refusals_are_told_once_a_channel_and_day(outbox: MemoryOutbox) -> None:
    pager = ScriptedChannel(PAGERDUTY, [ChannelRefused("the service answered 400")] * 9)
    deliver(outbox, pager)
    outbox.record([seen(3)], ROUTES, NOW)
    deliver(outbox, pager, now=NOW + timedelta(hours=1))
    (refused,) = [one for one in outbox.open_incidents() if one.kind == ALERT_REFUSED]
    assert refused.occurrences == 1


def test_a_channel_that_hangs_keeps_nobody_waiting_and_its_late_answer_counts(
    outbox: MemoryOutbox, release: threading.Event
) -> None:
    def hang(_: Message) -> None:
        release.wait(30)

    pager = ScriptedChannel(PAGERDUTY, [hang])
    email = ScriptedChannel(EMAIL)
    started = time.monotonic()
    result = deliver(outbox, pager, email, channel_seconds=0.2)
    assert time.monotonic() - started < 5
    assert result.delivered == {EMAIL: 2}
    assert [trouble.why for trouble in result.troubles] == ["no answer within 0.2 s"]
    first = pager.tried[0]
    assert outbox.kept[first.id - 1].next_at == NOW + timedelta(seconds=15)
    release.set()
    deadline = time.monotonic() + 10
    while outbox.kept[first.id - 1].delivered_at is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert outbox.kept[first.id - 1].receipt == "pagerduty 1"
    assert len(pager.tried) == 1  # the hanging lane took up nothing more


def test_a_pass_ends_in_its_time_and_leaves_the_rest_for_the_next(outbox: MemoryOutbox) -> None:
    outbox.record([seen(number) for number in range(3, 40)], ROUTES, NOW)
    pager = ScriptedChannel(PAGERDUTY, always=lambda _: time.sleep(0.05))
    started = time.monotonic()
    result = deliver(outbox, pager, seconds=0.6, channel_seconds=0.3)
    assert time.monotonic() - started < 3
    assert 1 <= result.delivered[PAGERDUTY] < 39
    assert not result.troubles


def test_an_acknowledged_message_whose_mark_is_lost_goes_out_again_as_the_same(
    outbox: MemoryOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise StoreUnavailable("marking failed")

    pager = ScriptedChannel(PAGERDUTY)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "delivered", lost)
        with pytest.raises(StoreUnavailable, match="marking failed"):
            deliver(outbox, pager)
    assert deliver(outbox, pager).delivered == {PAGERDUTY: 1}  # the other one; the first is leased
    deliver(outbox, pager, now=NOW + timedelta(seconds=60))
    assert [message.incident.subject for message in pager.taken] == ["s1", "s2", "s1"]
    assert pager.taken[0].identity == pager.taken[2].identity


def test_the_opening_and_the_end_of_one_incident_go_in_one_pass_in_order() -> None:
    outbox = MemoryOutbox()
    failed = Observation(RUN_FAILED, "run:1", NOW, date(2026, 11, 24))
    well = Recovery("published", NOW, frozenset({RUN_FAILED.name}), date(2026, 11, 24))
    outbox.record([failed, well], ROUTES, NOW)
    pager = ScriptedChannel(PAGERDUTY)
    deliver(outbox, pager)
    assert [message.state for message in pager.taken] == [State.OPEN, State.RESOLVED]


def test_what_a_channel_makes_first_is_not_of_the_time_of_its_delivery(outbox: MemoryOutbox) -> None:
    slow = Preparing(EMAIL, lambda: time.sleep(0.4))

    result = deliver(outbox, slow, channel_seconds=0.2)
    assert result.troubles == []
    assert len(slow.taken) == 2


def test_what_cannot_be_made_is_tried_again_later(outbox: MemoryOutbox) -> None:
    def broken() -> None:
        raise StoreUnavailable("The history does not answer.")

    channel = Preparing(EMAIL, broken)
    (trouble,) = deliver(outbox, channel).troubles
    assert (trouble.why, trouble.refused) == ("The history does not answer.", False)
    assert channel.tried == []
    assert outbox.waiting(NOW).pending[EMAIL] == 2


def test_a_pass_does_not_wait_for_what_is_made_too_slowly(
    outbox: MemoryOutbox, release: threading.Event
) -> None:
    def slow() -> None:
        release.wait(20)

    channel = Preparing(EMAIL, slow)
    began = time.monotonic()
    result = deliver(outbox, channel, seconds=0.6, channel_seconds=0.1)
    assert time.monotonic() - began < 3
    assert result.troubles == []
    assert outbox.waiting(NOW).pending[EMAIL] == 2
    release.set()
    later = deliver(outbox, ScriptedChannel(EMAIL), now=NOW + timedelta(minutes=2))
    assert later.delivered == {EMAIL: 2}
    assert channel.tried == [], "whoever comes too late leaves it to the next pass"
