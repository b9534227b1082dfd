"""The version of the provider's methodology: how it is read, counted, cleared, and told."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from esg_assets.core.comparison import compare
from esg_assets.core.differencing import group_of
from esg_assets.core.disclosure import clear
from esg_assets.core.drift import drift
from esg_assets.core.history import ClearFigures
from esg_assets.core.methodology import methodology_change, methodology_told
from esg_assets.core.outcomes import from_batch, to_batch
from esg_assets.core.page_footer import facts_of
from esg_assets.core.page_opening import notes_on
from esg_assets.core.rating_bodies import NumberText, read_rating
from esg_assets.core.ratings import Outcome, Status
from esg_assets.core.report_details import Methods, ReportDetails, periods
from esg_assets.core.summary_words import summary_markdown
from esg_assets_tests.unit.test_figures import of, rated
from esg_assets_tests.unit.test_report_details import past
from esg_assets_tests.unit.test_summary_words import SUMMARY
from esg_assets_tests.unit.walking_book import Account, drawn, side_of

DAY = date(2026, 1, 15)
SENT: dict[str, object] = {
    "as_of": "2026-01-14",
    **{f"{name}_score": NumberText("50") for name in ("overall", "environmental", "social", "governance")},
    "primary_focus": "social",
}


@pytest.mark.parametrize("label", ["2.1", "v2026-01", "MSCI_4", "a" * 24])
def test_a_plain_version_is_kept_as_sent(label: str) -> None:
    rating = read_rating(SENT | {"methodology_version": label}, DAY, ())
    assert rating.methodology_version == label
    outcome = Outcome("A", Status.SUCCESS, rating=rating)
    assert from_batch(to_batch([outcome])) == [outcome]


def test_a_version_that_is_a_number_keeps_its_text() -> None:
    assert (
        read_rating(SENT | {"methodology_version": NumberText("2.10")}, DAY, ()).methodology_version == "2.10"
    )


@pytest.mark.parametrize("label", [None, "", "a" * 25, "Ann Smith", "2.1\n", "<b>", "-1", True, ["2"], "2.é"])
def test_what_is_no_plain_version_is_not_kept_and_spoils_no_rating(label: object) -> None:
    assert read_rating(SENT | {"methodology_version": label}, DAY, ()).methodology_version == ""


def _figures(**accounts: int) -> ClearFigures:
    rows = []
    for version, n in accounts.items():
        row = rated("a", "90", "50 50 50 50", "social", "A", "2025-12-31", "1")
        label = None if version == "none" else version.replace("_", ".")
        rows += [row | {"methodology_version": label}] * n
    return {k: v for k, v in clear(of(*rows), 10).items() if k.startswith("methodology.")}


def test_versions_are_counted_over_rated_accounts_and_rare_ones_are_not_named() -> None:
    assert _figures(v2_1=20) == {"methodology.v2.1": 20}
    assert _figures(v2_0=10, v2_1=30) == {"methodology.v2.0": 10, "methodology.v2.1": 30}
    # Nine of another one: what is left of the total would tell them, so all is withheld.
    assert _figures(v2_0=9, v2_1=30) == {"methodology.other": None, "methodology.v2.1": None}
    assert _figures(v1=4, v2=8, none=20, v3=30) == {
        "methodology.other": 12,
        "methodology.none": 20,
        "methodology.v3": 30,
    }


def test_counts_by_version_are_a_group_of_their_own() -> None:
    assert group_of("methodology.v2.1") == "methodology"


def test_one_version_a_mixture_and_none_are_told_apart() -> None:
    assert methodology_told({"accounts": 3.0}) == ""
    assert methodology_told(_figures(none=20)) == "The provider states no version of its methodology."
    assert methodology_told(_figures(v2=20)) == (
        "All ratings are by version v2 of the provider's methodology."
    )
    assert methodology_told(_figures(none=20, v3=1_030, v1=4, v2=8)) == (
        "Ratings are by several versions of the provider's methodology: v3 (1,030 accounts), "
        "not stated (20 accounts), other versions (12 accounts). Figures over all of them mix these."
    )
    assert "v2 (withheld), other versions (withheld)" in methodology_told(_figures(v2=20, v1=1))
    assert "by several versions" in methodology_told({"methodology.other": 20})


def test_another_version_makes_a_comparison_say_so() -> None:
    assert methodology_change(_figures(v2=20), _figures(v1=20)) == (
        "The provider's methodology was version v1 then and is version v2 now: "
        "scores of the two may not be comparable."
    )
    assert "was version v1 then and is versions v1 and v2 now" in methodology_change(
        _figures(v1=20, v2=20), _figures(v1=40)
    )


def test_the_same_version_and_an_unknown_one_are_no_change() -> None:
    same, unknown = _figures(v1=20, none=10), _figures(none=20)
    assert methodology_change(same, _figures(v1=30)) == ""
    assert methodology_change(same, unknown) == methodology_change(unknown, same) == ""
    assert methodology_change(same, {}) == ""


def _book(versions: Mapping[str, int]) -> list[Account]:
    dice = random.Random(1)
    labels = [label for label, n in versions.items() for _ in range(n)]
    return [
        replace(drawn(dice, f"A{n}"), status="SUCCESS", methodology=label) for n, label in enumerate(labels)
    ]


@pytest.mark.parametrize(("moved", "caught"), [(5, False), (6, True), (100, True)])
def test_ratings_by_another_version_are_caught_from_one_in_twenty(moved: int, caught: bool) -> None:
    before = _book({"2.0": 100})
    now = [replace(account, methodology="2.1") for account in before[:moved]] + before[moved:]
    found = drift(side_of(before), side_of(now), DAY)
    assert found.passed is not caught
    if caught:
        assert found.note == (
            f"the provider changed its methodology for {moved}% of the ratings, mostly from version 2.0 to "
            "2.1: scores before and after may not be comparable. Compared with the report of 2026-01-15 "
            "over 100 accounts. Ask the provider before the figures are used"
        )


def test_a_version_that_is_stated_for_the_first_time_is_no_change() -> None:
    before = _book({"": 100})
    now = [replace(account, methodology="2.1") for account in before]
    assert drift(side_of(before), side_of(now), DAY).passed
    assert drift(side_of(now), side_of(before), DAY).passed


def _note(before: list[Account], moves: Mapping[str, str], n: int = 100) -> str:
    now = [replace(a, methodology=moves[a.methodology]) for a in before[:n]] + before[n:]
    return drift(side_of(before), side_of(now), DAY).note


def test_of_two_moves_the_bigger_and_of_equals_the_first_is_named() -> None:
    bigger = _book({"2": 60, "1": 40})
    assert "for 100% of the ratings, mostly from version 2 to 4" in _note(bigger, {"1": "3", "2": "4"})
    equal = _book({"2": 50, "1": 50})
    assert "mostly from version 1 to 9" in _note(equal, {"1": "9", "2": "4"})


def test_versions_of_twenty_nine_ratings_are_too_few_to_speak_of_a_change() -> None:
    moves = {"1": "2", "": ""}
    assert "methodology" not in _note(_book({"1": 29, "": 71}), moves)
    assert "for 100% of the ratings, mostly from version 1 to 2" in _note(_book({"1": 30, "": 70}), moves)


def test_a_version_of_one_account_is_told_where_nothing_is_withheld() -> None:
    assert "1 (1 account), 2 (3 accounts)" in methodology_told({"methodology.1": 1.0, "methodology.2": 3.0})


def test_a_page_says_of_a_mixture_and_of_a_change_before_its_figures_and_the_version_at_its_foot() -> None:
    before = past(**{"methodology.1": 90.0})
    report = past(**{"methodology.1": 30.0, "methodology.2": 60.0})
    changes = periods(report.figures, date(2026, 1, 16), {"previous": before}, lambda _day: None, 10)
    details = ReportDetails(Methods("USD", 10, 65.0, 366, 0.01, 0.05), {}, [], changes, "")
    mixed, changed = list(notes_on(report, details))[-2:]
    assert mixed == methodology_told(report.figures)
    assert "1 (30 accounts), 2 (60 accounts). Figures over all of them mix these." in mixed
    assert changed == (
        "Against 15 January 2026: The provider's methodology was version 1 then and is versions 1 and 2 now: "
        "scores of the two may not be comparable."
    )
    assert dict(facts_of(before, None))["Methodology"] == (
        "All ratings are by version 1 of the provider's methodology."
    )
    assert not [note for note in notes_on(before, None) if "methodology" in note]
    assert "Methodology" not in dict(facts_of(past(), None))


def test_the_summary_tells_the_version_and_its_change() -> None:
    figures = {**SUMMARY.figures, "methodology.2": 90.0}
    summary = replace(SUMMARY, figures=figures, change=compare(figures, past(**{"methodology.1": 90.0})))
    told = summary_markdown(summary)
    assert "All ratings are by version 2 of the provider's methodology." in told
    assert "The provider's methodology was version 1 then and is version 2 now" in told
    assert "methodology was" not in summary_markdown(replace(summary, change=None))
