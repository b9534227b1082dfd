"""A month of nights through the whole pipeline, from a firm's two files whose ratings walk by a seed.

    python -m esg_assets_tests.site.real_month --accounts accounts.csv --ratings ratings.csv --folder F

makes F: `home` (a DAGSTER_HOME of its own, with demo keys and the pages in `home/site`), `inputs` (what
the systems answered each night) and `opened` (every version of every report, opened). One night is
partial, one never ran, one is stopped by a check, and one is corrected. Each run is the command line in
a process of its own, against the simulators.
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import Installation
from esg_assets_tests.site.walked_files import Book, read, renewed_governance, walked, write

SEED = 20261124
ORDINARY = "500=0.03/first1,503=0.01/first2,422=0.002/sticky"
POOR = "500=0.035/sticky,truncated=0.015/sticky,422=0.010/sticky"
"""A night on which 6 % of the accounts fail, for three reasons."""

DOWN = "500=0.7/sticky"
"""A night on which so many fail that nothing may be published."""

METRIC = "waci_tco2e_per_musd_revenue:tCO2e/MUSD revenue:lower"
REASON = "provider mended its governance data"


@dataclass(frozen=True)
class Plan:
    """Which nights there are, from `first` to `last`, and what is wrong with which."""

    first: date
    last: date
    missing: date
    stopped: date
    partial: date
    corrected: date

    @classmethod
    def of(cls, last: date, nights: int = 32) -> "Plan":
        """The plan of so many nights (8 or more) that end with `last`."""
        first = last - timedelta(days=nights - 1)

        def at(share: float) -> date:
            return first + timedelta(days=int(nights * share))

        return cls(first, last, missing=at(0.35), stopped=at(0.5), partial=at(0.8), corrected=at(0.65))

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Month:
    """What came of it.

    Attributes:
        plan: what was to happen.
        house: the installation.
        folder: of everything.
    """

    plan: Plan
    house: Installation
    folder: Path

    def opened(self, day: date, version: int) -> Path:
        """Where that report is, opened."""
        return self.folder / "opened" / f"{day}_v{version}.csv"


def run_month(book: Book, folder: Path, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Month:
    """Run every night of the plan, open every report, and make the pages."""
    dice = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    house = Installation.new(
        folder / "home",
        "http://127.0.0.1:9",
        ESG_METRICS=METRIC,
        ESG_FIRST_DATE=plan.first.isoformat(),
        ESG_API_MAX_ATTEMPTS="3",
        ESG_API_RATE_LIMIT="1000",
    )
    (folder / "opened").mkdir()
    month = Month(plan, house, folder)
    for day in plan.days:
        if day != plan.first:
            book = walked(dice, book, day)
        if day == plan.missing:
            continue
        faults = POOR if day == plan.partial else DOWN if day == plan.stopped else ORDINARY
        told = _night(month, book, day, faults)
        tell(f"{day}: {told}")
        if day == plan.corrected:
            tell(_pages(month))  # with the first version on it
            book = renewed_governance(dice, book, day, 0.25)
            told = _night(month, book, day, ORDINARY, "--refresh", "all", "--reason", REASON)
            tell(f"{day} again: {told}")
    tell(_pages(month))
    return month


def _night(month: Month, book: Book, day: date, faults: str, *switches: str) -> str:
    accounts, ratings = write(book, month.folder / "inputs" / day.isoformat())
    options = Options(
        accounts_file=str(accounts),
        ratings_file=str(ratings),
        faults=faults,
        seed=day.toordinal(),
        auth="none",
    )
    with SimulatorServer(options) as server:
        urls = {"ESG_ACCOUNTS_URL": server.url, "ESG_API_URL": server.url}
        done = month.house.run("run", "--date", day.isoformat(), *switches, **urls)
    if day == month.plan.stopped:
        assert done.status == 1, done
        return "stopped"
    assert done.status == 0, done
    version = 2 if switches else 1
    month.opened(day, version).write_bytes(month.house.report(day.isoformat(), version))
    return f"version {version}"


def _pages(month: Month) -> str:
    done = month.house.run("site", "build", ESG_SITE_FOLDER=str(month.house.home / "site"))
    assert done.status == 0, done
    return done.out.strip()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("accounts", "ratings", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--last", type=date.fromisoformat, required=True, help="date of the last report")
    parser.add_argument("--nights", type=int, default=32)
    given = parser.parse_args(arguments)
    book = read(given.accounts.absolute(), given.ratings.absolute())
    plan = Plan.of(given.last, given.nights)
    run_month(book, given.folder.absolute(), plan, _tell)


if __name__ == "__main__":
    main()
