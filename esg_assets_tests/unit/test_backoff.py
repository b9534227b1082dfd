"""When a message that was not taken is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.alerts import backoff

NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
JITTERS = st.floats(0, 1)


def seconds(attempts: int, jitter: float, asked: float | None = None) -> float:
    return (backoff.retry_at(NOW, attempts, jitter, asked) - NOW).total_seconds()


def test_waits_double_from_a_quarter_of_a_minute_to_a_quarter_of_an_hour() -> None:
    assert [seconds(attempts, 1.0) for attempts in range(9)] == [
        *(15, 30, 60, 120, 240, 480),
        *(900, 900, 900),
    ]


def test_jitter_takes_up_to_half_of_a_wait() -> None:
    assert (seconds(2, 0.0), seconds(2, 0.5)) == (30, 45)


def test_a_channel_is_left_alone_as_long_as_it_asks() -> None:
    assert seconds(0, 1.0, 120) == 120


def test_a_channel_that_asks_for_less_does_not_hurry_us() -> None:
    assert seconds(6, 1.0, 1) == 900


def test_a_channel_cannot_ask_for_more_than_an_hour() -> None:
    assert seconds(0, 1.0, 10**9) == 3600


@given(st.integers(0, 10**6), JITTERS, st.none() | st.floats(allow_nan=False))
def test_every_message_is_tried_again_within_the_hour(
    attempts: int, jitter: float, asked: float | None
) -> None:
    wait = backoff.retry_at(NOW, attempts, jitter, asked) - NOW
    assert timedelta(seconds=7) < wait <= timedelta(hours=1)
