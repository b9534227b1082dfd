"""The series: every contender on every size, with and without the limit, in interleaved rounds.

Interleaved, so that a neighbour's load falls on all alike; medians, so that one bad round counts for
nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from esg_assets_tests.bench import nginx
from esg_assets_tests.bench.access_log import Calls, read_calls
from esg_assets_tests.bench.contenders.task import Task
from esg_assets_tests.bench.running import Contender, ContenderFailed, Cost, fresh, run, run_with_a_kill

AS_OF = "2026-01-14"


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        contenders: ours first.
        sizes: numbers of accounts, ascending.
        large: a size that is run once, without the limit, to see memory grow; 0 for none.
        long: a size that is run once, under the limit, by those that keep to it; 0 for none.
        rounds: how often.
        rate: calls per second of the limited runs.
        in_flight: calls in flight at most, the same for everybody.
        folder: for everything that is written.
        nginx: its path.
    """

    contenders: Sequence[Contender]
    sizes: Sequence[int]
    large: int
    long: int
    rounds: int
    rate: float
    in_flight: int
    folder: Path
    nginx: str


@dataclass(frozen=True)
class Run:
    """One contender, once.

    Attributes:
        contender: its name.
        accounts: how many it collected.
        rate: the limit, 0 for none.
        cost: what its process took.
        calls: what the server saw.
    """

    contender: str
    accounts: int
    rate: float
    cost: Cost
    calls: Calls


@dataclass(frozen=True)
class Figures:
    """Medians over the rounds of one contender, size and limit.

    Attributes:
        span_seconds: first to last call.
        refusals: answers 429.
        cpu_seconds: of the whole process.
        start_up_seconds: CPU-seconds of its process that asks for one account.
        peak_mb: peak resident memory.
        wall_seconds: of the whole process.
    """

    span_seconds: float
    refusals: float
    cpu_seconds: float
    start_up_seconds: float
    peak_mb: float
    wall_seconds: float


Key = tuple[str, int, float]
"""Contender, accounts, limit."""


def all_rounds(plan: Plan, tell: Callable[[Run], None]) -> list[Run]:
    """Every run of the plan, each told of as it ends; a start-up run of one account comes first."""
    done = []
    for _ in range(plan.rounds):
        for accounts in [1, *plan.sizes]:
            for rate in [plan.rate] if accounts == 1 else [0.0, plan.rate]:
                for contender in plan.contenders:
                    if rate or not contender.limited_only:
                        done.append(one_run(plan, contender, accounts, rate))
                        tell(done[-1])
    for contender in plan.contenders:
        if plan.large and not contender.limited_only:
            done.append(one_run(plan, contender, plan.large, 0.0))
            tell(done[-1])
        if plan.long and contender.paced:
            done.append(one_run(plan, contender, plan.long, plan.rate))
            tell(done[-1])
    return done


def one_run(plan: Plan, contender: Contender, accounts: int, rate: float) -> Run:
    """One contender, once, on a server of its own.

    Raises:
        ContenderFailed: it failed, or did not get every rating.
    """
    with nginx.serving(plan.nginx, plan.folder / "nginx", rate) as server:
        cost = run(contender, _task(plan, server, accounts, rate), _patience(accounts, rate))
        calls = read_calls(server.log.read_text(encoding="utf-8").splitlines())
    if calls.rated != accounts:
        raise ContenderFailed(f"{contender.name} got {calls.rated:,} of {accounts:,} ratings.")
    return Run(contender.name, accounts, rate, cost, calls)


def repeated_after_a_kill(plan: Plan, contender: Contender, accounts: int) -> int:
    """Answers given twice when the contender is killed half-way under the limit and started again."""
    with nginx.serving(plan.nginx, plan.folder / "nginx", plan.rate) as server:
        task = _task(plan, server, accounts, plan.rate)
        calls = run_with_a_kill(contender, task, server.log, _patience(accounts, plan.rate))
    if calls.rated != accounts:
        raise ContenderFailed(f"{contender.name} got {calls.rated:,} of {accounts:,} ratings after a kill.")
    return calls.repeated


def medians(runs: Iterable[Run]) -> dict[Key, Figures]:
    """The medians, by contender, size and limit."""
    grouped: dict[Key, list[Run]] = {}
    start_up: dict[str, list[float]] = {}
    for each in runs:
        grouped.setdefault((each.contender, each.accounts, each.rate), []).append(each)
        if each.accounts == 1:
            start_up.setdefault(each.contender, []).append(each.cost.cpu_seconds)
    return {
        key: Figures(
            span_seconds=median(r.calls.span_seconds for r in group),
            refusals=median(r.calls.refusals for r in group),
            cpu_seconds=median(r.cost.cpu_seconds for r in group),
            start_up_seconds=median(start_up[key[0]]),
            peak_mb=median(r.cost.peak_mb for r in group),
            wall_seconds=median(r.cost.wall_seconds for r in group),
        )
        for key, group in grouped.items()
    }


def _patience(accounts: int, rate: float) -> float:
    return 120 + 10 * accounts / (rate or 1000)


def _task(plan: Plan, server: nginx.Server, accounts: int, rate: float) -> Task:
    out = fresh(plan.folder / "out")
    ids = out / "accounts.txt"
    ids.write_text("".join(f"ACC-{n:07d}\n" for n in range(accounts)), encoding="utf-8")
    return Task(
        url=server.url,
        ca=str(server.ca),
        token=nginx.TOKEN,
        as_of=AS_OF,
        accounts=str(ids),
        rate=rate,
        in_flight=plan.in_flight,
        out=str(out),
    )
