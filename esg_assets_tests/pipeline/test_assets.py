"""The four assets on real Dagster and real sealed stores: what is asked, stored and published, and when."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from esg_assets import composition
from esg_assets.core.ratings import Reply, Status
from esg_assets_tests.fakes import rating_reply
from esg_assets_tests.pipeline.house import ASSETS, DAY, NEXT, House, account, accounts

FAILS = [Reply(500)]


def test_a_night_ends_with_a_sealed_report_of_every_account(house: House) -> None:
    house.answers({"ACC-00003": [Reply(404)], "ACC-00005": FAILS, "ACC-00007": [Reply(422)]})
    ran = house.run()
    assert ran.success
    assert ran.materialized == list(ASSETS)
    report = house.report()
    assert sorted(report) == [row["account_id"] for row in accounts(12)]
    assert {i: row["reason"] for i, row in report.items() if row["reason"]} == {
        "ACC-00003": "not_covered",
        "ACC-00005": "unavailable",
        "ACC-00007": "rejected",
    }
    assert report["ACC-00000"]["overall_esg_score"] == "52.5"
    assert report["ACC-00000"]["account_name"] == "Müller & Søn 0"
    assert house.entries() == 2  # the report and its summary


def test_both_systems_are_asked_as_of_the_day_before(house: House) -> None:
    house.run()
    assert house.source.asked == [NEXT.replace(day=14)]
    assert {as_of for _, as_of in house.api.calls} == {NEXT.replace(day=14)}


def test_every_check_is_shown_on_the_partition(house: House) -> None:
    house.run()
    house.run(NEXT)
    for day in (DAY, NEXT):
        assert {name: found.passed for name, found in house.checks(day).items()} == dict.fromkeys(
            [
                "accounts_complete_and_unique",
                "account_count_plausible",
                "every_account_has_one_outcome",
                "failure_rate",
                "not_rated_rate",
                "report_equals_ratings",
                "keys_unchanged",
                "ratings_drift",
                "report_still_verifies",
            ],
            True,
        )


def test_the_figures_and_the_policy_stand_in_the_metadata(house: House) -> None:
    ran = house.run()
    assert ran.metadata("active_accounts")["accounts"] == 12
    ratings = ran.metadata("esg_ratings")
    assert ratings["calls"] == 12
    assert ratings["rate_limit"].startswith("5000 calls/s, burst 10")
    assert ratings["retry_policy"].startswith("2 tries, exponential backoff")
    assert ran.metadata("encrypted_report_csv")["version"] == 1
    summary = ran.metadata("daily_summary")
    assert "| rated | 12 | 100.0% |" in summary["summary"]
    assert summary["accounts"] == 12


def test_the_same_day_again_asks_nobody_and_publishes_nothing(house: House) -> None:
    house.answers({"ACC-00003": [Reply(404)], "ACC-00007": [Reply(422)]})
    house.run()
    first, history = house.published(), list(house.history.publications)
    house.answers()
    again = house.run()
    assert again.success
    assert house.asked == []
    assert house.source.asked == [NEXT.replace(day=14)]  # the first run's: the snapshot is kept
    assert house.published() == first
    assert house.entries() == 2
    assert house.history.publications == history
    assert again.metadata("encrypted_report_csv")["published"] == "before, with the same content"


def test_only_accounts_that_failed_for_a_passing_reason_are_asked_again(house: House) -> None:
    house.answers({"ACC-00003": [Reply(404)], "ACC-00005": FAILS, "ACC-00007": [Reply(422)]})
    house.run()
    house.answers()
    ran = house.run()
    assert house.asked == ["ACC-00005"]
    assert ran.metadata("encrypted_report_csv")["version"] == 2
    assert house.report()["ACC-00005"]["processing_status"] == "SUCCESS"
    assert house.report()["ACC-00007"]["reason"] == "rejected"


def test_refresh_missing_leaves_the_failed_alone(house: House) -> None:
    house.answers({"ACC-00005": FAILS})
    house.run()
    house.answers()
    assert house.run(config={"esg_ratings": {"refresh": "missing"}}).success
    assert house.asked == []
    assert house.report()["ACC-00005"]["reason"] == "unavailable"


def test_refresh_all_asks_everyone_and_the_same_answers_publish_nothing(house: House) -> None:
    house.run()
    house.answers()
    ran = house.run(config={"esg_ratings": {"refresh": "all"}})
    assert len(house.asked) == 12
    assert ran.metadata("encrypted_report_csv")["version"] == 1
    assert house.entries() == 2


def test_other_answers_are_a_correction_and_the_first_version_stays(house: House) -> None:
    house.run()
    first = house.published()
    house.answers({"ACC-00002": [rating_reply("ACC-00002", NEXT.replace(day=14), overall_score=70)]})
    tags = {"esg/reason": "the provider erred", "esg/requested_by": "an analyst"}
    ran = house.run(config={"esg_ratings": {"refresh": "all"}}, tags=tags)
    second = house.published()
    assert first is not None
    assert second is not None
    assert (second.version, second.reason, second.run_id) == (2, "the provider erred", ran.run.run_id)
    assert house.report()["ACC-00002"]["overall_esg_score"] == "70"
    assert house.read(first)["ACC-00002"]["overall_esg_score"] == "52.5"
    assert [past.published.version for past in house.history.publications] == [1, 2]


def test_a_run_that_broke_off_goes_on_where_it_stood(house: House) -> None:
    house.answers({"ACC-00006": [KeyError("ACC-00006")]})
    assert not house.run().success
    had = set(house.asked) - {"ACC-00006"}
    house.answers()
    assert house.run().success
    assert had
    assert set(house.asked) == {row["account_id"] for row in accounts(12)} - had
    assert len(house.report()) == 12


def test_a_snapshot_is_kept_until_a_new_one_is_asked_for(house: House) -> None:
    house.run()
    house.source.past = {NEXT.replace(day=14): [*accounts(12), account(12)]}
    house.answers()
    house.run()
    assert len(house.report()) == 12
    ran = house.run(config={"active_accounts": {"refresh_snapshot": True}})
    assert ran.success
    assert house.asked == ["ACC-00012"]
    assert len(house.report()) == 13
    assert ran.metadata("encrypted_report_csv")["version"] == 2


def test_accounts_that_left_the_snapshot_are_not_reported(house: House) -> None:
    house.run()
    house.source.past = {NEXT.replace(day=14): accounts(11)}
    house.answers()
    ran = house.run(config={"active_accounts": {"refresh_snapshot": True}})
    assert ran.success
    assert house.asked == []
    assert "ACC-00011" not in house.report()
    assert ran.metadata("esg_ratings")["success"] == 11


def test_a_source_without_history_serves_a_past_date_only_when_asked_to(house: House) -> None:
    house.source.past, house.source.rows = None, accounts(12)
    refused = house.run()
    assert not refused.success
    assert "keeps no history" in refused.failure
    assert "--current-accounts" in refused.failure
    assert refused.run.tags["esg/permanent"] == "true"
    assert house.snapshot() is None
    before = datetime.now(UTC).replace(microsecond=0)
    ran = house.run(config={"active_accounts": {"current_accounts": True}})
    published = house.published()
    assert published is not None
    assert datetime.fromisoformat(published.accounts_as_of) >= before
    assert published.accounts_as_of in ran.metadata("daily_summary")["summary"]
    assert ran.metadata("active_accounts")["accounts_as_of"] == published.accounts_as_of


@pytest.mark.parametrize(
    ("asset", "first"),
    [
        ("esg_ratings", "active_accounts"),
        ("encrypted_report_csv", "active_accounts"),
        ("daily_summary", "active_accounts"),
    ],
)
def test_an_asset_without_what_lies_upstream_says_what_to_materialize(
    house: House, asset: str, first: str
) -> None:
    ran = house.run(only=[asset])
    assert not ran.success
    assert f"Materialize {first} of that date first" in ran.failure


def test_assets_one_by_one_make_the_same_report(house: House) -> None:
    for asset in ASSETS:
        assert house.run(only=[asset]).success
    assert len(house.report()) == 12
    assert house.history.publications[0].published.counts == {
        Status.SUCCESS: 12,
        Status.NOT_RATED: 0,
        Status.FAILED: 0,
    }


def test_a_full_refresh_sends_the_names_of_kept_answers_and_unchanged_ones_stay(house: House) -> None:
    house.answers(
        otherwise=lambda account, as_of: replace(
            rating_reply(account, as_of), headers={"etag": f'"{account}"'}
        )
    )
    assert house.run().success
    before = house.report()

    house.answers(otherwise=lambda _account, _as_of: Reply(304))
    again = house.run(config={"esg_ratings": {"refresh": "all"}})

    assert again.success
    assert set(house.api.etags) == {f'"{account}"' for account in before}
    assert house.report() == before
    assert house.entries() == 2, "nothing new was published"


def test_open_accounts_are_not_asked_by_a_mapping_that_their_replies_are_not_read_by(house: House) -> None:
    house.answers({"ACC-00003": FAILS})
    assert house.run().success

    house.overrides["rules"] = replace(composition.rules(house.settings), ratings_mapping='{"another": 1}')
    house.answers()
    again = house.run()

    assert not again.success
    assert "--refresh-snapshot" in again.failure
    assert house.asked == []
