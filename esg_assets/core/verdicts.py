"""The verdicts on a day's accounts, ratings and report: pure functions of counts and limits.

Dagster's asset checks show them (`esg_assets.checks`), and `encrypted_report_csv` enforces them
again on what it reads, because a check in one run does not stop a materialization in another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from esg_assets.core.errors import RowProblem
from esg_assets.core.history import PastReport
from esg_assets.core.ratings import Status

ACCOUNTS_COMPLETE = "accounts_complete_and_unique"
ACCOUNT_COUNT = "account_count_plausible"
ONE_OUTCOME = "every_account_has_one_outcome"
FAILURE_RATE = "failure_rate"
NOT_RATED_RATE = "not_rated_rate"
REPORT_EQUALS = "report_equals_ratings"
STILL_VERIFIES = "report_still_verifies"
KEYS_UNCHANGED = "keys_unchanged"
RATINGS_DRIFT = "ratings_drift"

Counts = Mapping[Status, int]


@dataclass(frozen=True)
class Limits:
    """The settings that verdicts compare with; shares from 0 to 1."""

    failure_warn: float = 0.01
    failure_error: float = 0.05
    failure_block: float = 0.5
    not_rated_block: float = 0.5
    not_rated_rise_block: float = 0.1
    count_warn: float = 0.1
    count_drop_block: float = 0.25


@dataclass(frozen=True)
class Past:
    """What verdicts compare with: the latest earlier publication."""

    report_date: str
    accounts: int
    not_rated: int

    @classmethod
    def of(cls, report: PastReport | None) -> "Past | None":
        """What is needed of a publication that the history remembers."""
        if report is None:
            return None
        published = report.published
        return cls(published.report_date.isoformat(), published.accounts, published.counts[Status.NOT_RATED])


@dataclass(frozen=True)
class Verdict:
    """One judgement.

    Attributes:
        check: the check's name.
        passed: whether all is well.
        severity: how bad it is when not passed.
        blocks: whether nothing may be published.
        note: one sentence with the numbers, for people; no account id, name or score.
        measured: figures by name, for metadata.
    """

    check: str
    passed: bool
    note: str
    severity: Literal["WARN", "ERROR"] = "ERROR"
    blocks: bool = False
    measured: Mapping[str, float | int | str] = field(default_factory=dict)


def accounts_complete(count: int) -> Verdict:
    """The account list keeps every rule: a list that does not never becomes a snapshot."""
    note = f"{count:,} active accounts, every id present, well formed and unique"
    return Verdict(ACCOUNTS_COMPLETE, passed=True, note=note, measured={"accounts": count, "problems": 0})


def accounts_refused(message: str, problems: Sequence[RowProblem]) -> Verdict:
    """The account list breaks a rule; `message` says which, for which rows."""
    measured = {"problems_shown": len(problems)}
    return Verdict(ACCOUNTS_COMPLETE, passed=False, blocks=True, note=message, measured=measured)


def account_count(count: int, past: Past | None, limits: Limits) -> Verdict:
    """Whether the number of accounts is plausible against the latest earlier report."""
    if past is None or past.accounts == 0:
        note = f"{count:,} active accounts; no earlier report to compare with"
        return Verdict(ACCOUNT_COUNT, passed=True, note=note, severity="WARN", measured={"accounts": count})
    change = (count - past.accounts) / past.accounts
    measured = {"accounts": count, "accounts_before": past.accounts, "change": round(change, 4)}
    note = (
        f"{count:,} active accounts against {past.accounts:,} in the report of {past.report_date} "
        f"({change:+.1%})"
    )
    if -change > limits.count_drop_block:
        note += f"; a fall of more than {limits.count_drop_block:.0%} stops the run (ESG_ACCOUNTS_DROP_BLOCK)"
        return Verdict(ACCOUNT_COUNT, passed=False, blocks=True, note=note, measured=measured)
    if abs(change) > limits.count_warn:
        note += f"; more than {limits.count_warn:.0%} (ESG_ACCOUNTS_CHANGE_WARN)"
        return Verdict(ACCOUNT_COUNT, passed=False, severity="WARN", note=note, measured=measured)
    return Verdict(ACCOUNT_COUNT, passed=True, severity="WARN", note=note, measured=measured)


def one_outcome(accounts: int, counts: Counts) -> Verdict:
    """Whether active = SUCCESS + NOT_RATED + FAILED."""
    ended = sum(counts.values())
    split = " + ".join(f"{counts.get(s, 0):,} {s}" for s in Status)
    measured = {"accounts": accounts, "outcomes": ended, **{s.value: counts.get(s, 0) for s in Status}}
    if ended != accounts:
        note = f"{accounts:,} active accounts but {split} = {ended:,}: {accounts - ended:,} have no outcome"
        return Verdict(ONE_OUTCOME, passed=False, blocks=True, note=note, measured=measured)
    return Verdict(
        ONE_OUTCOME, passed=True, note=f"{accounts:,} active accounts = {split}", measured=measured
    )


def failure_rate(counts: Counts, limits: Limits, reasons: Mapping[str, int] | None = None) -> Verdict:
    """Whether few enough accounts failed; `reasons` are FAILED accounts by reason, to be told of."""
    total, failed = sum(counts.values()), counts.get(Status.FAILED, 0)
    rate = failed / total if total else 0.0
    why = {f"reason.{reason}": number for reason, number in sorted((reasons or {}).items())}
    measured = {"accounts": total, "failed": failed, "failure_rate": round(rate, 6), **why}
    note = f"{failed:,} of {total:,} accounts failed ({rate:.1%})"
    if rate > limits.failure_block:
        note += f"; more than {limits.failure_block:.0%} stops the publication (ESG_FAILURE_RATE_BLOCK)"
        measured["limit"] = limits.failure_block
        return Verdict(FAILURE_RATE, passed=False, blocks=True, note=note, measured=measured)
    if rate > limits.failure_error:
        note += f"; more than {limits.failure_error:.0%} (ESG_FAILURE_RATE_ERROR)"
        measured["limit"] = limits.failure_error
        return Verdict(FAILURE_RATE, passed=False, note=note, measured=measured)
    if rate > limits.failure_warn:
        note += f"; more than {limits.failure_warn:.0%} (ESG_FAILURE_RATE_WARN)"
        measured["limit"] = limits.failure_warn
        return Verdict(FAILURE_RATE, passed=False, severity="WARN", note=note, measured=measured)
    return Verdict(FAILURE_RATE, passed=True, severity="WARN", note=note, measured=measured)


def not_rated_rate(counts: Counts, past: Past | None, limits: Limits) -> Verdict:
    """Whether few enough accounts are unrated: a wrong base URL answers 404 to everything."""
    total, unrated = sum(counts.values()), counts.get(Status.NOT_RATED, 0)
    rate = unrated / total if total else 0.0
    measured: dict[str, float | int | str] = {"accounts": total, "not_rated": unrated}
    measured["not_rated_rate"] = round(rate, 6)
    note = f"{unrated:,} of {total:,} accounts are not rated ({rate:.1%})"
    if rate > limits.not_rated_block:
        note += f"; more than {limits.not_rated_block:.0%} stops the publication (ESG_NOT_RATED_RATE_BLOCK)"
        measured["limit"] = limits.not_rated_block
        return Verdict(NOT_RATED_RATE, passed=False, blocks=True, note=note, measured=measured)
    if past is not None and past.accounts:
        rise = rate - past.not_rated / past.accounts
        measured["not_rated_rise"] = round(rise, 6)
        note += f", {round(rise * 100, 1) + 0.0:+.1f} points against the report of {past.report_date}"
        if rise > limits.not_rated_rise_block:
            points = limits.not_rated_rise_block * 100
            note += (
                f"; a rise of more than {points:.0f} points stops the publication (ESG_NOT_RATED_RISE_BLOCK)"
            )
            return Verdict(NOT_RATED_RATE, passed=False, blocks=True, note=note, measured=measured)
    return Verdict(NOT_RATED_RATE, passed=True, severity="WARN", note=note, measured=measured)


def on_ratings(
    accounts: int,
    counts: Counts,
    past: Past | None,
    limits: Limits,
    reasons: Mapping[str, int] | None = None,
) -> list[Verdict]:
    """Every verdict on a day's ratings, in the order they are shown; `reasons` as in `failure_rate`."""
    return [
        one_outcome(accounts, counts),
        failure_rate(counts, limits, reasons),
        not_rated_rate(counts, past, limits),
    ]


def on_publication(accounts: int, counts: Counts, past: Past | None, limits: Limits) -> list[Verdict]:
    """Every verdict that must not block before a report may be published."""
    return [account_count(accounts, past, limits), *on_ratings(accounts, counts, past, limits)]


def report_equals(rows: int, *, equal: bool, sealed_bytes: int, what: str) -> Verdict:
    """Whether the sealed report, read back from the store, is what the ratings say.

    Args:
        rows: accounts of the report.
        equal: the plaintext read back is, byte for byte, the report rendered again.
        sealed_bytes: size of the object in the store.
        what: in words, when not equal.
    """
    measured = {"rows": rows, "sealed_bytes": sealed_bytes}
    if equal:
        note = f"{rows:,} rows sealed, read back from the store and equal to the ratings"
        return Verdict(REPORT_EQUALS, passed=True, note=note, measured=measured)
    note = f"the report read back from the store differs from the ratings: {what}"
    return Verdict(REPORT_EQUALS, passed=False, blocks=True, note=note, measured=measured)
