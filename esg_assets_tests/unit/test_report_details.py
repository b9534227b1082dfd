"""What is kept of a report beside its figures: what may be told of a change, and the way to JSON and back."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

from esg_assets.core.change import Attribution, Migration, Part, Turnover
from esg_assets.core.earlier_reports import Compared
from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.ratings import Metric, Status
from esg_assets.core.report_details import Methods, Period, ReportDetails, checks_of, periods
from esg_assets.core.verdicts import Verdict

DAY = date(2026, 1, 16)
BEFORE = date(2026, 1, 15)
LETTERS = {"letter.A": 90.0, "letter.AA": 40.0}
OWN = {
    **LETTERS,
    "unchanged_days.letter": 0.0,
    "unchanged_days.overall_score": 0.0,
    "overall_score.mean": 52.0,
}
NOTHING = Part(0.0, 0)
EXACT = Compared(
    differing={},
    turnover=Turnover(3, 2, 1, 0, 4, 5),
    migration=Migration({("A", "A"): 80, ("A", "AA"): 12, ("AA", "A"): 2}),
    means={
        "overall_score.mean": Attribution(
            51.0, 52.0, NOTHING, Part(0.25, 40), NOTHING, Part(0.75, 90), NOTHING
        )
    },
    drift=Verdict("ratings_drift", passed=True, note="well"),
)


def past(**figures: float | None) -> PastReport:
    published = PublishedReport(BEFORE, 1, 1, "", "", dict.fromkeys(Status, 1), BEFORE, "")
    return PastReport(published, {**OWN, "overall_score.mean": 51.0, **figures}, datetime.now(UTC))


def previous(now: Mapping[str, float | None], before: PastReport | None) -> Period:
    return periods(now, DAY, {"previous": before}, lambda _day: EXACT, 10)[0]


def test_where_both_reports_show_their_own_accounts_matrix_and_causes_are_told() -> None:
    change = previous(OWN, past()).change
    assert change is not None
    assert change.migration.cells == {("A", "A"): 80, ("A", "AA"): None, ("AA", "A"): None}
    assert [part.points for part in change.means["overall_score.mean"]] == [0.2, 0.8]


def test_what_kept_a_letter_whose_number_is_withheld_is_withheld_too() -> None:
    for now, before in (({**OWN, "letter.A": None}, past()), (OWN, past(**{"letter.A": None}))):
        change = previous(now, before).change
        assert change is not None
        assert set(change.migration.cells.values()) == {None}


def test_letters_that_stand_have_no_matrix_since_it_would_tell_of_the_few_that_moved() -> None:
    for now, before in (
        ({**OWN, "unchanged_days.letter": 1}, past()),
        (OWN, past(**{"unchanged_days.letter": 2})),
    ):
        change = previous(now, before).change
        assert change is not None
        assert (change.migration.cells, change.migration.accounts, change.migration.upgrades) == (
            {},
            94,
            None,
        )


def test_a_mean_that_stands_has_no_causes() -> None:
    change = previous({**OWN, "unchanged_days.overall_score": 1}, past()).change
    assert change is not None
    assert change.means == {}


def test_a_report_from_before_such_figures_were_kept_tells_no_causes_either() -> None:
    published = past().published
    change = previous(OWN, PastReport(published, {"accounts": 3}, datetime.now(UTC))).change
    assert change is not None
    assert (change.means, change.migration.cells) == ({}, {})


def test_what_is_kept_comes_back_from_json() -> None:
    details = ReportDetails(
        methods=Methods("USD", 10, 65.0, 366, 0.01, 0.05, (Metric("waci", "t", "lower"),)),
        software={"esg_assets": "0.1.0"},
        checks=checks_of([EXACT.drift]),
        periods=periods(
            OWN, DAY, {"previous": past(), "week": None, "month": past()}, lambda _day: EXACT, 10
        ),
        head="5:ab",
    )
    assert ReportDetails.from_json(json.loads(json.dumps(details.as_json()))) == details


def test_details_of_another_shape_are_none_rather_than_an_end_of_every_page() -> None:
    kept = ReportDetails(Methods("USD", 10, 65.0, 366, 0.01, 0.05), {}, [], [], "5:ab").as_json()

    assert ReportDetails.understood(kept) is not None
    assert ReportDetails.understood(None) is None
    assert ReportDetails.understood({**kept, "schema": 2}) is None
    assert ReportDetails.understood({**kept, "methods": {"an": "other"}}) is None
    assert ReportDetails.understood({"schema": 1}) is None
