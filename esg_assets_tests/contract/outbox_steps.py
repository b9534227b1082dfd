"""What is seen, and steps with an outbox, for the contract of the port Outbox."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from esg_assets.core.alerts.incidents import Message, Observation, Recovery, State
from esg_assets.core.alerts.kinds import (
    FORECAST_LATE,
    GIVEN_UP,
    REPORT_LATE,
    RUN_FAILED,
)
from esg_assets.core.alerts.ports import Outbox
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
