"""The summary as people read it, and the comparison in it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from esg_assets.core.comparison import Comparison, compare
from esg_assets.core.disclosure import clear
from esg_assets.core.history import PastReport
from esg_assets.core.ratings import Metric
from esg_assets.core.summary_words import Summary, duration, summary_markdown, summary_text
from esg_assets_tests.unit.test_disclosure import BOOK
from esg_assets_tests.unit.test_summary import PUBLISHED, RUN

FIGURES = clear(BOOK, 10)
TODAY = replace(PUBLISHED, version=1, counts=BOOK.by_status)
YESTERDAY = replace(TODAY, report_date=date(2026, 1, 14), version=3)
BEFORE = PastReport(
    YESTERDAY,
    # As a database gives them back: all of them floats, one withheld, one that was not there yet.
    {n: None if v is None else float(v) for n, v in FIGURES.items() if n != "focus.social"}
    | {"accounts": 101.0, "overall_score.mean": 52.1, "ratings.current": None},
    datetime(2026, 1, 14, 12, 0, tzinfo=UTC),
)
SUMMARY = Summary(
    published=TODAY,
    figures=FIGURES,
    run=RUN,
    change=compare(FIGURES, BEFORE),
    currency="USD",
    min_cell=10,
    min_coverage_pct=65.0,
    max_rating_age_days=366,
    metrics=(Metric("waci", "tCO2e/MUSD", "lower"),),
)

TEXT = """\
ESG report of 2026-01-15, version 1
90 of 100 accounts rated (90.0%), 3 failed. As of 2026-01-14; chain entry 7.

Accounts                  number      share     change
all                          100                    -1
rated                         90      90.0%          =
not rated                      7       7.0%          =
failed                         3       3.0%          =
failed: rejected               1       1.0%          =
failed: timeout                2       2.0%          =

Scores, 0 to 100            mean     change     median   middle half  by value, USD
overall                     52.3       +0.2       51.2  40.1 to 60.0           55.6
environmental               52.3          =       51.2  40.1 to 60.0           55.6
social                      52.3          =       51.2  40.1 to 60.0           55.6
governance                  52.3          =       51.2  40.1 to 60.0           55.6

Further metrics             mean     change        unit
waci, lower is better      389.6          =  tCO2e/MUSD

Primary focus             number      share     change
environmental                 50      55.6%          =
social                        25      27.8%
governance                    15      16.7%          =

Rating                    number      share     change
AAA                     withheld
AA                      withheld
A                             30      33.3%          =
BBB                           40      44.4%          =

Age of rating             number      share     change
current                       90     100.0%

Collection                 calls    retries    refused        took
run 0f3c2a1e                  14          4          1  1 min 28 s

Scores are over the 70 rated accounts whose coverage is 65% or more or not known; 20 with less are
left out.
Means by market value are over 40 accounts; 30 in other currencies are left out.
Changes are against the report of 2026-01-14, version 3.
Withheld: figures about fewer than 10 accounts, and those from which these could be worked out."""


def test_the_terminal_shows_the_summary_in_columns() -> None:
    assert "\n".join(summary_text(SUMMARY)) == TEXT


def test_figures_read_back_from_the_history_look_the_same() -> None:
    floats = {n: None if v is None else float(v) for n, v in FIGURES.items()}
    assert summary_text(replace(SUMMARY, figures=floats)) == summary_text(SUMMARY)


def test_the_ui_shows_the_same_figures_as_markdown_tables() -> None:
    page = summary_markdown(SUMMARY)
    assert page.startswith("### ESG report of 2026-01-15, version 1\n\n90 of 100 accounts rated")
    assert (
        "| Accounts | number | share | change |\n| --- | ---: | ---: | ---: |\n| all | 100 |  | -1 |" in page
    )
    assert "| overall | 52.3 | +0.2 | 51.2 | 40.1 to 60.0 | 55.6 |" in page
    columns = {block.count("|") // len(block.splitlines()) for block in page.split("\n\n") if "|" in block}
    assert columns == {5, 6, 7}


def test_a_bar_in_a_unit_does_not_break_the_table() -> None:
    page = summary_markdown(replace(SUMMARY, metrics=(Metric("waci", "t|MUSD", "lower"),)))
    assert r"| t\|MUSD |" in page


def test_the_first_report_has_nothing_to_compare_with() -> None:
    first = replace(SUMMARY, change=compare(FIGURES, None))
    assert first.change is None
    assert "There is no earlier report to compare with." in summary_text(first)


def test_a_correction_and_accounts_of_now_are_said_at_the_top() -> None:
    published = replace(TODAY, version=2, accounts_as_of="2026-01-15T11:00:02Z")
    lines = summary_text(replace(SUMMARY, published=published))
    assert lines[0] == "ESG report of 2026-01-15, version 2 (a correction)"
    assert lines[2].startswith("The accounts are those active at 2026-01-15T11:00:02Z, not at the end of")


def test_how_many_have_too_little_coverage_is_said_to_be_withheld_when_it_is() -> None:
    figures = dict(FIGURES) | {"scored_accounts": None, "coverage.below": None}
    text = " ".join(summary_text(replace(SUMMARY, figures=figures)))
    assert "leave out rated accounts whose coverage is below 65%; how many is withheld." in text


def test_stale_ratings_are_explained_and_accounts_without_currency_have_no_code() -> None:
    figures = dict(FIGURES) | {"ratings.stale": 12}
    text = summary_text(replace(SUMMARY, figures=figures, currency=""))
    assert "A rating older than 366 days is stale." in text
    assert next(line for line in text if line.startswith("Scores, 0")).endswith("  by value")


def test_nothing_is_said_to_be_withheld_when_nothing_is() -> None:
    figures = {n: 50 if v is None else v for n, v in FIGURES.items()}
    assert not [line for line in summary_text(replace(SUMMARY, figures=figures)) if "ithheld" in line]


def test_only_figures_that_both_reports_show_are_compared() -> None:
    now = {"a": 52.3, "b": None, "c": 10, "new": 1}
    before = replace(BEFORE, figures={"a": 52.1, "b": 3.0, "c": None, "old": 1.0})
    assert compare(now, before) == Comparison(date(2026, 1, 14), 3, {"a": 0.2})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (8.24, "8.2 s"),
        (200, "3 min 20 s"),
        (59.99, "1 min 0 s"),
        (7_500, "2 h 5 min"),
        (3_599.9, "1 h 0 min"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
