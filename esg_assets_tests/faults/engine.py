"""Runs one scenario with the real engine: HttpEsgApi, ThreadedGathering and judge_many.

What must come out is `scenario`; the comparison is `test_fault_matrix`.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from esg_assets.adapters.authorization import (
    ApiKey,
    Bearer,
    NoAuthorization,
    OAuth2ClientCredentials,
    TokenEndpoint,
)
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.adapters.esg_api.request_shape import CONTRACT_ONE, contract_several
from esg_assets.adapters.workers import ThreadedGathering
from esg_assets.core.errors import EsgError
from esg_assets.core.ports import Authorization, CallPolicy
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome, Reply
from esg_assets.core.replies import Judgement, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets.simulators.generated import EverybodyRated, GeneratedRatings
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.faults.scenario import Scenario, Stage, Turn, order

AS_OF = date(2026, 1, 14)
BOOK = GeneratedRatings(EverybodyRated(), unrated=0.0)
"""What the simulator and the hostile servers answer when nothing goes wrong."""

USUAL: Mapping[str, float] = {
    "rate": 1000.0,
    "concurrency": 8,
    "timeout_seconds": 10.0,
    "max_attempts": 5,
    "backoff_seconds": 0.02,
    "backoff_cap_seconds": 0.1,
    "outage_seconds": 30.0,
}
IN_ORDER: Mapping[str, float] = {"concurrency": 1, "backoff_seconds": 0.4, "backoff_cap_seconds": 0.4}


@dataclass
class Done:
    """What came of a run.

    Attributes:
        outcomes: what was kept, in its order.
        progress: None if an error ended the run.
        error: what ended it.
        seconds: how long it took.
        stats: what the simulator counted; empty for other servers.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    progress: Progress | None = None
    error: EsgError | None = None
    seconds: float = 0.0
    stats: dict[str, Any] = field(default_factory=dict)


class Simulators:
    """Simulators by their options: started once, and put back to undisturbed for each scenario."""

    def __init__(self) -> None:
        self._servers: dict[Options, SimulatorServer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.close()

    def of(self, scenario: Scenario) -> SimulatorServer:
        """A simulator with the scenario's faults ordered."""
        accepted = "none" if scenario.auth == "none" else "oauth2,api_key,bearer"
        options = Options(
            any_account=True,
            unrated=0.0,
            auth=accepted,
            token_seconds=scenario.token_seconds,
            limit_headers="draft" if scenario.announced else "none",
            control=True,
        )
        server = self._servers.get(options)
        if server is None:
            server = self._servers[options] = SimulatorServer(options)
        server.reset()
        server.order_faults(order(scenario.faults))
        window, _, kind = scenario.outage.partition("/")
        first, _, last = window.partition("-")
        server.order_outage(first=int(first or 0), last=int(last or 0), kind=kind or "503")
        server.order_token_faults(scenario.tokens)
        server.change_rate(*(scenario.limit or (0.0, 1.0)))
        return server


def run(scenario: Scenario, simulators: Simulators, folder: Path) -> Done:
    """Ask for every account of the scenario."""
    with ExitStack() as stack:
        simulator: SimulatorServer | None = None
        if scenario.stage is None:
            simulator = simulators.of(scenario)
            stage = Stage(simulator.url)
        else:
            stage = stack.enter_context(scenario.stage(folder))
        api = stack.enter_context(_client(scenario, stage, _Turning(scenario.turn, simulator)))
        done = _gather(scenario, api)
        if simulator is not None:
            done.stats = simulator.stats(accounts=True)
        stage.unharmed()
    return done


def right_body(account_id: str) -> bytes:
    """What an undisturbed provider answers for an account."""
    rating = BOOK.rating(account_id, AS_OF.isoformat())
    assert rating is not None
    return rating.body


def truth(account_id: str) -> Judgement:
    """What that means."""
    return judge_many(Reply(200, right_body(account_id)), (account_id,), AS_OF, (), CONTRACT_SHAPE)[
        account_id
    ]


class _Dice(random.Random):
    """Always the longest wait that jitter allows, so that the order of retries is certain."""

    def random(self) -> float:
        return 1.0


@contextmanager
def _client(scenario: Scenario, stage: Stage, took: Callable[[float], None]) -> Iterator[HttpEsgApi]:
    fields = {**USUAL, **(IN_ORDER if scenario.in_order else {}), **scenario.policy}
    counts = {name: int(fields.pop(name)) for name in ("concurrency", "max_attempts")}
    api = HttpEsgApi(
        stage.url,
        _authorization(scenario.auth, stage.url),
        CallPolicy(**fields, **counts),  # type: ignore[arg-type]  # the whole numbers are in `counts`
        shape=contract_several(scenario.per_call) if scenario.per_call > 1 else CONTRACT_ONE,
        took=took,
        **stage.options,
    )
    try:
        yield api
    finally:
        api.close()


def _authorization(kind: str, url: str) -> Authorization:
    if kind == "oauth2":
        endpoint = TokenEndpoint(
            f"{url}/oauth2/token",
            "demo-client",
            "demo-secret",
            timeout_seconds=1.0,
            sleep=lambda _seconds: None,
        )
        return OAuth2ClientCredentials(endpoint)
    if kind == "bearer":
        return Bearer("demo-bearer-token")
    return ApiKey("nobody's-key") if kind == "wrong_key" else NoAuthorization()


class _Turning:
    """After so many answers something happens at the provider: a listener of its client.

    When an answer arrives, not when it is judged: good answers are judged several at a time.
    """

    def __init__(self, turn: Turn | None, simulator: SimulatorServer | None) -> None:
        self._turn = turn
        self._simulator = simulator
        self._answers = 0
        self._lock = threading.Lock()

    def __call__(self, _seconds: float) -> None:
        with self._lock:
            self._answers += 1
            if self._turn is not None and self._answers == self._turn.after:
                assert self._simulator is not None
                _take(self._turn, self._simulator)


def _gather(scenario: Scenario, api: HttpEsgApi) -> Done:
    done = Done()

    def judge(reply: Reply, ids: Sequence[str]) -> Mapping[str, Judgement]:
        return judge_many(reply, ids, AS_OF, (), CONTRACT_SHAPE)

    started = time.monotonic()
    try:
        done.progress = ThreadedGathering(_Dice()).gather(
            scenario.ids,
            AS_OF,
            api,
            judge=judge,
            keep=done.outcomes.extend,
            report=lambda _progress: None,
        )
    except EsgError as error:
        done.error = error
    done.seconds = time.monotonic() - started
    return done


def _take(turn: Turn, simulator: SimulatorServer) -> None:
    for step in turn.happens.split(";"):
        action, *arguments = step.split()
        match action:
            case "revoke":
                simulator.revoke_tokens()
            case "faults":
                simulator.order_faults(order(arguments[0]))
            case "tokens":
                simulator.order_token_faults(arguments[0])
            case "outage":
                simulator.order_outage(on=True, kind=arguments[0])
            case "rate":
                simulator.change_rate(float(arguments[0]), float(arguments[1]))
            case _:
                raise ValueError(action)
