"""Verdicts: who warns, who alerts, who stops the publication."""

from collections import Counter

import pytest

from esg_assets.core import verdicts
from esg_assets.core.ratings import Status
from esg_assets.core.verdicts import Limits, Past

LIMITS = Limits()


def counts(success: int, unrated: int = 0, failed: int = 0) -> Counter[Status]:
    return Counter({Status.SUCCESS: success, Status.NOT_RATED: unrated, Status.FAILED: failed})


@pytest.mark.parametrize(
    ("failed", "passed", "severity", "blocks"),
    [
        (10, True, "WARN", False),
        (11, False, "WARN", False),
        (50, False, "WARN", False),
        (51, False, "ERROR", False),
        (500, False, "ERROR", False),
        (501, False, "ERROR", True),
    ],
)
def test_the_failure_rate_warns_alerts_and_stops_above_its_limits(
    failed: int, passed: bool, severity: str, blocks: bool
) -> None:
    verdict = verdicts.failure_rate(counts(1000 - failed, failed=failed), LIMITS)

    assert (verdict.passed, verdict.severity, verdict.blocks) == (passed, severity, blocks)


def test_a_wrong_base_url_that_answers_404_to_everything_stops_the_publication() -> None:
    verdict = verdicts.not_rated_rate(counts(0, unrated=100), None, LIMITS)

    assert verdict.blocks
    assert "ESG_NOT_RATED_RATE_BLOCK" in verdict.note


def test_a_rise_of_unrated_accounts_against_the_report_before_stops_the_publication() -> None:
    past = Past("2026-01-14", accounts=100, not_rated=5)

    assert not verdicts.not_rated_rate(counts(85, unrated=15), past, LIMITS).blocks
    assert verdicts.not_rated_rate(counts(84, unrated=16), past, LIMITS).blocks


@pytest.mark.parametrize(
    ("count", "passed", "blocks"),
    [
        (100, True, False),
        (110, True, False),
        (111, False, False),
        (76, False, False),
        (75, False, False),
        (74, False, True),
        (300, False, False),
    ],
)
def test_a_fall_of_the_account_count_stops_the_run_and_a_change_warns(
    count: int, passed: bool, blocks: bool
) -> None:
    verdict = verdicts.account_count(count, Past("2026-01-14", 100, 0), LIMITS)

    assert (verdict.passed, verdict.blocks) == (passed, blocks)


def test_the_first_report_ever_has_nothing_to_compare_with() -> None:
    assert verdicts.account_count(5, None, LIMITS).passed


def test_an_account_without_an_outcome_stops_the_publication_and_the_note_counts() -> None:
    verdict = verdicts.one_outcome(100, counts(90, 5, 4))

    assert verdict.blocks
    assert "1 have no outcome" in verdict.note


def test_everything_that_stops_a_publication_is_among_the_verdicts_on_it() -> None:
    past = Past("2026-01-14", 1000, 0)
    stopped = {
        verdict.check
        for total, found in [(100, counts(100)), (1000, counts(400, failed=600)), (1000, counts(400, 600))]
        for verdict in verdicts.on_publication(total, found, past, LIMITS)
        if verdict.blocks
    }

    assert stopped == {verdicts.ACCOUNT_COUNT, verdicts.FAILURE_RATE, verdicts.NOT_RATED_RATE}
    assert any(v.blocks for v in verdicts.on_publication(1000, counts(999), past, LIMITS))
