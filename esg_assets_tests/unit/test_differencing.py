"""Which figures are made anew and which stand, by what was shown before and how many accounts differ."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from esg_assets.core import outcomes
from esg_assets.core.differencing import UNCHANGED, Shown, contributions, differing, group_of, held, stands
from esg_assets.core.figures import FigureRules
from esg_assets.core.history import ClearFigures, PastReport, PublishedReport
from esg_assets.core.ratings import Metric, Outcome, Rating, Reason, Status

DAY = date(2026, 1, 16)
WACI = Metric("waci", "t", "lower")
RULES = FigureRules(date(2026, 1, 14), metrics=(WACI,))
FRESH = {
    "accounts": 101.0,
    "accounts.SUCCESS": 95.0,
    "overall_score.mean": 52.4,
    "letter.A": 31.0,
    "metric.waci.mean": 100.0,
    "scored_accounts": 95.0,
}
OLD = {**FRESH, "overall_score.mean": 52.3, "letter.A": 30.0, "metric.waci.mean": None, "accounts": 100.0}


def past(day: date = DAY - timedelta(days=1), version: int = 1, rated: int = 94, **ages: float) -> PastReport:
    counts = {Status.SUCCESS: rated, Status.NOT_RATED: 3, Status.FAILED: 3}
    published = PublishedReport(day, version, version, "", "", counts, day, day.isoformat())
    old_figures = {**OLD, **{f"{UNCHANGED}{group}": n for group, n in ages.items()}}
    return PastReport(published, old_figures, datetime.now(UTC))


def shown(
    counts: Mapping[str, int] | None,
    before: PastReport | None = None,
    latest: PastReport | None = None,
    *,
    version: int = 1,
    min_cell: int = 10,
) -> dict[str, float | None]:
    return held(
        FRESH,
        day=DAY,
        version=version,
        shown=Shown(latest, before),
        differing=lambda day: counts,
        min_cell=min_cell,
    )


@pytest.mark.parametrize(("differ", "mean"), [(0, 52.4), (1, 52.3), (9, 52.3), (10, 52.4)])
def test_a_group_stands_while_one_to_nine_accounts_differ(differ: int, mean: float) -> None:
    found = shown({"overall_score": differ, "letter": 0}, past())
    assert found["overall_score.mean"] == mean
    assert found[f"{UNCHANGED}overall_score"] == (0 if mean == 52.4 else 1)
    assert found["letter.A"] == 31.0
    assert found["accounts"] == 101.0, "counts by status are of this report, whatever happens"


def test_a_group_that_stands_is_compared_with_the_report_that_it_is_of() -> None:
    asked = []

    def compared(day: date) -> Mapping[str, int]:
        asked.append(day)
        return {"letter": 3}

    found = held(
        FRESH, day=DAY, version=1, shown=Shown(None, past(letter=4)), differing=compared, min_cell=10
    )
    assert DAY - timedelta(days=5) in asked
    assert found[f"{UNCHANGED}letter"] == 5


def test_what_was_withheld_stays_so_while_few_differ() -> None:
    assert shown({"metric.waci": 2}, past())["metric.waci.mean"] is None


def test_a_first_report_and_one_that_cannot_be_compared_show_their_own_figures() -> None:
    for found in (shown({"overall_score": 1}), shown(None, past())):
        assert found["overall_score.mean"] == 52.4


def test_where_nothing_is_withheld_nothing_is_held_back() -> None:
    assert shown({"overall_score": 1}, past(), min_cell=1)["overall_score.mean"] == 52.4


def test_a_correction_is_held_against_the_versions_before_it() -> None:
    found = shown({"overall_score": 12, "letter": 3}, latest=past(DAY), version=2)
    assert found["overall_score.mean"] == 52.4
    assert found["letter.A"] == 30.0


def test_a_correction_that_cannot_be_compared_goes_by_how_many_are_rated() -> None:
    few, many = past(DAY, rated=94, letter=2), past(DAY, rated=85)
    assert shown(None, latest=few, version=2)["overall_score.mean"] == 52.3
    assert shown(None, latest=few, version=2)[f"{UNCHANGED}letter"] == 2
    assert shown(None, latest=many, version=2)["overall_score.mean"] == 52.4


@pytest.mark.parametrize(
    ("figures", "of_earlier"),
    [
        ({"focus.social": 60.0, "focus.none": 40.0}, False),
        ({"focus.social": 60.0, "focus.none": 40.0, "unchanged_days.focus": 0.0}, False),
        ({"focus.social": 60.0, "focus.none": 40.0, "unchanged_days.focus": 1.0}, True),
        ({"focus.social": 60.0, "focus.none": 39.0}, True),
        ({"focus.social": 60.0, "focus.none": 41.0}, True),
        ({"focus.social": 101.0, "focus.none": None}, True),
        ({"focus.social": 99.0, "focus.none": None}, False),
        ({"letter.A": 97.0}, False),
        ({}, False),
    ],
)
def test_counts_that_do_not_add_up_to_the_rated_are_of_an_earlier_report(
    figures: ClearFigures, of_earlier: bool
) -> None:
    assert stands(figures, "focus", 100) is of_earlier


def test_the_same_version_again_shows_the_same() -> None:
    again = shown(None, before=past(), latest=past(DAY, rated=10))
    assert {name: again[name] for name in ("overall_score.mean", "letter.A")} == {
        "overall_score.mean": 52.3,
        "letter.A": 30.0,
    }


def test_which_figures_belong_together() -> None:
    groups = {
        "overall_score.weighted_mean": "overall_score",
        "letter.none": "letter",
        "weighting.accounts": "coverage",
        "scored_accounts": "coverage",
        "metric.waci.mean": "metric.waci",
        "accounts.FAILED": "",
        "failures.timeout": "",
        "success_rate_pct": "",
    }
    assert {name: group_of(name) for name in groups} == groups


def rated(name: str, **changes: Any) -> Outcome:
    rating = Rating(
        as_of=date(2025, 12, 31),
        overall_score="52.50",
        environmental_score="1",
        social_score="2.0",
        governance_score="100",
        primary_focus="social",
        rating="BBB",
        coverage_pct="82.2",
        metrics={"waci": "389.6"},
    )
    return Outcome(name, Status.SUCCESS, rating=replace(rating, **changes), attempts=1, last_status=200)


def compared(now: list[Outcome], before: list[Outcome]) -> dict[str, int]:
    def table(each: list[Outcome]) -> tuple[pa.ChunkedArray, pa.Table]:
        ids = pa.chunked_array([[outcome.account_id for outcome in each]])
        return ids, outcomes.latest(ids, [outcomes.to_batch(each)])

    return differing(contributions(*table(now), RULES), contributions(*table(before), RULES))


def test_who_comes_and_who_goes_differs_in_every_group() -> None:
    found = compared([rated("A"), rated("B")], [rated("A"), rated("C")])
    assert set(found.values()) == {2}
    assert set(found) >= {"overall_score", "coverage", "focus", "letter", "ratings", "metric.waci"}


def test_the_same_number_in_other_digits_is_no_difference() -> None:
    assert not any(compared([rated("A", overall_score="52.5")], [rated("A")]).values())


def test_an_account_differs_only_in_what_it_puts_in() -> None:
    found = compared([rated("A", rating="A")], [rated("A")])
    assert {group for group, n in found.items() if n} == {"letter"}
    failed = Outcome("A", Status.FAILED, Reason.TIMEOUT, attempts=5)
    assert set(compared([failed], [rated("A")]).values()) == {1}
    below = compared([rated("A", coverage_pct="10")], [rated("A")])
    assert {group for group, n in below.items() if not n} == {"focus", "letter", "ratings", "methodology"}
