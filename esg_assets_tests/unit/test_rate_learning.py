"""Learning the provider's limit: downward only, from refusals and from what answers announce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.ports import CallPolicy
from esg_assets.core.rate_control import MIN_SHARE, RateControl
from esg_assets.core.rate_fields import announced_rate
from esg_assets.core.ratings import Reply, Status
from esg_assets.core.retry_budget import RESERVE, SHARE
from esg_assets_tests.unit.simulated_night import Simulation


class HiddenBucket:
    """A provider with a token bucket of its own, whose rate changes over the night."""

    def __init__(self, phases: list[tuple[float, float]], burst_seconds: float = 0.1) -> None:
        self.phases = phases  # (length in seconds, calls per second)
        self.burst_seconds = burst_seconds
        self.simulation: Simulation
        self.accepted = [0] * len(phases)
        self.refused = 0
        self._tokens = 0.0
        self._last = 0.0

    def phase(self, now: float) -> int:
        for number, (length, _) in enumerate(self.phases):
            now -= length
            if now < 0:
                return number
        return len(self.phases) - 1

    def __call__(self, _account: str, _nth: int) -> Reply:
        now = self.simulation.now
        phase = self.phase(now)
        rate = self.phases[phase][1]
        most = max(1.0, rate * self.burst_seconds)
        self._tokens = min(most, self._tokens + (now - self._last) * rate)
        self._last = now
        if self._tokens < 1.0 - 1e-9:
            self.refused += 1
            return Reply(429, retry_after="1")
        self._tokens -= 1.0
        self.accepted[phase] += 1
        return Reply(200)


@pytest.mark.parametrize("rate", [50.0, 400.0])
def test_a_hidden_limit_that_is_halved_and_restored_costs_little(rate: float) -> None:
    provider = HiddenBucket([(120, rate), (120, rate / 2), (120, rate)])
    policy = CallPolicy(rate=rate, max_attempts=20, outage_seconds=1e9)
    provider.simulation = Simulation(int(rate * 400), provider, policy=policy, workers=64)
    provider.simulation.run(until=360)

    attainable = sum(length * limit for length, limit in provider.phases)
    assert sum(provider.accepted) >= 0.95 * attainable
    assert provider.refused <= 0.01 * len(provider.simulation.sent)


def test_it_has_settled_a_minute_after_the_limit_was_halved() -> None:
    provider = HiddenBucket([(60, 400.0), (60, 200.0), (60, 200.0)])
    policy = CallPolicy(rate=400.0, max_attempts=20, outage_seconds=1e9)
    provider.simulation = Simulation(80_000, provider, policy=policy, workers=64)
    provider.simulation.run(until=180)

    assert provider.accepted[2] >= 0.85 * 60 * 200


def test_a_limit_of_a_tenth_is_found_and_every_account_ends() -> None:
    provider = HiddenBucket([(1e9, 20.0)])
    policy = CallPolicy(rate=200.0, max_attempts=30, outage_seconds=1e9)
    provider.simulation = Simulation(1000, provider, policy=policy, workers=64)
    done = provider.simulation.run()

    assert done.by_status() == {Status.SUCCESS: 1000}
    assert done.now < 1000 / 20 * 1.5


@given(st.lists(st.tuples(st.sampled_from(["refused", "answered", "announced"]), st.floats(0, 5))))
def test_the_rate_never_rises_above_the_setting_and_never_falls_to_a_standstill(
    events: list[tuple[str, float]],
) -> None:
    control, now = RateControl(100.0), 0.0
    for what, amount in events:
        now += amount
        if what == "refused":
            control.refused(now, now + amount)
        elif what == "answered":
            control.answered(now)
        else:
            control.announced(amount * 50)
        assert 100.0 * MIN_SHARE <= control.rate <= 100.0


def test_refusals_of_calls_in_flight_belong_to_one_lesson() -> None:
    control = RateControl(100.0)
    for n in range(20):
        control.refused(10.0 + n / 1000, 11.0)

    assert control.rate >= 70.0


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"ratelimit-policy": '"default";q=100;w=10'}, 10.0),
        ({"ratelimit-policy": '"burst";q=100;w=1, "hourly";q=36000;w=3600'}, 10.0),
        ({"ratelimit-policy": "100;w=60"}, 100 / 60),
        ({"ratelimit-limit": "100, 100;w=10"}, 10.0),
        ({"x-ratelimit-limit": "600", "x-ratelimit-window": "60"}, 10.0),
        # Lies and slips of the pen say nothing.
        ({"ratelimit-policy": '"default";q=0;w=1'}, None),
        ({"ratelimit-policy": '"default";q=-5;w=1'}, None),
        ({"ratelimit-policy": '"default";q=5;w=0'}, None),
        ({"ratelimit-policy": "Sun, 06 Nov 1994 08:49:37 GMT"}, None),
        ({"ratelimit-limit": "100"}, None),
        ({"x-ratelimit-limit": "100"}, None),
        ({"x-ratelimit-limit": "many", "x-ratelimit-window": "a while"}, None),
        ({"ratelimit": '"default";r=0;t=32400'}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "32400"}, None),
    ],
)
def test_only_a_rate_that_is_certain_is_read_from_headers(
    headers: dict[str, str], rate: float | None
) -> None:
    assert announced_rate(headers) == (None if rate is None else pytest.approx(rate))


@given(
    st.dictionaries(st.sampled_from(["ratelimit-policy", "ratelimit-limit", "x-ratelimit-limit"]), st.text())
)
def test_no_header_whatever_breaks_reading(headers: dict[str, str]) -> None:
    rate = announced_rate(headers)
    assert rate is None or rate > 0


def test_an_announced_limit_below_the_setting_is_believed_from_the_first_answer_on() -> None:
    headers = {"ratelimit-policy": '"default";q=50;w=1'}
    policy = CallPolicy(rate=200.0)
    done = Simulation(500, lambda _a, _n: Reply(200, headers=headers), policy=policy).run()

    assert done.refused_by_bucket(50.0, burst=20) == 0
    assert done.sent[-1][0] <= 500 / 50 * 1.05


def test_an_announced_limit_above_the_setting_changes_nothing() -> None:
    headers = {"ratelimit-policy": '"default";q=5000;w=1'}
    done = Simulation(300, lambda _a, _n: Reply(200, headers=headers), policy=CallPolicy(rate=100.0)).run()

    assert done.refused_by_bucket(100.0, burst=5) == 0


def test_an_announced_limit_that_is_lifted_is_used_at_once() -> None:
    simulation: Simulation

    def lifted(_account: str, _nth: int) -> Reply:
        return Reply(200, headers={"ratelimit-policy": f"{50 if simulation.now < 5 else 200};w=1"})

    simulation = Simulation(2000, lifted, policy=CallPolicy(rate=200.0))
    simulation.run()

    # Slots that were reserved before are kept.
    assert simulation.now <= 5 + (2000 - 250) / 200 * 1.05 + 0.5


def test_a_retry_storm_is_stopped_by_the_budget_and_the_rest_is_given_up_for_now() -> None:
    def every_second_account_fails(account: str, _nth: int) -> Reply:
        return Reply(500) if int(account[1:]) % 2 else Reply(200)

    policy = CallPolicy(rate=1000.0, outage_seconds=1e9)
    done = Simulation(4000, every_second_account_fails, policy=policy).run()

    assert done.by_status() == {Status.SUCCESS: 2000, Status.FAILED: 2000}
    progress = done.collection.progress
    assert progress.retries <= RESERVE + SHARE * progress.calls + 1
    assert progress.left == 0


def test_a_fifth_of_first_calls_failing_is_within_the_budget() -> None:
    def one_in_five_fails_once(account: str, nth: int) -> Reply:
        return Reply(500) if nth == 1 and int(account[1:]) % 5 == 0 else Reply(200)

    done = Simulation(5000, one_in_five_fails_once, policy=CallPolicy(rate=1000.0)).run()

    assert done.by_status() == {Status.SUCCESS: 5000}
