"""The token bucket and how it announces itself."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.rate_limit import TokenBucket
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import call, rating_path


@pytest.mark.parametrize(("rate", "burst"), [(50.0, 1.0), (400.0, 40.0), (7.5, 3.0), (0.2, 2.0)])
def test_no_span_of_time_gets_more_than_the_rate_and_the_burst(rate: float, burst: float) -> None:
    dice = random.Random(20260114)
    bucket, now = TokenBucket(rate, burst, now=0.0), 0.0
    passed = []
    for _ in range(3000):
        now += dice.choice([0.0, 0.1, 0.5, 1.0, 5.0]) / rate
        if bucket.take(now):
            passed.append(now)
    for first, start in enumerate(passed):
        for last in range(first, min(first + 60, len(passed))):
            assert last - first + 1 <= rate * (passed[last] - start) + burst + 1e-6


def test_all_of_the_rate_can_be_used() -> None:
    bucket = TokenBucket(100.0, 1.0, now=0.0)
    assert all(bucket.take(at * 0.010001) for at in range(1000))


def test_retry_after_is_long_enough() -> None:
    bucket = TokenBucket(0.25, 1.0, now=0.0)
    assert bucket.take(0.0)
    assert not bucket.take(1.0)
    assert bucket.wait_seconds(1.0) == 3
    assert bucket.take(4.0)


def test_no_limit_lets_everything_through_and_announces_nothing() -> None:
    bucket, headers = TokenBucket(0.0, 1.0, now=0.0), list[tuple[bytes, bytes]]()
    assert all(bucket.take(0.0) for _ in range(1000))
    bucket.announce(headers)
    assert headers == []


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("draft", [(b"ratelimit", b'"default";r=9;t=1'), (b"ratelimit-policy", b'"default";q=50;w=1')]),
        (
            "legacy",
            [(b"ratelimit-limit", b"10"), (b"ratelimit-remaining", b"9"), (b"ratelimit-reset", b"1")],
        ),
        ("none", []),
    ],
)
def test_the_limit_is_announced_in_the_style_asked_for(
    style: str, expected: list[tuple[bytes, bytes]]
) -> None:
    bucket, headers = TokenBucket(50.0, 10.0, now=0.0, style=style), list[tuple[bytes, bytes]]()
    bucket.take(0.0)
    bucket.announce(headers)
    assert headers == expected


@pytest.mark.parametrize(("rate", "policy"), [(2.5, b"q=25;w=10"), (0.3, b"q=3;w=10"), (0.01, b"q=1;w=100")])
def test_a_rate_that_is_not_whole_is_announced_over_longer_windows(rate: float, policy: bytes) -> None:
    bucket, headers = TokenBucket(rate, 1.0, now=0.0), list[tuple[bytes, bytes]]()
    bucket.announce(headers)
    assert headers[1] == (b"ratelimit-policy", b'"default";' + policy)


def test_a_429_says_when_to_come_back_and_is_counted() -> None:
    with SimulatorServer(Options(auth="none", rate=0.5, burst=2)) as server:
        answers = [call(server.url, rating_path("A0000001")) for _ in range(4)]
        assert [a.status for a in answers] == [200, 200, 429, 429]
        assert answers[0].headers["RateLimit"] == '"default";r=1;t=2'
        assert answers[2].headers["Retry-After"] == "2"
        assert answers[2].json["code"] == "rate_limited"
        stats = server.stats()
        assert (stats["calls"], stats["refused"], stats["answers"]) == (4, 2, {"200": 2, "429": 2})


def test_a_crowd_on_the_wire_gets_no_more_than_the_limit() -> None:
    with SimulatorServer(Options(auth="none", rate=100, burst=10)) as server, ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        answers = list(pool.map(lambda _: call(server.url, rating_path("A0000001")).status, range(400)))
        seconds = time.monotonic() - start
    assert answers.count(200) <= 100 * seconds + 10
    assert answers.count(429) == 400 - answers.count(200)


def test_the_limit_can_be_changed_while_it_runs() -> None:
    with SimulatorServer(Options(auth="none")) as server:
        server.change_rate(0.1, 1)
        assert [call(server.url, rating_path("A0000001")).status for _ in range(2)] == [200, 429]
        server.change_rate(0, 1)
        assert call(server.url, rating_path("A0000001")).status == 200
