"""The figures of one small book, worked out by hand.

    id  status     coverage  overall  E     S     G     focus  letter  as of       value     currency
    a   SUCCESS    100       40       10    20    30    soc    A       2025-12-31  100       USD
    b   SUCCESS    65        50       20    30    40    soc    BBB     2025-01-13  300       USD
    c   SUCCESS    (none)    61       30    41    50    env    BBB     2025-01-12  (none)    USD
    d   SUCCESS    64.99     99       99    99    99    gov    (none)  2025-12-31  500       USD
    e   SUCCESS    80        70       40    50    60    env    AA      2025-12-31  1000000   JPY
    f   SUCCESS    90        80.5     (none) 60   70    env    AA      2025-12-31  0         USD
    g   NOT_RATED                                                                  (none)    USD
    h   FAILED     timeout                                                         7         USD
    i   FAILED     timeout                                                         7         USD
    j   FAILED     rejected                                                        1e400     EUR

As of 2026-01-14 with 366 days: ratings before 2025-01-13 are stale, so c is and b is not.
Averages: a, b, c, e, f. Weights: a 100 and b 300; most of the accounts with a value have USD.
"""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pytest

from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.averages import Average, Spread
from esg_assets.core.figures import FigureRules, Figures, Tally, Weighting, figures, side_by_side
from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS
from esg_assets.core.ratings import Metric, Reason, Status

WACI = Metric("waci", "tCO2e/MUSD", "lower")
ABSENT = Metric("board_independence", "%", "higher")
RULES = FigureRules(date(2026, 1, 14), 65.0, 366, (WACI, ABSENT))


def rated(  # noqa: PLR0917 - one row of the table above
    account: str,
    coverage: str | None,
    scores: str,
    focus: str,
    letter: str | None,
    as_of: str,
    value: str | None,
    currency: str | None = "USD",
    waci: str | None = None,
) -> dict[str, object]:
    numbers = [None if s == "-" else s for s in scores.split()]
    return {
        **ended(account, Status.SUCCESS, None, value, currency),
        "coverage_pct": coverage,
        **dict(zip(SCORE_COLUMNS, numbers, strict=True)),
        "primary_focus": focus,
        "rating": letter,
        "rating_as_of": as_of,
        "metrics": [] if waci is None else [("waci", waci)],
    }


def ended(
    account: str, status: Status, reason: Reason | None, value: str | None, currency: str | None = "USD"
) -> dict[str, object]:
    empty = dict.fromkeys(OUTCOME_SCHEMA.names)
    return {
        **empty,
        "account_id": account,
        "status": status.value,
        "reason": None if reason is None else reason.value,
        "attempts": 1,
        "raw": b"",
        "market_value": value,
        "base_currency": currency,
    }


ROWS = [
    rated("a", "100", "40 10 20 30", "social", "A", "2025-12-31", "100", waci="380.5"),
    rated("b", "65", "50 20 30 40", "social", "BBB", "2025-01-13", "300", waci="1e2"),
    rated("c", None, "61 30 41 50", "environmental", "BBB", "2025-01-12", None),
    rated("d", "64.99", "99 99 99 99", "governance", None, "2025-12-31", "500", waci="9999"),
    rated("e", "80", "70 40 50 60", "environmental", "AA", "2025-12-31", "1000000", "JPY"),
    rated("f", "90", "80.5 - 60 70", "environmental", "AA", "2025-12-31", "0"),
    ended("g", Status.NOT_RATED, Reason.NOT_COVERED, None),
    ended("h", Status.FAILED, Reason.TIMEOUT, "7"),
    ended("i", Status.FAILED, Reason.TIMEOUT, "7"),
    ended("j", Status.FAILED, Reason.REJECTED, "1e400", "EUR"),
]

SCHEMA = pa.schema(
    [*OUTCOME_SCHEMA, ACCOUNT_SCHEMA.field("market_value"), ACCOUNT_SCHEMA.field("base_currency")]
)


def batch(rows: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def of(*rows: Mapping[str, object], rules: FigureRules = RULES) -> Figures:
    return figures([batch([dict(row) for row in rows])], rules)


def test_the_figures_of_a_small_book_are_those_worked_out_by_hand() -> None:
    assert of(*ROWS) == Figures(
        rules=RULES,
        accounts=10,
        by_status={Status.SUCCESS: 6, Status.NOT_RATED: 1, Status.FAILED: 3},
        failures={Reason.TIMEOUT: 2, Reason.REJECTED: 1},
        enough_coverage=4,
        unknown_coverage=1,
        below_coverage=1,
        scores={
            # 40, 50, 61, 70, 80.5 sum to 301.5; weights 100 of 40 and 300 of 50 make 19,000 of 400;
            # effective: 400² / (100² + 300²) = 1.6
            "overall_score": Spread(5, 60.3, 50.0, 61.0, 70.0, 2, 1.6, 47.5),
            # 10, 20, 30, 40: quartiles at positions 0.75, 1.5 and 2.25
            "environmental_score": Spread(4, 25.0, 17.5, 25.0, 32.5, 2, 1.6, 17.5),
            "social_score": Spread(5, 40.2, 30.0, 41.0, 50.0, 2, 1.6, 27.5),
            "governance_score": Spread(5, 50.0, 40.0, 50.0, 60.0, 2, 1.6, 37.5),
        },
        weighting=Weighting("USD", 2, other_currency=1, not_positive=1, unknown_market_value=1),
        focus={"social": 2, "environmental": 3, "governance": 1},
        letters={"A": 1, "BBB": 2, "": 1, "AA": 2},
        current_ratings=5,
        stale_ratings=1,
        undated_ratings=0,
        metrics={"waci": Average(2, 240.25), "board_independence": Average(0, None)},
        unknown_market_value=3,
        methodologies={"": 6},
        # 40 is of 40 to 45, 50 of 50 to 55 and 70 of 70 to 75: a bin holds its lower end.
        histogram=tuple(int(points in {40, 50, 60, 70, 80}) for points in range(0, 100, 5)),
    )


def test_scored_accounts_and_the_success_rate_follow_from_the_counts() -> None:
    found = of(*ROWS)
    assert (found.scored_accounts, found.success_rate) == (5, 0.6)


def test_no_account_has_no_rate_and_no_mean() -> None:
    found = figures([], RULES)
    assert (found.accounts, found.success_rate) == (0, None)
    assert found.by_status == dict.fromkeys(Status, 0)
    assert found.scores["overall_score"] == Spread(0, None, None, None, None, 0, 0.0, None)
    assert found.weighting == Weighting("", 0, 0, 0, 0)


def test_failed_accounts_alone_make_no_mean() -> None:
    found = of(ended("h", Status.FAILED, Reason.TIMEOUT, "7"))
    assert found.scores["overall_score"].mean is None
    assert found.metrics["waci"] == Average(0, None)


def test_the_currency_of_most_valued_accounts_weighs_and_not_the_one_of_most_money() -> None:
    rows = [rated(i, "90", "10 1 1 1", "social", "A", "2025-12-31", "1", "EUR") for i in "ab"]
    rows += [rated("c", "90", "90 1 1 1", "social", "A", "2025-12-31", "1000000", "USD")]
    # More accounts in pounds, but no one knows what they are worth.
    rows += [rated(i, "90", "50 1 1 1", "social", "A", "2025-12-31", None, "GBP") for i in "defg"]
    assert of(*rows).weighting == Weighting("EUR", 2, 1, 0, 4)
    assert of(*rows).scores["overall_score"].weighted_mean == 10.0


def test_of_two_equal_currencies_the_alphabetically_first_weighs() -> None:
    rows = [rated(c, "90", "10 1 1 1", "social", "A", "2025-12-31", "1", c) for c in ("USD", "EUR", "JPY")]
    assert of(*rows).weighting.currency == "EUR"
    assert of(*reversed(rows)).weighting.currency == "EUR"


def test_accounts_without_a_currency_are_a_group_of_their_own() -> None:
    rows = [rated(i, "90", "20 1 1 1", "social", "A", "2025-12-31", "5", None) for i in "ab"]
    rows += [rated("c", "90", "90 1 1 1", "social", "A", "2025-12-31", "5", "USD")]
    assert of(*rows).weighting == Weighting("", 2, 1, 0, 0)
    assert of(*rows).scores["overall_score"].weighted_mean == 20.0


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "+5", "1,000", " 5", "", "0x10", "1e400", "٣"])
def test_a_market_value_that_is_no_json_number_is_unknown(text: str) -> None:
    found = of(rated("a", "90", "20 1 1 1", "social", "A", "2025-12-31", text))
    assert found.unknown_market_value == 1
    assert found.scores["overall_score"].weighted_mean is None


def test_amounts_of_any_size_weigh_without_overflow() -> None:
    rows = [
        rated("a", "90", "20 1 1 1", "social", "A", "2025-12-31", "1" + "0" * 300),
        rated("b", "90", "40 1 1 1", "social", "A", "2025-12-31", "1" + "0" * 300),
        rated("c", "90", "99 1 1 1", "social", "A", "2025-12-31", "0.01"),
    ]
    assert of(*rows).scores["overall_score"].weighted_mean == 30.0


def test_a_rating_without_a_date_is_neither_current_nor_stale() -> None:
    row = rated("a", "90", "20 1 1 1", "social", "A", "2025-12-31", "5") | {"rating_as_of": None}
    found = of(row)
    assert (found.current_ratings, found.stale_ratings, found.undated_ratings) == (0, 0, 1)


def test_an_account_without_an_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid Status"):
        of(ended("a", Status.FAILED, Reason.TIMEOUT, None) | {"status": ""})
    with pytest.raises(ValueError, match="not a valid Reason"):
        of(ended("a", Status.FAILED, None, None))


def test_accounts_and_outcomes_side_by_side_give_the_same_figures() -> None:
    table = pa.Table.from_batches([batch(ROWS)])
    accounts = table.select(["account_id", "market_value", "base_currency"])
    outcomes = table.select([name for name in OUTCOME_SCHEMA.names if name != "raw"])
    assert figures(side_by_side(accounts, outcomes), RULES) == of(*ROWS)


def test_a_tally_can_be_read_and_added_to_again() -> None:
    tally = Tally(RULES)
    tally.add(batch(ROWS[:4]))
    assert tally.figures().accounts == 4
    tally.add(batch(ROWS[4:]))
    assert tally.figures() == of(*ROWS)
