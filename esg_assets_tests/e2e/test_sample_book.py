"""A firm's own book, from its CSV files to the decrypted report, row by row; what commands answer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import AS_OF, DAY, Installation
from esg_assets_tests.e2e.sample_book import METRIC, expected, write_book

D = ("--date", DAY)


@dataclass
class Book:
    """A book that was run once for DAY."""

    accounts: Path
    ratings: Path
    server: SimulatorServer
    house: Installation
    first: dict[str, object]

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        """What the report must say."""
        return expected(self.accounts, self.ratings, DAY, AS_OF)

    @property
    def counts(self) -> dict[str, int]:
        """Its accounts by status."""
        statuses = Counter(row["processing_status"] for row in self.rows.values())
        return {status: statuses[status] for status in ("SUCCESS", "NOT_RATED", "FAILED")}


def _book(folder: Path, accounts: Path, ratings: Path) -> Iterator[Book]:
    with SimulatorServer(Options(ratings_file=str(ratings), auth="none")) as server:
        house = Installation.new(
            folder / "home",
            server.url,
            ESG_ACCOUNTS_URL=str(accounts),
            ESG_METRICS=f"{METRIC}:tCO2e/MUSD revenue:lower",
        )
        first = house.ask("run", *D, "--current-accounts")
        yield Book(accounts, ratings, server, house, first)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("book")
    yield from _book(folder, *write_book(folder))


def test_every_row_is_what_the_files_say(book: Book) -> None:
    assert book.house.rows() == book.rows


def test_rows_stand_in_the_order_of_their_ids(book: Book) -> None:
    ids = list(book.house.rows())
    assert ids == sorted(book.rows)


def test_run_answers_what_the_contract_says(book: Book) -> None:
    told = {**book.first}
    # An id that no URL can carry takes a slot, and no call is made of it.
    assert told.pop("calls") in {len(book.rows), len(book.rows) - book.counts["FAILED"]}
    assert isinstance(told.pop("seconds"), float)
    assert isinstance(told.pop("run_id"), str)
    assert told == {
        "date": DAY,
        "status": "published",
        "version": 1,
        "sequence": 1,
        "published": True,
        "counts": book.counts,
        "retries": 0,
        "refusals": 0,
    }


def test_the_same_day_again_asks_nobody_and_publishes_nothing(book: Book) -> None:
    book.server.reset()
    before = book.house.ask("report", "verify")

    again = book.house.ask("run", *D, "--current-accounts")

    assert book.server.stats()["calls"] == 0
    assert again["calls"] == 0
    assert (again["status"], again["published"], again["version"]) == ("unchanged", False, 1)
    assert book.house.ask("report", "verify") == before


def test_the_report_commands_answer_for_the_run(book: Book) -> None:
    (listed,) = book.house.ask("report", "list")["reports"]
    assert (listed["date"], listed["version"], listed["sequence"]) == (DAY, 1, 1)
    assert listed["counts"] == book.counts

    verified = book.house.ask("report", "verify", *D)
    assert (verified["ok"], verified["faults"]) == (True, [])

    failed = {
        account_id: row["reason"]
        for account_id, row in book.rows.items()
        if row["processing_status"] == "FAILED"
    }
    key = str(book.house.home / "keys" / "demo-recipient.pem")
    for more in ((), ("--key", key)):
        found = book.house.ask("report", "failures", *D, *more)["failures"]
        assert {each["account_id"]: each["reason"] for each in found} == failed


def test_status_says_that_the_report_stands(book: Book) -> None:
    told = book.house.ask("status", *D)
    assert (told["published"], told["late"], told["wrong"]) == (True, False, [])
    assert len(book.house.run("status", *D).out.splitlines()) == 5


def test_status_of_a_date_without_report_is_late(book: Book) -> None:
    assert book.house.ask("status", "--date", "2026-01-05", status=1)["late"] is True


@pytest.mark.parametrize(
    ("arguments", "settings", "names"),
    [
        (("run", *D), {"ESG_API_RATE_LIMIT": "none"}, "ESG_API_RATE_LIMIT"),
        (("run", *D), {"ESG_API_URL": ""}, "ESG_API_URL"),
        (("run", "--date", "2099-01-01"), {}, "future"),
        (("run", "--date", "2020-01-01"), {}, "ESG_FIRST_DATE"),
        (("backfill", "2026-01-15", "2026-01-14"), {}, "older date first"),
        (("run", "--date", "yesterday"), {}, "--date"),
        (("report", "list"), {"ESG_STORE_URL": "ftp://nowhere"}, "ESG_STORE_URL"),
    ],
)
def test_wrong_usage_ends_with_2_before_any_call(
    book: Book, arguments: tuple[str, ...], settings: dict[str, str], names: str
) -> None:
    book.server.reset()
    told = book.house.ask(*arguments, status=2, **settings)
    assert names in told["error"]
    assert book.server.stats()["calls"] == 0


def test_a_run_that_is_blocked_says_so_and_ends_with_1(book: Book) -> None:
    with SimulatorServer(Options(ratings_file=str(book.ratings), auth="none", faults="404")) as unrated:
        done = book.house.run("run", "--date", "2026-01-16", "--current-accounts", ESG_API_URL=unrated.url)
        told = book.house.ask(
            "run", "--date", "2026-01-16", "--current-accounts", status=1, ESG_API_URL=unrated.url
        )
    assert done.status == 1
    assert "ESG_NOT_RATED_RATE_BLOCK" in done.out + done.err
    assert "Nothing was published" in done.out + done.err
    assert (told["status"], told["published"]) == ("failed", False)
    assert "Nothing was published" in told["error"]
    assert book.house.ask("status", "--date", "2026-01-16", status=1)["wrong"]


def test_a_run_without_its_provider_says_so_and_ends_with_1(book: Book) -> None:
    gone = {"ESG_API_URL": "http://127.0.0.1:9", "ESG_API_OUTAGE_SECONDS": "1", "ESG_API_MAX_ATTEMPTS": "2"}
    done = book.house.run("run", "--date", "2026-01-17", "--current-accounts", **gone)
    assert done.status == 1
    assert "2026-01-17: not published" in done.out
    assert "the next run asks only for what is open" in done.out


def test_an_earlier_date_of_a_source_without_history_is_refused(book: Book) -> None:
    told = book.house.ask("run", "--date", "2026-01-14", status=1)
    assert "--current-accounts" in told["error"]
