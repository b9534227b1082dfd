"""Whatever goes wrong, Dagster's databases, logs, tags and metadata hold no client data and no secret.

Every test of this file searches the instance's home (event log, runs, compute logs), both stores and what
was printed; the last one plants leaks, which the same search finds.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from esg_assets import composition
from esg_assets.core.accounts import Snapshot
from esg_assets.core.ports import Snapshots
from esg_assets.core.ratings import Fault, Reply
from esg_assets.settings import load_settings
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.fakes import FakeAccountSource, rating_reply
from esg_assets_tests.leak_search import assert_no_leak, find_leaks
from esg_assets_tests.pipeline.house import DAY, NEXT, House, account, accounts, environment, house_on_disk

AS_OF = NEXT.replace(day=14)
IDS = [f"ACC-{n:05d}" for n in range(14)]
NAMES = [f"Müller & Søn {n}" for n in range(14)]
SCORES = ["61.2371", "47.1193", "1003.50", "1007.50"]
PASSWORD = "pass-4711-word"
VICTIM = f"{IDS[3]}, {NAMES[3]}, 61.2371"
"""What a library may put in the text of an exception."""


@pytest.fixture
def house(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[House]:
    with house_on_disk(tmp_path) as made:
        yield made
        printed = capfd.readouterr()
        assert_no_leak(needles(made), **places(made), texts={"stdout": printed.out, "stderr": printed.err})


def needles(house: House) -> list[str]:
    """Ids, names, scores, amounts, a password, and the body of the private keys."""
    keys = [
        path.read_text().splitlines()[1]
        for path in (house.home / "keys").glob("*.pem")
        if ".pub" not in path.name
    ]
    return [*IDS, *NAMES, *SCORES, PASSWORD, *keys]


def places(house: House) -> dict[str, Any]:
    return {"folders": [path for path in house.home.iterdir() if path.name != "keys"]}


def unexpected(ran: Any, kind: str) -> None:
    """The message of an error that nobody foresaw: its kind, its place, what to do; not its text."""
    assert not ran.success
    assert ran.failure.startswith(f"An unexpected {kind} at ")
    assert "please report it" in ran.failure
    assert ran.run.tags["esg/error"] == kind


def test_a_night_with_failures_of_every_kind(house: House) -> None:
    body = f'{{"error": "no such account {VICTIM}", "token": "{PASSWORD}"}}'.encode()
    house.answers(
        {
            IDS[1]: [Reply(404, body)],
            IDS[2]: [Reply(422, body)],
            IDS[3]: [Reply(500, body)],
            IDS[4]: [rating_reply(IDS[5], AS_OF)],
            IDS[5]: [Reply(200, body[:-9])],
            IDS[6]: [Reply(200, b"\xff\xfe" + body)],
            IDS[7]: [Reply(None, fault=Fault.TIMEOUT)],
            IDS[8]: [rating_reply(IDS[8], AS_OF, overall_score=61.2371)],
            IDS[9]: [rating_reply(IDS[9], AS_OF, overall_score=1e9)],
            IDS[10]: [rating_reply(IDS[10], AS_OF, overall_score="61.2371")],
            IDS[11]: [rating_reply(IDS[11], AS_OF, primary_focus=VICTIM)],
        }
    )
    house.overrides["settings"] = house.settings.model_copy(update={"failure_rate_block": 0.9})
    assert house.run().success
    assert len([row for row in house.report().values() if row["processing_status"] == "FAILED"]) >= 7


def test_an_unforeseen_error_of_the_provider_s_client(house: House) -> None:
    house.answers({IDS[3]: [KeyError(VICTIM)]})
    unexpected(house.run(), "KeyError")


class _BrokenSource(FakeAccountSource):
    def read(self, as_of: date | None) -> Iterator[Any]:
        yield self.rows
        raise ValueError(f"cannot convert {self.rows}, {VICTIM} at postgresql://esg:{PASSWORD}@db")


def test_an_unforeseen_error_of_the_account_system(house: House) -> None:
    house.source = _BrokenSource(accounts(12))
    unexpected(house.run(), "ValueError")


class _BrokenHistory(MemoryHistory):
    def record_publication(self, published: Any, figures: Any) -> None:
        try:
            raise RuntimeError(VICTIM)  # noqa: TRY301  # a cause, as drivers chain them
        except RuntimeError as error:
            raise LookupError(f"[parameters: {VICTIM}, {PASSWORD}]") from error


def test_an_unforeseen_error_with_a_cause_of_the_database(house: House) -> None:
    house.history = _BrokenHistory()
    unexpected(house.run(), "LookupError")


class _OddSnapshots:
    """Snapshots whose accounts come back with another schema, or that break with a row in the text."""

    def __init__(self, inner: Snapshots, *, broken: bool = False) -> None:
        self._inner = inner
        self._broken = broken
        self.generation, self.save = inner.generation, inner.save

    def latest(self, partition: date) -> Snapshot | None:
        found = self._inner.latest(partition)
        if found is None:
            return None
        if self._broken:
            raise pa.ArrowInvalid(f"Could not convert '{VICTIM}' with type str")
        column = pa.array([1003.5] * found.count)
        return replace(found, accounts=found.accounts.set_column(2, "account_type", column))


def test_a_batch_that_is_not_what_its_type_says(house: House) -> None:
    assert house.run(only=["active_accounts"]).success
    house.overrides["snapshots"] = _OddSnapshots(house.stores.snapshots)
    ran = house.run(only=["esg_ratings"])
    assert "A batch is not what the type AccountsBatch says" in ran.failure
    assert "account_type" in ran.failure


def test_an_unforeseen_error_of_an_io_manager(house: House) -> None:
    assert house.run(only=["active_accounts"]).success
    house.overrides["snapshots"] = _OddSnapshots(house.stores.snapshots, broken=True)
    unexpected(house.run(only=["esg_ratings"]), "ArrowInvalid")


@pytest.mark.parametrize(
    "row",
    [
        account(3),
        account(12, account_id=f"{IDS[12]}\n{NAMES[12]}"),
        account(12, market_value="1003.50 EUR"),
        account(12, base_currency=NAMES[12]),
        account(12, account_name=1003.50),
        account(12, status=NAMES[12]),
    ],
    ids=["duplicate", "control character", "amount", "currency", "type", "status"],
)
def test_accounts_that_are_refused(house: House, row: dict[str, object]) -> None:
    house.source.past = {AS_OF: [*accounts(12), row]}
    ran = house.run()
    assert "row 13" in ran.failure
    assert "Have the list corrected at its source" in ran.failure


def test_an_account_database_that_does_not_answer(house: House) -> None:
    url = f"postgresql+psycopg://esg:{PASSWORD}@127.0.0.1:9/accounts"
    settings = house.settings.model_copy(
        update={"accounts_url": type(house.settings.database_url)(url)},
    )
    house.overrides["account_source"] = composition.account_source(settings)
    ran = house.run(config={"active_accounts": {"current_accounts": True}})
    assert ran.run.tags["esg/error"] == "SourceUnavailable"


def test_a_resource_that_cannot_be_made(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    broken = environment(tmp_path / "other") | {
        "ESG_DATABASE_URL": f"postgresql+psycopg://esg:{PASSWORD}@127.0.0.1:9/history",
        "ESG_API_RATE_LIMIT": "many",
    }
    house.overrides = {
        "settings": load_settings(environ=broken, dotenv=None, tolerant=True),
        "history": None,
        "esg_api": None,
    }
    assert not house.run().success
    events = house.instance.all_logs(house.instance.get_runs()[0].run_id)
    assert any("ESG_API_RATE_LIMIT" in str(e) or "database" in str(e) for e in events)


def test_a_planted_leak_is_found_by_the_same_search(tmp_path: Path) -> None:
    with house_on_disk(tmp_path) as house:
        ran = house.run()
        assert_no_leak(needles(house), **places(house))
        house.instance.add_run_tags(ran.run.run_id, {"who": IDS[3]})
        assert find_leaks([IDS[3]], **places(house))
        house.instance.report_engine_event(f"rated {NAMES[4]}", ran.run)
        assert find_leaks([NAMES[4]], **places(house))

        @dg.op
        def talkative() -> None:
            print(f"the score is {SCORES[0]}")  # noqa: T201  # the leak

        @dg.job
        def leaking() -> None:
            talkative()

        assert leaking.execute_in_process(instance=house.instance).success
        assert find_leaks([SCORES[0]], **places(house))
        assert DAY.isoformat() in ran.run.tags.values()
