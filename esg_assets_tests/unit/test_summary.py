"""The sealed summary: exact, whole, and streamed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.ratings import Reason
from esg_assets.core.summary import (
    FailedAccount,
    accounts_note,
    failed_accounts,
    summary_chunks,
    summary_document,
)
from esg_assets_tests.unit.test_figures import ROWS, batch, of

FIGURES = of(*ROWS)
PUBLISHED = PublishedReport(
    report_date=date(2026, 1, 15),
    version=2,
    sequence=7,
    head_sha256="ab" * 32,
    run_id="0f3c2a1e-run",
    counts=FIGURES.by_status,
    as_of=date(2026, 1, 14),
    accounts_as_of="2026-01-14",
    requested_by="jane",
    reason="provider corrected a score",
)
RUN = RunRecord(
    run_id="0f3c2a1e-run",
    report_date=date(2026, 1, 15),
    status="published",
    started_at=datetime(2026, 1, 15, 11, 0, tzinfo=UTC),
    ended_at=datetime(2026, 1, 15, 11, 1, 30, tzinfo=UTC),
    calls=14,
    retries=4,
    refusals=1,
    seconds=88.25,
    requested_by="jane",
)
RECIPIENTS = ("recipient.pub", "escrow.pub")
SOFTWARE = {"esg_assets": "0.1.0", "dagster": "1.13.27"}


def document() -> dict[str, object]:
    return summary_document(PUBLISHED, FIGURES, RUN, recipients=RECIPIENTS, software=SOFTWARE)


def read(chunks: Iterator[bytes]) -> dict[str, object]:
    whole = json.loads(b"".join(chunks))
    assert isinstance(whole, dict)
    return whole


def test_the_summary_says_what_was_published_and_by_which_run() -> None:
    found = read(summary_chunks(document(), failed_accounts([batch(ROWS)])))
    assert found["schema_version"] == 1
    assert [found[n] for n in ("report_date", "version", "sequence", "as_of", "accounts_as_of")] == [
        "2026-01-15",
        2,
        7,
        "2026-01-14",
        "2026-01-14",
    ]
    assert found["counts"] == {"SUCCESS": 6, "NOT_RATED": 1, "FAILED": 3}
    assert (found["recipients"], found["software"]) == (list(RECIPIENTS), SOFTWARE)
    assert (found["requested_by"], found["reason"]) == ("jane", "provider corrected a score")
    assert found["run"] == {
        "run_id": "0f3c2a1e-run",
        "status": "published",
        "started_at": "2026-01-15T11:00:00+00:00",
        "ended_at": "2026-01-15T11:01:30+00:00",
        "calls": 14,
        "retries": 4,
        "refusals": 1,
        "seconds": 88.25,
        "requested_by": "jane",
    }


def test_the_summary_holds_exact_figures_with_the_rules_behind_them() -> None:
    figures = read(summary_chunks(document(), []))["figures"]
    assert isinstance(figures, dict)
    assert figures["success_rate"] == 0.6
    assert figures["failures"] == {"timeout": 2, "rejected": 1}
    assert figures["coverage"] == {"minimum_pct": 65.0, "enough": 4, "unknown": 1, "below": 1}
    assert figures["scores"]["overall_score"]["weighted_mean"] == 47.5
    assert figures["weighting"]["currency"] == "USD"
    assert figures["metrics"]["waci"] == {
        "unit": "tCO2e/MUSD",
        "better": "lower",
        "accounts": 2,
        "mean": 240.25,
    }
    assert figures["rating_age"] == {"maximum_days": 366, "current": 5, "stale": 1, "undated": 0}


def test_every_failed_account_is_listed_with_what_to_do_about_it() -> None:
    rows = [*ROWS[:-1], ROWS[-1] | {"attempts": 3, "last_status": 422}]
    assert list(failed_accounts([batch(rows[:5]), batch(rows[5:])])) == [
        FailedAccount("h", Reason.TIMEOUT, 1, None),
        FailedAccount("i", Reason.TIMEOUT, 1, None),
        FailedAccount("j", Reason.REJECTED, 3, 422),
    ]
    listed = read(summary_chunks(document(), failed_accounts([batch(rows)])))["failed_accounts"]
    assert isinstance(listed, list)
    assert listed[-1] == {"account_id": "j", "reason": "rejected", "attempts": 3, "last_status": 422}


@pytest.mark.parametrize("count", [0, 1, 4_999, 5_000, 12_345])
def test_the_list_of_failed_accounts_is_never_cut(count: int) -> None:
    failed = (FailedAccount(f'"{n}"\n部', Reason.TIMEOUT, 5, 503) for n in range(count))
    chunks = list(summary_chunks(document(), failed))
    assert max(len(chunk) for chunk in chunks) < 600_000
    listed = read(iter(chunks))["failed_accounts"]
    assert isinstance(listed, list)
    assert [account["account_id"] for account in listed] == [f'"{n}"\n部' for n in range(count)]


def test_a_summary_of_other_accounts_than_were_published_is_refused() -> None:
    other = replace(PUBLISHED, counts=of(*ROWS[:-1]).by_status)
    with pytest.raises(ValueError, match="count other accounts than version 2"):
        summary_document(other, FIGURES, RUN, recipients=RECIPIENTS, software=SOFTWARE)


def test_accounts_as_of_now_are_said_to_be_so() -> None:
    assert accounts_note(PUBLISHED) == ""
    now = replace(PUBLISHED, accounts_as_of="2026-01-15T11:00:02Z")
    found = summary_document(now, FIGURES, RUN, recipients=RECIPIENTS, software=SOFTWARE)
    assert found["current_accounts"] is True
    assert "active at 2026-01-15T11:00:02Z, not at the end of 2026-01-14" in str(found["note"])


def test_a_run_s_further_figures_are_in_the_summary() -> None:
    run = replace(RUN, ended_at=None, figures={"latency_p99_seconds": 0.8})
    found = summary_document(PUBLISHED, FIGURES, run, recipients=RECIPIENTS, software=SOFTWARE)
    told = found["run"]
    assert isinstance(told, dict)
    assert (told["ended_at"], told["figures"]) == (None, {"latency_p99_seconds": 0.8})
