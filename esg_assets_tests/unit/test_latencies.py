"""The histogram of call times: close to exact percentiles, of bounded size, and cheap."""

import math
import random
import sys
from collections.abc import Callable

import pytest

from esg_assets.core.latencies import LONGEST, PERCENTILES, SHORTEST, Latencies
from esg_assets.core.progress import Progress

WITHIN = 0.022


def exact(seconds: list[float], share: float) -> float:
    return sorted(seconds)[max(1, math.ceil(share * len(seconds))) - 1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "draw",
    [
        lambda dice: dice.lognormvariate(-1.5, 0.8),
        lambda dice: dice.uniform(0.001, 30.0),
        lambda dice: dice.expovariate(20.0) + 0.0001,
        lambda dice: dice.choice([0.05, 0.05, 0.05, 29.9]),
    ],
    ids=["lognormal", "uniform", "exponential", "two peaks"],
)
def test_percentiles_are_within_two_percent_of_the_exact_ones(
    seed: int, draw: Callable[[random.Random], float]
) -> None:
    dice = random.Random(seed)
    for count in (1, 2, 10, 999, 5000):
        seconds = [draw(dice) for _ in range(count)]
        latencies = Latencies.of(seconds)
        assert len(latencies) == count
        for share in (0.0, 0.1, *PERCENTILES, 1.0):
            found = latencies.percentile(share)
            assert found is not None
            assert abs(found / exact(seconds, share) - 1) < WITHIN, (count, share)


def test_two_runs_together_have_the_percentiles_of_all_their_calls() -> None:
    dice = random.Random(7)
    first, second = ([dice.lognormvariate(m, 0.5) for _ in range(500)] for m in (-2.0, 1.0))
    both = Latencies.of(first) + Latencies.of(second)
    assert both.percentiles() == Latencies.of(first + second).percentiles()


def test_without_a_call_there_is_no_percentile() -> None:
    assert Latencies().percentile(0.5) is None
    assert Latencies().percentiles() == {}


def test_what_is_out_of_range_counts_at_its_end() -> None:
    assert Latencies.of([0.0, -1.0]).percentile(0.5) == pytest.approx(SHORTEST, rel=WITHIN)
    assert Latencies.of([1e9]).percentile(0.5) == pytest.approx(LONGEST, rel=0.05)


def test_its_size_does_not_grow_with_calls() -> None:
    few, many = Latencies(), Latencies.of(n / 1000 for n in range(100_000))
    assert sys.getsizeof(many._counts) == sys.getsizeof(few._counts) < 5_000


def test_a_collection_s_progress_counts_every_call() -> None:
    progress = Progress(wanted=3, rate=50.0)
    for seconds in (0.1, 0.1, 0.4):
        progress.took(seconds)
    assert progress.latencies.percentiles() == {
        "p50_seconds": 0.0985,
        "p90_seconds": 0.394,
        "p99_seconds": 0.394,
    }
