"""The engine against the simulator's token bucket: how much of the limit it uses, and what is refused.

The ratio is printed and not asserted, since it is of a clock; refusals are asserted. Wants a quiet machine.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pytest

from esg_assets.adapters.authorization import NoAuthorization
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.adapters.workers import ThreadedGathering
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Outcome, Reply, Status
from esg_assets.core.replies import Judgement, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer

pytestmark = pytest.mark.proof

AS_OF = date(2026, 1, 14)


@dataclass(frozen=True)
class Case:
    """One limit.

    Attributes:
        rate: calls per second, ours and the provider's.
        share: the provider's bucket as a share of one second.
        calls: accounts asked for.
        latency: seconds that each answer takes.
        faults: of first calls.
        in_flight: calls at most.
        refused: share of calls that may be refused.
    """

    rate: float
    share: float
    calls: int
    latency: float = 0.0
    faults: str = ""
    in_flight: int = 64
    refused: float = 0.0


CASES = {
    "50 a second": Case(50, 0.1, 300),
    "500 a second": Case(500, 0.1, 5_000),
    "500 a second, a smaller bucket": Case(500, 0.02, 5_000, refused=0.001),
    "2,000 a second": Case(2_000, 0.1, 20_000),
    "2,000 a second, a smaller bucket": Case(2_000, 0.02, 20_000, refused=0.001),
    "5,000 a second": Case(5_000, 0.1, 50_000),
    "5,000 a second, a smaller bucket": Case(5_000, 0.02, 50_000, refused=0.001),
    "a fifth of first calls fail": Case(500, 0.1, 5_000, faults="503=0.2/first1"),
    "300 ms latency": Case(500, 0.1, 10_000, latency=0.3, in_flight=256),
}


def judge(reply: Reply, account_ids: Sequence[str]) -> Mapping[str, Judgement]:
    return judge_many(reply, account_ids, AS_OF, (), CONTRACT_SHAPE)


@pytest.mark.parametrize("name", CASES)
def test_the_limit_is_used_and_not_exceeded(name: str) -> None:
    case = CASES[name]
    options = Options(
        auth="none",
        any_account=True,
        unrated=0,
        rate=case.rate,
        burst=max(1.0, case.rate * case.share),
        latency=case.latency,
        faults=case.faults,
    )
    kept: list[Outcome] = []
    policy = CallPolicy(rate=case.rate, concurrency=case.in_flight)
    with SimulatorServer(options) as server:
        api = HttpEsgApi(server.url, NoAuthorization(), policy)
        started = time.process_time()
        progress = ThreadedGathering(random.Random(1)).gather(
            [f"A{number:07d}" for number in range(case.calls)],
            AS_OF,
            api,
            judge=judge,
            keep=kept.extend,
            report=lambda _progress: None,
        )
        cpu = time.process_time() - started
        api.close()
        stats = server.stats(arrivals=True)
    arrivals = stats["arrivals_ms"]
    seconds = (arrivals[-1] - arrivals[0]) / 1000
    print(  # noqa: T201  # its purpose
        f"{name:34} {progress.calls:>6,} calls in {seconds:6.2f} s, "
        f"{seconds * case.rate / progress.calls:.3f} of calls / rate, {stats['refused']} refused, "
        f"{1e4 * cpu / progress.calls:.2f} CPU-s per 10,000"
    )
    assert {outcome.status for outcome in kept} == {Status.SUCCESS}
    assert len(kept) == case.calls
    assert stats["refused"] <= case.refused * case.calls
