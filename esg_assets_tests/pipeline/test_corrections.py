"""A published report is made again, as the UI does it: tags say why and who, or the pipeline what it did."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from esg_assets.core.ratings import Metric, Reply
from esg_assets.lifecycle import LifecycleStores
from esg_assets.run_reasons import WITHHELD
from esg_assets.working_window import close_windows
from esg_assets_tests.fakes import FakeRatingsApi, rating_reply
from esg_assets_tests.pipeline.house import DAY, Config, House, accounts, house_on_disk

WHY, WHO = "esg/reason", "esg/requested_by"


@pytest.fixture
def archived(house: House, tmp_path: Path) -> House:
    """A date whose working window has passed; since then the provider says something else of one account."""
    house.run()
    stores = LifecycleStores(house.settings.model_copy(update={"working_days": 0}))
    (turn,) = close_windows(stores.window, house.leases, "test", [DAY])
    assert turn.closed is not None
    changed = rating_reply("ACC-00002", DAY.replace(day=14), overall_score=70)
    house.api = FakeRatingsApi({"ACC-00002": [changed]}, policy=house.api.policy)
    return house


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({}, "so this is a correction. Give --reason"),
        ({WHY: "  "}, "so this is a correction. Give --reason"),
        ({WHO: "an analyst"}, "so this is a correction. Give --reason"),
        ({WHY: "the provider erred"}, f"says why ({WHY}) and not who asks for it"),
    ],
)
def test_a_correction_without_why_and_who_publishes_nothing(
    archived: House, tags: dict[str, str], wanted: str
) -> None:
    ran = archived.run(tags=tags)
    assert wanted in ran.failure
    assert ran.run.tags["esg/permanent"] == "true"
    published = archived.published()
    assert published is not None
    assert published.version == 1
    assert archived.entries() == 3


def test_a_correction_with_both_is_the_next_version_and_says_so_in_the_chain(archived: House) -> None:
    ran = archived.run(tags={WHY: "the provider erred", WHO: "an analyst"})
    assert ran.success
    published = archived.published()
    assert published is not None
    assert (published.version, published.reason, published.requested_by) == (
        2,
        "the provider erred",
        "an analyst",
    )
    assert archived.report()["ACC-00002"]["overall_esg_score"] == "70"


def test_the_runs_own_words_are_no_reason_outside_the_working_window(archived: House) -> None:
    ran = archived.run(config={"esg_ratings": {"refresh": "all"}})
    assert "so this is a correction. Give --reason" in ran.failure


DOWN = [Reply(503), Reply(503)]  # as often as QUICK tries
ALL: Config = {"esg_ratings": {"refresh": "all"}}
NEW_ACCOUNTS: Config = {"active_accounts": {"refresh_snapshot": True}}


def better(number: int) -> list[Reply]:
    """A score that is not the one that every account has at first."""
    return [rating_reply(f"ACC-{number:05d}", DAY.replace(day=14), overall_score=70)]


def reason_of(house: House, version: int) -> str:
    published = house.published()
    assert published is not None
    assert published.version == version
    return published.reason


def test_where_nobody_said_why_the_pipeline_says_what_it_did(house: House) -> None:
    house.answers({"ACC-00003": DOWN, "ACC-00005": DOWN})
    house.run()
    assert reason_of(house, 1) == ""
    house.answers({"ACC-00005": DOWN})
    house.run(tags={WHO: "an analyst"})
    assert reason_of(house, 2) == (
        "no reason was given; answers since then: 2, of accounts that had failed: 2; outcomes changed: 1"
    )
    published = house.published()
    assert published is not None
    assert published.requested_by == "an analyst"
    house.answers({"ACC-00001": better(1), "ACC-00002": better(2)})
    house.run(config=ALL)
    assert reason_of(house, 3) == (
        "no reason was given; answers since then: 12, of accounts that had failed: 1; outcomes changed: 3"
    )
    house.source.past = {DAY.replace(day=14): accounts(13)}
    house.run(config=NEW_ACCOUNTS)
    assert reason_of(house, 4) == (
        "no reason was given; new snapshot of the accounts: 13, before 12; answers since then: 1, of "
        "accounts that had failed: 0; outcomes changed: 0"
    )
    house.source.past = {DAY.replace(day=14): accounts(11)}
    house.run(config=NEW_ACCOUNTS)
    assert reason_of(house, 5) == "no reason was given; new snapshot of the accounts: 11, before 13"
    # Every entry after the first of a date says why; and who asked, if anybody did.
    house.run()
    assert reason_of(house, 5)
    bodies = [e.body for e in house.stores.remembered_chain.entries() if e.kind == "publish"]
    assert [bool(each["reason"]) for each in bodies] == [False, True, True, True, True]
    assert [each["requested_by"] for each in bodies] == ["", "an analyst", *["nobody said"] * 3]


def test_under_another_mapping_everybody_is_asked_for_anew_and_that_is_the_reason(house: House) -> None:
    house.run()
    house.answers({"ACC-00001": better(1)})
    ran = house.run(config=NEW_ACCOUNTS, metrics=(Metric("waci", "t:per:musd", "lower"),))
    assert ran.success, ran.failure
    assert reason_of(house, 2) == (
        "no reason was given; new snapshot of the accounts: 12, before 12; asked for anew under another "
        "mapping or other metrics: 12"
    )


def test_what_a_person_says_is_kept_as_typed(house: House) -> None:
    house.run()
    house.answers({"ACC-00001": better(1)})
    house.run(config=ALL, tags={WHY: " the provider erred; 1 outcome ", WHO: "an analyst"})
    assert reason_of(house, 2) == "the provider erred; 1 outcome"


def kept_by_dagster(home: Path) -> str:
    """Every row of Dagster's storage, whatever its table: tags, bodies of runs, event logs."""
    databases = [*home.rglob("*.db")]
    assert len(databases) >= 3
    rows: list[str] = []
    for path in databases:
        with contextlib.closing(sqlite3.connect(path)) as opened:
            rows += opened.iterdump()
    return "\n".join(rows)


@pytest.mark.parametrize("tag", [WHY, WHO])
def test_an_account_in_a_tag_is_taken_out_of_it_before_anybody_is_asked(tmp_path: Path, tag: str) -> None:
    with house_on_disk(tmp_path) as house:
        house.run(only=["active_accounts"])
        tags = {WHY: "the provider erred", WHO: "an analyst", tag: "asked for by ACC-00007"}
        ran = house.run(tags=tags)
        assert f"{tag} is not taken: it holds the id of an account" in ran.failure
        assert house.asked == []
        run = house.instance.get_run_by_id(ran.run.run_id)
        assert run is not None
        assert (run.tags[tag], run.tags["esg/permanent"]) == (WITHHELD, "true")
        told = kept_by_dagster(house.home)
        assert told.count(WITHHELD) >= 2  # the run's body, and its row among the tags
        assert "ACC-00007" not in told
        # Executed again, a run takes over its parent's tags: what stands in the place of a text is none.
        again = house.run(tags={**tags, tag: WITHHELD})
        assert "an earlier run did not take it" in again.failure
