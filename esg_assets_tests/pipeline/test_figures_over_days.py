"""Figures in the clear from one report to the next: they stand while too few accounts have changed."""

from datetime import timedelta

from esg_assets.core.history import ClearFigures
from esg_assets_tests.fakes import rating_reply
from esg_assets_tests.pipeline.house import DAY, NEXT, Config, House, account, accounts

AFTER = NEXT + timedelta(days=1)


def of(house: House, day: object) -> ClearFigures:
    (found,) = [past.figures for past in house.history.publications if past.published.report_date == day]
    return found


def book(house: House, *counts: int) -> None:
    """So many accounts from one date to the next."""
    house.source.past = {DAY + timedelta(days=n - 1): accounts(count) for n, count in enumerate(counts)}


def test_one_account_more_changes_no_figure_and_the_summary_says_since_when_they_stand(
    house: House,
) -> None:
    book(house, 12, 13, 24)
    newcomer = str(account(12)["account_id"])
    house.answers({newcomer: [rating_reply(newcomer, DAY, overall_score=7.25)]})
    for day in (DAY, NEXT, AFTER):
        assert house.run(day).success
    first, second, third = (of(house, day) for day in (DAY, NEXT, AFTER))

    assert second["accounts"] == 13
    assert second["overall_score.mean"] == first["overall_score.mean"] == 52.5
    assert second["unchanged_days.overall_score"] == 1
    assert third["overall_score.mean"] != 52.5, "twelve came since the first day"
    assert third["unchanged_days.overall_score"] == 0

    (text,) = [
        made.step_materialization_data.materialization.metadata["text"].value
        for made in house.run(NEXT).events
        if made.is_step_materialization and made.asset_key and made.asset_key.path == ["daily_summary"]
    ]
    assert f"stand since the report of {DAY}: fewer than 10 accounts" in " ".join(str(text).split())


def test_the_same_report_again_shows_the_same_figures(house: House) -> None:
    book(house, 12, 13)
    for day in (DAY, NEXT):
        assert house.run(day).success
    before = dict(of(house, NEXT))
    assert house.run(NEXT).success
    assert of(house, NEXT) == before


ALL: Config = {"esg_ratings": {"refresh": "all"}}


def rated_otherwise(house: House, count: int, score: float) -> None:
    """The provider has another overall score for the first so many accounts."""
    names = [str(account(n)["account_id"]) for n in range(1, count + 1)]
    house.answers({name: [rating_reply(name, DAY.replace(day=14), overall_score=score)] for name in names})


def test_a_correction_of_many_scores_shows_its_own_figures_and_one_of_few_those_before(house: House) -> None:
    book(house, 30, 30)
    assert house.run(DAY).success
    rated_otherwise(house, 12, 70)
    assert house.run(DAY, config=ALL).success
    rated_otherwise(house, 13, 70)
    assert house.run(DAY, config=ALL).success
    means = [past.figures["overall_score.mean"] for past in house.history.versions(DAY)]
    assert means == [52.5, round((12 * 70 + 18 * 52.5) / 30, 1), means[1]]


def test_the_day_after_a_correction_of_few_gives_them_not_away(house: House) -> None:
    book(house, 30, 30)
    assert house.run(DAY).success
    rated_otherwise(house, 1, 100)
    assert house.run(DAY, config=ALL).success
    assert house.run(NEXT).success
    assert of(house, NEXT)["overall_score.mean"] == 52.5
    assert of(house, NEXT)["unchanged_days.overall_score"] == 1
