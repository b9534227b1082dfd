"""Runs many scenarios at once, each among simulators that no other uses at that time."""

import queue
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from esg_assets_tests.faults import memory
from esg_assets_tests.faults.engine import Done, Simulators, run
from esg_assets_tests.faults.scenario import Scenario

AT_ONCE = 4


class Runs:
    """Scenarios under way.

    Args:
        scenarios: which.
        folder: below it each has one of its own.
    """

    def __init__(self, scenarios: Sequence[Scenario], folder: Path) -> None:
        self._scenarios, self._folder = scenarios, folder
        self._stack = ExitStack()
        self._free: queue.SimpleQueue[Simulators] = queue.SimpleQueue()
        self._under_way: dict[str, Future[Done]] = {}

    def __enter__(self) -> Self:
        self._growth = self._stack.enter_context(memory.growth())
        for _ in range(AT_ONCE):
            self._free.put(self._stack.enter_context(Simulators()))
        pool = self._stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        for scenario in self._scenarios:
            self._under_way[_key(scenario)] = pool.submit(self._run, scenario)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for future in self._under_way.values():
            future.cancel()
        self._stack.close()

    def of(self, scenario: Scenario) -> Done:
        """What came of a scenario, when it has ended; raises what its server holds against the client."""
        return self._under_way[_key(scenario)].result(timeout=120)

    def grown(self) -> int:
        """Bytes by which the memory of this process grew at most, when all have ended."""
        for future in self._under_way.values():
            future.exception(timeout=120)
        return self._growth()

    def _run(self, scenario: Scenario) -> Done:
        simulators = self._free.get()
        folder = self._folder / str(id(scenario))
        folder.mkdir()
        try:
            return run(scenario, simulators, folder)
        finally:
            self._free.put(simulators)


def _key(scenario: Scenario) -> str:
    return f"{scenario.name}, {scenario.when}"
