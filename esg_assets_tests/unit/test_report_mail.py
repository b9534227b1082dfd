"""The mail about a publication: its subject, its words, and that it says nothing that the page does not."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from esg_assets.core.history import PastReport
from esg_assets.core.ports import History
from esg_assets.core.ratings import Status
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.report_mail import ReportMail
from esg_assets.core.report_mail_text import text_of
from esg_assets.core.report_mail_words import report_mail
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.notifiers.letters import examples, latest, mended
from esg_assets_tests.site.month import CORRECTED, FIRST, LAST, PARTIAL, month, nights, publish

MINUS = "\N{MINUS SIGN}"
NOTE = "Environment: prod (the real reports)."


def details_of(history: History, past: PastReport) -> ReportDetails | None:
    kept = history.details(past.published)
    return None if kept is None else ReportDetails.from_json(kept)


def mail_of(history: History, past: PastReport, site: str = "https://esg.example.com") -> ReportMail:
    versions = history.versions(past.published.report_date)
    found = details_of(history, past)
    return report_mail(versions, past, found, environment="prod", note=NOTE, site=site)


@pytest.mark.parametrize(
    ("name", "subject", "first"),
    [
        (
            "complete",
            "[ESG report prod] 2026-11-24: 96.7% rated, 9 failed, mean score 57.8 (unchanged)",
            "COMPLETE: ESG report of 24 November 2026.",
        ),
        (
            "first",
            "[ESG report prod] 2026-10-24: 96.9% rated, 9 failed, mean score 57.7",
            "COMPLETE: ESG report of 24 October 2026.",
        ),
        (
            "partial",
            "[ESG report prod] PARTIAL 2026-11-19: 89.7% rated, 80 failed, mean score 57.8 (unchanged)",
            "PARTIAL: ESG report of 19 November 2026.",
        ),
        (
            "correction",
            "[ESG report prod] CORRECTION 2026-11-19: 96.8% rated, 9 failed, mean score 57.8 (unchanged)",
            "COMPLETE, a CORRECTION: ESG report of 19 November 2026, version 2.",
        ),
    ],
)
def test_the_subject_has_the_numbers_and_the_first_line_what_they_are_worth(
    name: str, subject: str, first: str
) -> None:
    mail = mail_of(*examples()[name])

    assert mail.subject == subject
    assert text_of(mail).splitlines()[0] == first


def test_three_figures_have_their_changes_and_say_since_when_once() -> None:
    mail = mail_of(month(), latest(month(), PARTIAL))

    assert [(f.label, f.value, list(f.changes)) for f in mail.figures] == [
        ("Rated", "89.7%", [f"▼ {MINUS}6.9 points"]),
        ("Overall score, mean", "57.8", ["unchanged"]),
        ("Failed", "80", ["▲ +70"]),
    ]
    assert mail.moves.startswith(
        "Changes are since the report of 18 November 2026. Accounts: 3 new, 69 newly "
    )
    assert text_of(mail).count("18 November 2026") == 2  # and as of when the figures are


def test_a_partial_report_says_why_in_words_without_a_setting() -> None:
    mail = mail_of(month(), latest(month(), PARTIAL))

    assert list(mail.warnings) == ["Why partial: 80 of 988 accounts failed (8.1%); more than 5%."]
    assert "ESG_" not in text_of(mail)


def test_the_first_report_compares_itself_with_nothing() -> None:
    mail = mail_of(month(), latest(month(), FIRST))

    assert mail.moves == "This is the first report: there is none to compare it with."
    assert [list(figure.changes) for figure in mail.figures] == [[], [], []]
    assert mail.correction is None


def test_a_correction_of_the_first_report_does_not_call_itself_the_first() -> None:
    history = MemoryHistory()
    publish(history, nights()[FIRST], 1, 2)
    publish(history, nights()[FIRST], 2, 4)

    mail = mail_of(history, latest(history, FIRST))

    assert mail.correction is not None
    assert mail.moves == "No earlier date has a report: there is none to compare it with."


def test_a_correction_gives_its_reason_and_every_figure_that_it_changed() -> None:
    correction = mail_of(mended(), latest(mended(), PARTIAL)).correction

    assert correction is not None
    assert (correction.of, correction.reason) == (1, "provider mended its governance data")
    assert [(c.label, c.before, c.now, c.difference) for c in correction.changed] == [
        ("Accounts", "988", "989", "+1"),
        ("Rated", "886", "957", "+71"),
        ("Not rated by the provider", "22", "23", "+1"),
        ("Failed", "80", "9", f"{MINUS}71"),
    ]


def test_a_correction_that_changed_none_of_the_figures_says_so() -> None:
    text = text_of(mail_of(month(), latest(month(), CORRECTED)))

    assert "This corrects version 1. Why: provider mended its governance data." in text
    assert "None of the figures in this mail has changed." in text


def test_a_correction_tells_of_scores_too_and_names_what_was_withheld() -> None:
    first, second = mended().versions(PARTIAL)
    before = replace(first, figures={**first.figures, "overall_score.mean": 55.0})
    hidden = replace(second, figures={**second.figures, "overall_score.weighted_mean": None})

    mail = report_mail([before, hidden], hidden, None, environment="prod", note=NOTE, site="")
    assert mail.correction is not None
    rows = {c.label: (c.before, c.now, c.difference) for c in mail.correction.changed}
    assert rows["Overall score, mean"] == ("55.0", "57.8", "+2.8")
    assert rows["Overall score by market value"][1:] == ("withheld", "")


def test_a_version_that_has_been_replaced_meanwhile_says_so_first() -> None:
    first, _ = mended().versions(PARTIAL)
    mail = mail_of(mended(), first)

    assert mail.correction is None
    assert mail.warnings[0].startswith("Version 2 of this report has been published since")
    assert "PARTIAL" in mail.subject
    assert [figure.value for figure in mail.figures][2] == "80"


def test_without_details_a_mail_has_figures_and_a_warning_and_no_changes() -> None:
    past = latest(month(), LAST)
    mail = report_mail([past], past, None, environment="prod", note=NOTE, site="")

    assert mail.subject == "[ESG report prod] WARNING 2026-11-24: 96.7% rated, 9 failed, mean score 57.8"
    assert list(mail.warnings) == [
        "Why the warning: The results of the checks on this report are not kept here."
    ]
    assert mail.moves == ""
    assert ("Head of the chain, for auditors", f"62:{past.published.head_sha256}") in mail.facts


def test_without_a_site_there_is_no_link_and_no_word_of_one() -> None:
    past = latest(month(), LAST)
    with_site, without = (text_of(mail_of(month(), past, site)) for site in ("https://esg.example.com", ""))

    page = "https://esg.example.com/reports/2026-11-24/index.html"
    assert f"The report's page: {page}" in with_site
    assert "http" not in without
    assert "page" not in without


def test_figures_that_are_withheld_are_withheld_here_and_nothing_is_drawn_of_them() -> None:
    past = latest(month(), LAST)
    few = {name: None for name in past.figures if name.startswith(("histogram.", "overall_score."))}
    hidden = replace(past, figures={**past.figures, **few})
    mail = report_mail([hidden], hidden, None, environment="prod", note=NOTE, site="")

    assert mail.histogram is None
    assert mail.subject.endswith("9 failed, mean score withheld")
    assert mail.figures[1].value == "withheld"


def test_the_chart_has_its_numbers_in_words_and_says_what_is_withheld() -> None:
    drawn = mail_of(month(), latest(month(), LAST)).histogram

    assert drawn is not None
    assert drawn.alternative == (
        "Accounts by overall score. 45 to 50: withheld; 50 to 55: 130; 55 to 60: 418; 60 to 65: 164; "
        "65 to 70: 19; 70 to 75: withheld. Mean: 57.8."
    )
    assert "A question mark: withheld, too few accounts." in drawn.caption


def test_no_mail_of_a_month_names_a_run_an_account_or_the_one_who_asked() -> None:
    for day in month().published_dates(FIRST):
        past = latest(month(), day)
        text = text_of(mail_of(month(), past))
        assert past.published.run_id not in text
        assert "jdoe" not in text
        assert not re.search(r"\bA\d{6}\b", text)
        assert not re.search(r"\bNone\b(?! of the figures)", text)
        assert len(mail_of(month(), past).subject) <= 150
        assert mail_of(month(), past).subject.isascii()


def test_a_report_of_nobody_is_told_too() -> None:
    past = latest(month(), LAST)
    nobody = dict.fromkeys(Status, 0)
    empty = replace(past, published=replace(past.published, counts=nobody), figures={})
    mail = report_mail([empty], empty, None, environment="test", note=NOTE, site="")

    assert mail.subject == "[ESG report test] WARNING 2026-11-24: - rated, 0 failed, mean score withheld"
    assert mail.histogram is None


def test_a_comparison_that_cannot_be_made_is_said_to_be_missing() -> None:
    past = latest(month(), LAST)
    details = details_of(month(), past)
    assert details is not None
    gone = [
        replace(period, change=None, changes={}, unavailable="the accounts of 2026-11-23 can not be opened")
        for period in details.periods
    ]
    mail = report_mail([past], past, replace(details, periods=gone), environment="prod", note=NOTE, site="")

    assert [list(figure.changes) for figure in mail.figures] == [["not compared"]] * 3
    before = LAST - timedelta(days=1)
    assert f"Single accounts are not compared: the accounts of {before} can not be opened." in mail.moves
