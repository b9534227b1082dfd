"""What a report's page says: its heading, its tiles, and what it says where there is nothing to say."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from esg_assets.core.change import Turnover
from esg_assets.core.change_disclosure import ClearChange, ClearMigration, ClearPart
from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.page_figures import DailyPage, State, daily_page
from esg_assets.core.ratings import Metric, Status
from esg_assets.core.report_details import Check, Methods, Period, ReportDetails

DAY = date(2026, 1, 16)
AT = datetime(2026, 1, 16, 11, 7, tzinfo=UTC)
FIGURES = {
    "accounts": 100.0,
    "success_rate_pct": 97.0,
    "failures.timeout": 1.0,
    "failures.rejected": 0.0,
    "scored_accounts": 90.0,
    "coverage.enough": 85.0,
    "coverage.unknown": 5.0,
    "coverage.below": 7.0,
    "ratings.stale": 12.0,
    "focus.environmental": 40.0,
    "focus.social": 57.0,
    "focus.governance": 0.0,
    "letter.AAA": None,
    "letter.AA": None,
    "letter.A": 80.0,
    "overall_score.mean": 57.84,
    "overall_score.weighted_mean": None,
    "histogram.overall.55": 80.0,
    "histogram.overall.60": None,
    "metric.waci.mean": 182.4,
    "unchanged_days.focus": 0.0,
    "unchanged_days.letter": 3.0,
    "collection.calls": 108.0,
    "collection.retries": 8.0,
    "collection.refusals": 1.0,
    "collection.seconds": 92.5,
}
MATRIX = ClearMigration({("A", "A"): 80, ("AA", "A"): None, ("A", "AA"): None}, 95, None, None)
CHANGE = ClearChange(
    before="2026-01-15",
    turnover=Turnover(3, 2, 1, 0, 1, 1),
    migration=MATRIX,
    means={"overall_score.mean": (ClearPart(("joined", "left"), -0.04), ClearPart(("scores",), -0.3))},
)
PERIODS = (
    Period(
        "previous", date(2026, 1, 15), 1, {"success_rate_pct": -0.5, "overall_score.mean": 0.0}, CHANGE, ""
    ),
    Period(
        "week", date(2026, 1, 9), 2, {"accounts.FAILED": 1200.0}, None, "the accounts of 2026-01-09 are gone"
    ),
    Period("month", date(2025, 12, 17), 0, {}, None, "no report of 2025-12-17 is published"),
)
PASSED = Check("report_equals_ratings", passed=True, severity="ERROR", note="100 rows are equal")
DETAILS = ReportDetails(
    Methods("USD", 10, 65.0, 366, 0.01, 0.05, (Metric("waci", "t", "lower"),)),
    {"esg_assets": "0.1.0"},
    [PASSED],
    PERIODS,
    "5:abc",
)


def past(failed: int = 1, version: int = 1) -> PastReport:
    counts = {Status.SUCCESS: 98 - failed, Status.NOT_RATED: 2, Status.FAILED: failed}
    reason, by = ("mended by the provider", "jdoe") if version > 1 else ("", "")
    published = PublishedReport(
        DAY, version, 4 + version, "ab" * 32, "run-1", counts, date(2026, 1, 15), "2026-01-15", by, reason
    )
    return PastReport(published, FIGURES, AT)


def page(
    *versions: PastReport, checks: Sequence[Check] = (PASSED,), details: ReportDetails | None = DETAILS
) -> DailyPage:
    if details is not None:
        details = replace(details, checks=checks)
    return daily_page(versions or (past(),), details)


def failing(severity: str) -> Check:
    return Check("ratings_drift", passed=False, severity=severity, note="the scale may have changed")


def test_a_whole_report_is_complete() -> None:
    found = page()
    assert (found.state, found.why) == (State.COMPLETE, [])
    assert found.heading == "COMPLETE: ESG report of 16 January 2026"


def test_six_percent_failures_make_the_first_heading_read_partial() -> None:
    found = page(past(failed=6))
    assert found.heading.startswith("PARTIAL: ")
    assert found.why == ["6 accounts failed (6.0%)."]
    assert page(past(failed=5)).state is State.COMPLETE


def test_six_percent_are_partial_even_where_no_check_is_kept() -> None:
    assert page(past(failed=6), details=None).heading.startswith("PARTIAL: ")
    found = page(details=None)
    assert found.heading == "COMPLETE with a warning: ESG report of 16 January 2026"
    assert found.why == ["The results of the checks on this report are not kept here."]


@pytest.mark.parametrize(("severity", "state"), [("ERROR", State.PARTIAL), ("WARN", State.WARNING)])
def test_a_failed_check_is_never_under_a_green_heading(severity: str, state: State) -> None:
    found = page(checks=[PASSED, failing(severity)])
    assert (found.state, found.why) == (state, ["The scale may have changed."])


def test_a_correction_says_so_and_lists_what_was_said_before() -> None:
    found = page(past(failed=3), past(version=2))
    assert found.notes[0] == "Version 2 is a correction: mended by the provider."
    assert [row[0] for row in found.versions] == ["2", "1"]
    assert found.versions[0][1:4] == ("05:07 CST, 16 January 2026", "mended by the provider", "jdoe")
    assert found.versions[1][2:6] == ("first publication", "not said", "95", "3")


def test_what_is_not_compared_is_said_once() -> None:
    assert page().not_compared == (
        "Comparison unavailable: no report of 17 December 2025 (a month ago) is published."
    )
    week = replace(PERIODS[2], name="week", report_date=date(2026, 1, 9))
    both = page(details=replace(DETAILS, periods=(PERIODS[0], week, PERIODS[2])))
    assert "no report of 9 January 2026 (a week ago) or 17 December 2025 (a month ago)" in both.not_compared
    first = page(details=replace(DETAILS, periods=(replace(PERIODS[2], name="previous", report_date=None),)))
    assert first.not_compared == "Comparison unavailable: there is no earlier report."
    assert all(not tile.changes for tile in first.tiles)
    assert page(details=replace(DETAILS, periods=PERIODS[:1])).not_compared == ""


def test_the_top_says_which_version_it_is_as_of_when_and_how_many_checks_passed() -> None:
    found = page()
    assert found.recorded == (
        "Version 1, published 05:07 CST, 16 January 2026. Ratings and accounts as of 15 January 2026."
    )
    assert found.passed == "1 of 1 checks passed"
    assert page(checks=[PASSED, failing("WARN")]).passed == "1 of 2 checks passed"
    assert page(details=None).passed == ""


def test_tiles_tell_each_change() -> None:
    tiles = {tile.label: tile for tile in page().tiles}
    assert tiles["Rated"].value == "97.0%"
    assert tiles["Rated"].changes == ["▼ \N{MINUS SIGN}0.5 points vs last report"]
    assert tiles["Overall score, mean"].value == "57.8"
    assert tiles["Overall score, mean"].changes[0] == "no change vs last report"
    assert tiles["Overall score by market value"].value == "withheld"
    assert tiles["Failed"].changes == ["▲ +1,200 vs week"]


def test_how_many_do_not_count_for_averages_is_always_said() -> None:
    assert page().coverage == (
        "Averages are over 90 of 97 rated accounts (5 of them of unknown coverage). 7 do not count: their "
        "coverage is below 65%. 3 accounts without a rating count for no average, and never as zero."
    )
    assert (
        "how many is withheld" in page(replace(past(), figures={**FIGURES, "coverage.below": None})).coverage
    )


def test_bars_show_what_is_withheld_as_such_and_no_share_of_another_days_accounts() -> None:
    found = page()
    assert [(bar.label, bar.text, bar.share) for bar in found.focus] == [
        ("Social", "57", "58.8%"),
        ("Environmental", "40", "41.2%"),
        ("Governance", "0", "0.0%"),
    ]
    letters = {bar.label: bar for bar in found.letters}
    assert (letters["AAA"].value, letters["AAA"].text) == (None, "withheld")
    assert (letters["A"].text, letters["A"].share) == ("80", "")
    bins = {bar.label: bar.text for bar in found.histogram}
    assert (len(bins), bins["55 to 60"], bins["60 to 65"]) == (20, "80", "withheld")
    assert "Figures of letter stand since an earlier report" in found.notes[0]


def test_figures_that_a_correction_of_few_left_as_they_were_are_no_share_of_its_accounts() -> None:
    corrected = page(replace(past(failed=0), figures=FIGURES))
    assert {(bar.text, bar.share) for bar in corrected.focus} == {("57", ""), ("40", ""), ("0", "")}
    assert corrected.coverage.startswith(
        "Averages are over 90 of the 97 accounts rated when these were made (5"
    )


def test_failures_stand_with_their_limits() -> None:
    found = page().failures
    assert (found.share_pct, found.warn_pct, found.error_pct) == (1.0, 1.0, 5.0)
    assert [(bar.label, bar.text) for bar in found.bars] == [("Timeout", "1")]


def test_changes_say_who_came_and_why_the_mean_moved_or_that_there_is_no_comparison() -> None:
    previous, week, month = page().changes
    assert previous.title == "Report before, 15 January 2026"
    assert page().turnover[0] == ("New accounts", "3")
    assert dict(previous.turnover)["New accounts"] == "3"
    assert dict(previous.turnover)["Upgrades"] == "withheld"
    assert previous.causes == [
        (
            "Mean, overall score",
            "0.0",
            [("Accounts that came, accounts that went", "0.0"), ("Changed scores", "\N{MINUS SIGN}0.3")],
        )
    ]
    assert week.unavailable == "comparison unavailable: the accounts of 2026-01-09 are gone"
    assert month.unavailable == "comparison unavailable: no report of 2025-12-17 is published"


def test_the_matrix_shows_letters_that_occur_and_what_is_withheld() -> None:
    found = page().matrix
    assert found is not None
    assert found.letters == ["AA", "A"]
    assert found.rows == [("AA", ["", "withheld"]), ("A", ["withheld", "80"])]
    assert found.note.endswith("how many went up or down is withheld.")


def test_the_foot_has_run_chain_software_and_methods() -> None:
    found = page()
    facts: Mapping[str, str] = dict(found.facts)
    assert facts["Published in chain entry"] == f"5:{'ab' * 32}"
    assert facts["Head of the chain then"] == "5:abc"
    assert facts["Asking the provider"] == "108 calls in 1 min 32 s, 8 of them retries, 1 refused"
    assert facts["Software"] == "esg_assets 0.1.0"
    assert any("coverage is 65% or more" in sentence for sentence in found.methods)
    assert found.metrics == [("waci", "182.4", "", "t", "lower is better")]
