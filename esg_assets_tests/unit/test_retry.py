"""Retry-After in all its forms, and full jitter."""

import math
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.retry import full_jitter, retry_after_seconds

NOW = datetime(2026, 1, 15, 11, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("+3", 3.0),
        ("-5", 0.0),
        ("901", 900.0),
        ("9" * 5000, 900.0),
        ("Thu, 15 Jan 2026 11:00:30 GMT", 30.0),
        ("Thursday, 15-Jan-26 11:00:30 GMT", 30.0),
        ("Thu Jan 15 11:00:30 2026", 30.0),
        ("Thu Jan  1 11:00:30 2026", 0.0),
        ("Thu, 15 Jan 2026 10:59:00 GMT", 0.0),
        ("Fri, 16 Jan 2026 11:00:00 GMT", 900.0),
        ("Thu, 15 Jan 2026 11:00:60 GMT", 60.0),
    ],
)
def test_retry_after_is_read_in_every_form_of_rfc_9110(text: str, seconds: float) -> None:
    assert retry_after_seconds(text, NOW, 900.0) == seconds


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "soon",
        "١٢",
        "1e3",
        "nan",
        "inf",
        "1,5",
        "0x10",
        "7 s",
        "7, 8",
        "Thu, 31 Feb 2026 11:00:00 GMT",
        "Thu, 15 Jan 0000 11:00:00 GMT",
        "Thu, 15 Jan 2026 24:00:00 GMT",
        "Thu, 15 Jan 2026 11:00:61 GMT",
        "Thu, 15 Jän 2026 11:00:00 GMT",
        "Thu, 15 Jan 2026 11:00:00",
        "Thu, 15 Jan 2026 11:00:00 GMT, 5",
        "2026-01-15T11:00:30Z",
    ],
)
def test_what_cannot_be_understood_is_as_if_it_had_not_been_sent(text: str | None) -> None:
    assert retry_after_seconds(text, NOW, 900.0) is None


def test_a_two_digit_year_more_than_fifty_years_ahead_is_in_the_past() -> None:
    assert retry_after_seconds("Sunday, 06-Nov-94 08:49:37 GMT", NOW, 900.0) == 0.0
    assert retry_after_seconds("Thursday, 15-Jan-76 10:00:00 GMT", NOW, math.inf) == pytest.approx(
        50 * 365.2425 * 86_400, rel=0.001
    )


@given(
    st.text() | st.from_regex(r"\A[-+]?[0-9]+(\.[0-9]+)?\Z"),
    st.floats(),
    st.floats(min_value=0, max_value=1e9),
)
def test_no_text_and_no_clock_makes_it_raise_or_leave_its_bounds(text: str, now: float, cap: float) -> None:
    seconds = retry_after_seconds(text, now, cap)
    assert seconds is None or 0.0 <= seconds <= cap


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)), st.integers(-10_000, 10_000))  # noqa: DTZ001  # hypothesis wants naive bounds
def test_any_date_that_a_server_can_write_is_read_back(naive: datetime, ahead: int) -> None:
    now = naive.replace(tzinfo=UTC, microsecond=0)
    then = now + timedelta(seconds=ahead)
    forms = [format_datetime(then, usegmt=True), then.strftime("%A, %d-%b-%y %H:%M:%S GMT"), then.ctime()]
    for form in forms:
        assert retry_after_seconds(form, now.timestamp(), 5_000.0) == min(max(ahead, 0), 5_000), form


def test_a_clock_out_of_all_bounds_is_no_reason_to_raise() -> None:
    for now in (math.inf, math.nan, -1e300, 1e300):
        assert retry_after_seconds("Thursday, 15-Jan-26 11:00:30 GMT", now, 900.0) in (None, 0.0, 900.0)


@given(st.integers(1, 10**9), st.integers())
def test_full_jitter_stays_between_zero_and_the_doubled_base(attempt: int, seed: int) -> None:
    wait = full_jitter(attempt, 0.5, 60.0, random.Random(seed).random)
    assert 0.0 <= wait <= min(60.0, 0.5 * 2.0 ** min(attempt - 1, 1000))


def test_full_jitter_uses_the_whole_interval_and_doubles_it() -> None:
    assert [full_jitter(n, 1.0, 10.0, lambda: 1.0) for n in (1, 2, 3, 4, 5, 6)] == [1, 2, 4, 8, 10, 10]
    assert full_jitter(3, 1.0, 10.0, lambda: 0.0) == 0.0
