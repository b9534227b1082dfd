"""What daily_summary keeps of the change between reports, and its check on drift."""

from datetime import timedelta

from esg_assets.core.history import ClearFigures
from esg_assets.core.report_details import Period, ReportDetails
from esg_assets_tests.fakes import rating_reply
from esg_assets_tests.pipeline.house import DAY, NEXT, House, account, accounts

WEEK = DAY + timedelta(days=7)


def details(house: House, day: object) -> ReportDetails:
    (published,) = [p.published for p in house.history.publications if p.published.report_date == day]
    kept = house.history.details(published)
    assert kept is not None
    return ReportDetails.from_json(kept)


def periods(house: House, day: object) -> dict[str, Period]:
    return {period.name: period for period in details(house, day).periods}


def figures(house: House, day: object) -> ClearFigures:
    (found,) = [p.figures for p in house.history.publications if p.published.report_date == day]
    return found


def moved(house: House, score: float, **fields: object) -> None:
    """The provider's next answers: every account has that overall score."""
    names = [str(account(number)["account_id"]) for number in range(60)]
    house.answers({name: [rating_reply(name, DAY, overall_score=score, **fields)] for name in names})


def test_the_first_report_has_nothing_to_compare_with_and_says_so(house: House) -> None:
    house.run()
    assert [period.unavailable for period in details(house, DAY).periods] == [
        "there is no earlier report",
        f"no report of {DAY - timedelta(days=7)} is published",
        f"no report of {DAY - timedelta(days=30)} is published",
    ]
    assert house.checks()["ratings_drift"].passed
    assert {check.name for check in details(house, DAY).checks} == {*house.checks()} - {
        "report_still_verifies"
    }


def test_who_came_and_went_is_counted_and_why_the_mean_moved_is_told(house: House) -> None:
    house.source.past = {
        DAY - timedelta(days=1): accounts(40),
        DAY: accounts(60)[15:],
        WEEK - timedelta(days=1): accounts(60)[15:],
    }
    house.run(DAY)
    moved(house, 53.5)
    house.run(NEXT)
    change = periods(house, NEXT)["previous"].change
    assert change is not None
    assert (change.turnover.new, change.turnover.closed) == (20, 15)
    assert {p.causes: p.points for p in change.means["overall_score.mean"]} == {
        ("joined",): 0.0,
        ("left",): 0.0,
        ("scores",): 1.0,
    }
    house.run(WEEK)
    week = periods(house, WEEK)["week"]
    assert (week.report_date, week.version) == (DAY, 1)
    assert week.change is not None
    assert week.change.turnover.new == 20
    assert week.changes["overall_score.mean"] == 1.0


def test_a_new_scale_warns_in_plain_words_and_the_report_is_published_all_the_same(house: House) -> None:
    house.source.past = {DAY - timedelta(days=1): accounts(40), DAY: accounts(40)}
    house.run(DAY)
    moved(house, 5.25)
    assert house.run(NEXT).success
    check = house.checks(NEXT)["ratings_drift"]
    assert not check.passed
    assert check.severity.value == "WARN"
    assert "the scale or its direction may have changed" in str(check.description)


def test_where_the_accounts_of_then_can_not_be_opened_only_figures_are_compared(house: House) -> None:
    house.run(DAY)
    for path in (house.home / "work").rglob("*"):
        if path.is_file() and DAY.isoformat() in str(path):
            path.unlink()
    house.run(NEXT)
    previous = periods(house, NEXT)["previous"]
    assert previous.change is None
    assert previous.unavailable == f"the accounts of {DAY} can no longer be opened on this host"
    assert previous.changes["accounts"] == 0
    assert "archived" in str(house.checks(NEXT)["ratings_drift"].description)


def test_the_histogram_and_the_calls_are_among_the_figures(house: House) -> None:
    house.run()
    found = figures(house, DAY)
    assert found["histogram.overall.50"] == 12
    assert sum(value or 0 for name, value in found.items() if name.startswith("histogram.overall.")) == 12
    assert found["collection.calls"] == 12
