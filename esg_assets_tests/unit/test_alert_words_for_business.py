"""What alerts say to business: whether there is a report, which one, and when to expect it."""

from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.kinds import GIVEN_UP, KINDS, PUBLISHED, REPORT_LATE, RUN_FAILED
from esg_assets.core.alerts.routes import BUSINESS
from esg_assets_tests.unit.alert_messages import FACTS, HEAD, words


def test_business_reads_whether_there_is_a_report_and_when_to_expect_it() -> None:
    told = words(RUN_FAILED, State.OPEN, BUSINESS)
    assert " ".join(told.paragraphs) == (
        "An attempt to make the report ended without success. There is no report of 24 November 2026 yet. "
        "We expect it at about 07:40 CST, 24 November 2026. It is due at 07:00 CST, 24 November 2026. "
        "You hear from us as soon as it is there, or when it is late."
    )

    hopeless = words(GIVEN_UP, State.OPEN, BUSINESS, facts={"tries_again": 0, "published": 0})
    assert any("cannot say yet when it comes" in paragraph for paragraph in hopeless.paragraphs)


def test_business_reads_which_version_there_is_whether_it_is_complete_and_the_head() -> None:
    facts = FACTS | {"published": 1, "version": 2, "head": HEAD}
    over = words(REPORT_LATE, State.RESOLVED, BUSINESS, facts=facts)

    assert over.subject == "[ESG report prod] RESOLVED: Report is there, 2026-11-24"
    assert any(
        "report of 24 November 2026 is available (version 2). All 955 accounts are in it, but 61 of them"
        in paragraph
        for paragraph in over.paragraphs
    )
    assert ("Available", "yes, version 2") in over.facts
    assert ("With a score", "882") in over.facts
    assert ("Record, for auditors", HEAD) in over.facts

    whole = words(PUBLISHED, State.OPEN, BUSINESS, facts=facts | {"failed": 0})
    assert any("It is complete: all 955 accounts are in it; 12 of them" in text for text in whole.paragraphs)


def test_a_check_that_is_well_again_does_not_say_that_a_report_came_which_was_there() -> None:
    check, there = KINDS["failure_rate"], {"published": 1, "version": 1}

    over = words(check, State.RESOLVED, BUSINESS, facts=there | {"blocks_publication": 0})
    assert "RESOLVED: Scores of many accounts are missing" in over.subject
    came = words(check, State.RESOLVED, BUSINESS, facts=there | {"blocks_publication": 1})
    assert "RESOLVED: Report is there" in came.subject
    before = words(check, State.OPEN, BUSINESS, facts=there | {"blocks_publication": 1})
    assert "that was published before (version 1) stands." in before.text()


def test_an_environment_that_is_not_prod_says_that_the_real_reports_are_not_concerned() -> None:
    told = words(RUN_FAILED, State.OPEN, BUSINESS, environment="test")

    assert told.subject.startswith("[ESG report test] ")
    assert told.footer.endswith("Environment: test (not the real reports; nothing in prod is affected).")
