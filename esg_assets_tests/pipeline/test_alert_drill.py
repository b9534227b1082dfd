"""Drills and tests of channels: who is told, what is kept, what a missing answer looks like."""

from datetime import UTC, date, datetime, timedelta

from esg_assets.alert_drill import drill, send_tests
from esg_assets.core.alerts.incidents import Observation, State
from esg_assets.core.alerts.kinds import DRILL, REPORT_LATE, Severity
from esg_assets.core.alerts.routes import (
    BUSINESS,
    DEVELOPERS,
    EMAIL,
    PAGERDUTY,
    SLACK,
    Routes,
    Target,
)
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets_tests.fake_channels import PagerBook, ScriptedChannel
from esg_assets_tests.fake_outbox import MemoryOutbox

DOWN = ChannelUnavailable("the service answered 503")
TARGETS = [Target(PAGERDUTY, DEVELOPERS), Target(EMAIL, BUSINESS), Target(SLACK, DEVELOPERS)]
ROUTES = Routes(
    {
        Severity.ERROR: {DEVELOPERS: [PAGERDUTY], BUSINESS: [EMAIL]},
        Severity.WARN: {DEVELOPERS: [SLACK]},
        Severity.INFO: {},
    },
    frozenset(TARGETS),
)


class Clock:
    """Time that goes on while somebody waits, and a little with every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_drill_is_opened_and_ended_over_every_route_and_its_receipts_are_kept() -> None:
    outbox, clock, book = MemoryOutbox(), Clock(), PagerBook()
    channels = [ScriptedChannel(PAGERDUTY, always=book.take), ScriptedChannel(EMAIL), ScriptedChannel(SLACK)]
    key, proofs = drill(outbox, channels, ROUTES, clock, clock.wait)
    assert [(proof.channel, proof.audience, proof.state, proof.receipt) for proof in proofs] == [
        (PAGERDUTY, DEVELOPERS, State.OPEN, "pagerduty 1"),
        (EMAIL, BUSINESS, State.OPEN, "email 1"),
        (SLACK, DEVELOPERS, State.OPEN, "slack 1"),
        (PAGERDUTY, DEVELOPERS, State.RESOLVED, "pagerduty 2"),
        (EMAIL, BUSINESS, State.RESOLVED, "email 2"),
        (SLACK, DEVELOPERS, State.RESOLVED, "slack 2"),
    ]
    assert key.startswith("esg/test/-/drill/")
    assert len(outbox.receipts(key)) == 6
    assert (book.opened, book.open_keys) == ({key: 1}, set())
    assert {message.incident.kind for channel in channels for message in channel.taken} == {DRILL}


def test_a_channel_that_comes_back_within_the_minute_is_waited_for() -> None:
    clock = Clock()
    slack = ScriptedChannel(SLACK, [DOWN])
    channels = [ScriptedChannel(PAGERDUTY), ScriptedChannel(EMAIL), slack]
    _, proofs = drill(MemoryOutbox(), channels, ROUTES, clock, clock.wait)
    assert all(proof.taken for proof in proofs)
    assert len(slack.tried) == 3


def test_a_channel_that_stays_away_is_missing_with_its_reason_and_the_others_are_ended() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    email = ScriptedChannel(EMAIL, [DOWN] * 99)
    channels = [ScriptedChannel(PAGERDUTY), email, ScriptedChannel(SLACK)]
    started = clock.now
    key, proofs = drill(outbox, channels, ROUTES, clock, clock.wait, seconds=30)
    assert [(proof.channel, proof.state, proof.why) for proof in proofs if not proof.taken] == [
        (EMAIL, State.OPEN, "the service answered 503"),
        (EMAIL, State.RESOLVED, "its opening was not acknowledged"),
    ]
    assert clock.now - started < timedelta(seconds=40)  # once, not for the end as well
    assert outbox.incidents[key].resolved_at is not None
    assert len(outbox.pending(key)) == 2


def test_a_message_before_it_that_is_not_taken_explains_a_missing_receipt() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    stuck = [Observation(REPORT_LATE, f"late:{n}", clock.now, date(2026, 11, n)) for n in (1, 2)]
    outbox.record(stuck, ROUTES, clock.now)
    email = ScriptedChannel(EMAIL, [DOWN] * 9)
    _, proofs = drill(
        outbox,
        [ScriptedChannel(PAGERDUTY), email, ScriptedChannel(SLACK)],
        ROUTES,
        clock,
        clock.wait,
        seconds=0,
    )
    assert proofs[1].why == "an earlier message is not taken either: the service answered 503"


def test_a_refusal_is_not_waited_for() -> None:
    clock = Clock()
    started = clock.now
    email = ScriptedChannel(EMAIL, [ChannelRefused("the service answered 400")])
    channels = [ScriptedChannel(PAGERDUTY), email, ScriptedChannel(SLACK)]
    _, proofs = drill(MemoryOutbox(), channels, ROUTES, clock, clock.wait)
    assert [proof.why for proof in proofs if not proof.taken] == [
        "the service answered 400",
        "its opening was not acknowledged",
    ]
    assert clock.now - started < timedelta(seconds=5)


def test_a_channel_that_is_routed_but_not_there_is_missing() -> None:
    clock = Clock()
    channels = [ScriptedChannel(PAGERDUTY), ScriptedChannel(EMAIL)]
    _, proofs = drill(MemoryOutbox(), channels, ROUTES, clock, clock.wait, seconds=2)
    assert [proof.why for proof in proofs if not proof.taken] == [
        "no acknowledgement yet; it stays in the outbox",
        "its opening was not acknowledged",
    ]


def test_a_drill_that_was_killed_is_ended_by_the_next() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.record([Observation(DRILL, "drill:old", clock.now, subject="old")], ROUTES, clock.now)
    channels = [ScriptedChannel(name) for name in (PAGERDUTY, EMAIL, SLACK)]
    _, proofs = drill(outbox, channels, ROUTES, clock, clock.wait)
    assert all(proof.taken for proof in proofs)
    assert list(outbox.open_incidents()) == []
    assert len(channels[0].taken) == 4


def test_a_test_goes_straight_to_each_channel_and_leaves_nobody_paged() -> None:
    clock, book = Clock(), PagerBook()
    channels = [
        ScriptedChannel(PAGERDUTY, always=book.take),
        ScriptedChannel(EMAIL, [DOWN]),
        ScriptedChannel(SLACK, [RuntimeError("a-secret")]),
    ]
    proofs = list(send_tests("test", channels, ROUTES, clock))
    assert [(proof.channel, proof.state, proof.receipt) for proof in proofs] == [
        (PAGERDUTY, State.OPEN, "pagerduty 1"),
        (PAGERDUTY, State.RESOLVED, "pagerduty 2"),
        (EMAIL, State.OPEN, ""),
        (SLACK, State.OPEN, ""),
    ]
    assert proofs[2].why == "the service answered 503"
    assert proofs[3].why.startswith("an unexpected RuntimeError at ")
    assert "secret" not in proofs[3].why
    assert book.open_keys == set()
    assert channels[0].taken[1].incident.resolved_at is not None
