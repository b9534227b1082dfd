"""Killing a run at a chosen moment, running again, and comparing with a run that nobody disturbed.

Moments are told from outside, by what stands on the disk and in /proc: nothing in the program knows that
it is tested.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import DAY, TIMEOUT, Done, Installation, Started

RATE = 300
ACCOUNTS = 900
"""So that the calls of a run take about three seconds."""

FAULTS = "500=0.03/first1,truncated=0.02/first1,422=0.01"
RETRIED = ("500", "truncated")

KEPT_AFTER_SECONDS = 1.0
"""What arrived longer ago than this is sealed and on the disk, whatever happens."""


class Since(NamedTuple):
    """Seconds since the process began, and since its first call (-1 before it)."""

    start: float
    first_call: float


Moment = Callable[[Started, Installation, Since], bool]
"""Whether it has come; told the process, its installation and how long it has been running."""


@dataclass(frozen=True)
class Point:
    """One moment, by name."""

    name: str
    has_come: Moment


def after_seconds(seconds: float) -> Point:
    """That long after the first call."""
    return Point(f"{seconds:.2f} s after the first call", lambda *at: at[2].first_call >= seconds)


def after_start(seconds: float) -> Point:
    """That long after the process began, before or after its first call."""
    return Point(f"{seconds:.2f} s after the start", lambda *at: at[2].start >= seconds)


def with_parts(count: int) -> Point:
    """As soon as so many parts are sealed."""
    return Point(f"{count} parts sealed", lambda _, house, __: len(parts(house)) >= count)


def writing_part(nth: int) -> Point:
    """While part number `nth`, or a later one, has bytes and no name yet."""

    def come(process: Started, house: Installation, _: Since) -> bool:
        return len(parts(house)) >= nth - 1 and writes_below(process.pid, house.home / "work" / "parts")

    return Point(f"inside the write of part {nth} or later", come)


def writing_report() -> Point:
    """While the sealed report has bytes and no name yet."""
    return Point(
        "inside the write of the report", lambda p, h, _: writes_below(p.pid, h.home / "store" / "reports")
    )


def writing_entry() -> Point:
    """While the chain entry has bytes and no name yet: the point of publication itself."""
    return Point(
        "inside the write of the entry", lambda p, h, _: writes_below(p.pid, h.home / "store" / "chain")
    )


def with_objects(folder: str, count: int, name: str) -> Point:
    """As soon as so many objects stand below a folder of the records store."""
    return Point(name, lambda _, house, __: len(files(house.home / "store" / folder)) >= count)


def parts(house: Installation) -> list[Path]:
    """The sealed parts of DAY."""
    return files(house.home / "work" / "parts" / DAY)


def files(folder: Path) -> list[Path]:
    """Every file below a folder that may not be there yet."""
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def writes_below(pid: int, folder: Path) -> bool:
    """Whether the process has a file open there that has no name: one it is writing."""
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith(f"{folder}/") and target.endswith("(deleted)"):
                    return True
    return False


@dataclass
class Ground:
    """The simulators, and what a run that nobody disturbed makes of them.

    Attributes:
        server: the simulators.
        undisturbed: the report of DAY.
        folder: for installations.
    """

    server: SimulatorServer
    undisturbed: bytes
    folder: Path

    def house(self) -> Installation:
        """An installation that has run nothing yet."""
        return _house(self.folder / f"home{time.monotonic_ns()}", self.server.url)


def _house(home: Path, url: str) -> Installation:
    return Installation.new(home, url, ESG_API_RATE_LIMIT=str(RATE), ESG_API_BURST="1")


@contextlib.contextmanager
def undisturbed(folder: Path) -> Iterator[Ground]:
    """Simulators, and one run to its end."""
    with SimulatorServer(Options(accounts=ACCOUNTS, auth="none", faults=FAULTS, latency=0.02)) as server:
        house = _house(folder / "undisturbed", server.url)
        assert house.run("run", "--date", DAY).status == 0
        yield Ground(server, house.report(), folder)


@dataclass(frozen=True)
class Killed:
    """What became of one kill.

    Attributes:
        point: when it was.
        met: whether the run was still alive then.
        parts: sealed at the kill.
        recent: calls that came within the last flush interval, sealing included, before the kill.
        repeated: calls for accounts that had been asked for already, but for those that had to be retried.
        in_flight: the most calls at once.
        again: the second run.
        report: decrypted afterwards.
    """

    point: str
    met: bool
    parts: int
    recent: int
    repeated: int
    in_flight: int
    again: Done
    report: bytes

    @property
    def row(self) -> str:
        """One line of a table."""
        return (
            f"{self.point:<36} {self.parts:>5} parts {self.repeated:>5} repeated, at most "
            f"{self.recent + self.in_flight:>5} allowed{'' if self.met else '  (the run had ended)'}"
        )


@contextlib.contextmanager
def stopped_at(
    point: Point, house: Installation, server: SimulatorServer, number: signal.Signals
) -> Iterator[tuple[Started, float, bool]]:
    """A run of DAY that gets a signal at a moment: the process, when that was, whether it lived then."""
    with house.started("run", "--date", DAY) as process:
        first, asked, began = 0.0, 0.0, time.monotonic()
        while process.process.poll() is None:
            now = time.monotonic()
            assert now < began + TIMEOUT, "neither the moment nor the end of the run came"
            if not first and now - asked > 0.02:  # seldom, not to keep the simulators busy
                first, asked = (now if server.stats()["calls"] else 0.0), now
            if point.has_come(process, house, Since(now - began, now - first if first else -1.0)):
                break
            time.sleep(0.0002)  # a write lasts for milliseconds, and the run needs the core too
        met = process.process.poll() is None
        process.send(number)
        yield process, time.monotonic(), met


def assert_killed_and_made_good(point: Point, ground: Ground) -> Killed:
    """SIGKILL a run in a new house at a moment and run again: nothing is lost, doubled or stuck."""
    house = ground.house()
    killed = _kill_and_run_again(point, house, ground.server)
    assert killed.again.status == 0, killed.again
    assert killed.report == ground.undisturbed
    assert killed.repeated <= killed.recent + killed.in_flight, killed.row
    verified = house.ask("report", "verify")
    assert (verified["ok"], verified["entries"]) == (True, 2), "the report and its summary, once each"
    told = house.ask("status", "--date", DAY)
    assert (told["published"], told["running"]) == (True, None), "the dead run is known to be dead"
    return killed


def _kill_and_run_again(point: Point, house: Installation, server: SimulatorServer) -> Killed:
    server.reset()
    with stopped_at(point, house, server, signal.SIGKILL) as (process, at, met):
        process.end()
    sealed = len(parts(house))
    arrivals = [ms / 1000 for ms in server.stats(arrivals=True)["arrivals_ms"]]
    recent = sum(moment > at - KEPT_AFTER_SECONDS for moment in arrivals)
    again = house.run("run", "--date", DAY)
    stats = server.stats()
    retried = sum(stats["faults"].get(kind, 0) for kind in RETRIED)
    return Killed(
        point.name,
        met,
        sealed,
        recent,
        stats["repeated_calls"] - retried,
        stats["max_in_flight"],
        again,
        house.report() if again.status == 0 else b"",
    )
