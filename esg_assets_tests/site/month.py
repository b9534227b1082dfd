"""A month of reports of a book whose ratings walk, in a history: what the tests of pages look at.

Figures, disclosure and comparisons are the real functions on tables as the stores hold them; only
providers, stores and Dagster are missing. `rows_of` gives the accounts behind a date, for whoever counts
them in another way.
"""

import functools
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from esg_assets.core import verdicts
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.change import attribution, migration, side, turnover
from esg_assets.core.differencing import Shown, contributions, differing, held
from esg_assets.core.disclosure import clear
from esg_assets.core.drift import drift, uncompared
from esg_assets.core.earlier_reports import MEANS, Compared
from esg_assets.core.figures import FigureRules, figures, side_by_side
from esg_assets.core.history import ClearFigures, PublishedReport
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.ports import History
from esg_assets.core.ratings import Metric, Status
from esg_assets.core.report_details import Methods, ReportDetails, checks_of, periods
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.unit.walking_book import Account, drawn, walked

FIRST = date(2026, 10, 24)
DAYS = 32
GAPS = {FIRST + timedelta(days=11), FIRST + timedelta(days=12)}
CORRECTED = FIRST + timedelta(days=20)
PARTIAL = FIRST + timedelta(days=26)
LAST = FIRST + timedelta(days=DAYS - 1)
ACCOUNTS = 955
METRICS = (Metric("waci", "tCO2e/USDm", "lower"),)
LIMITS = verdicts.Limits()
OPEN_DAYS = 25
"""Working data of older dates can no longer be opened."""

_FOCUS = ("environmental", "social", "governance")
_REASONS = ("timeout", "timeout", "unavailable", "rejected")


@dataclass(frozen=True)
class Night:
    """One date's accounts and outcomes."""

    day: date
    accounts: pa.Table
    outcomes: pa.Table

    @property
    def rules(self) -> FigureRules:
        return FigureRules(self.day - timedelta(days=1), 65.0, 366, METRICS)


def rows_of(day: date, book: Sequence[Account]) -> list[dict[str, Any]]:
    """Accounts and outcomes of a date, as plain rows."""
    dice, rows = random.Random(day.toordinal()), []
    for account in sorted(book, key=lambda each: each.name):
        rated = account.status == "SUCCESS"
        fixed = random.Random(account.name)
        pillars = [f"{pillar:.2f}" for pillar in account.pillars]
        as_of = day - timedelta(days=fixed.randint(400, 500) if account.stale else fixed.randint(2, 300))
        rows.append(
            {
                "account_id": account.name,
                "market_value": None if account.value is None else f"{account.value:.2f}",
                "base_currency": "EUR" if fixed.random() < 0.08 else "USD",
                "status": account.status,
                "reason": {"FAILED": dice.choice(_REASONS), "NOT_RATED": "not_covered"}.get(account.status),
                "overall_score": f"{account.overall:.2f}" if rated else None,
                "environmental_score": pillars[0] if rated else None,
                "social_score": pillars[1] if rated else None,
                "governance_score": pillars[2] if rated else None,
                "primary_focus": fixed.choices(_FOCUS, (5, 3, 2))[0] if rated else None,
                "rating": account.letter if rated else None,
                "coverage_pct": f"{account.coverage:.1f}" if rated else None,
                "rating_as_of": as_of.isoformat() if rated else None,
                "metrics": [("waci", f"{fixed.uniform(40, 320):.1f}")] if rated else None,
                "attempts": 1,
                "last_status": 200,
                "etag": None,
                "raw": b"",
            }
        )
    return rows


def night_of(day: date, book: Sequence[Account]) -> Night:
    rows = [dict.fromkeys(ACCOUNT_SCHEMA.names) | row for row in rows_of(day, book)]
    wide = pa.schema([field.with_nullable(nullable=True) for field in OUTCOME_SCHEMA])
    accounts = pa.schema([field.with_nullable(nullable=True) for field in ACCOUNT_SCHEMA])
    return Night(day, pa.Table.from_pylist(rows, schema=accounts), pa.Table.from_pylist(rows, schema=wide))


def failing(book: Sequence[Account], share: float, dice: random.Random) -> list[Account]:
    """The book on a night on which the provider fails for a share of the accounts."""
    return [replace(each, status="FAILED") if dice.random() < share else each for each in book]


@functools.cache
def nights() -> dict[date, Night]:
    """Every date that has a report, ascending."""
    dice = random.Random(20261124)
    book = [drawn(dice, f"A{n:06d}") for n in range(ACCOUNTS)]
    found = {}
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        shown = failing(book, 0.06, random.Random(6)) if day == PARTIAL else book
        if day not in GAPS:
            found[day] = night_of(day, shown)
        book = walked(dice, book, number)
    return found


def compared(before: Night, now: Night) -> Compared:
    """As `EarlierReports` compares."""
    old, new = (side(each.accounts, each.outcomes, each.rules, "USD") for each in (before, now))
    then, later = (
        contributions(each.accounts["account_id"], each.outcomes, each.rules) for each in (before, now)
    )
    means = {name: attribution(old, new, name.partition(".")[0], weighted=w) for name, w in MEANS.items()}
    return Compared(
        differing(later, then),
        turnover(old, new),
        migration(old, new),
        {name: found for name, found in means.items() if found is not None},
        drift(old, new, before.day),
    )


def publish(history: History, night: Night, version: int, sequence: int) -> None:
    """As `daily_summary` records a report."""
    day = night.day
    exact = figures(side_by_side(night.accounts, night.outcomes), night.rules)
    published = PublishedReport(
        report_date=day,
        version=version,
        sequence=sequence,
        head_sha256=hashlib.sha256(f"{sequence}".encode()).hexdigest(),
        run_id=f"{sequence:08x}-9d7b-4f0e-8f57-1c1d4c5e6f70",
        counts=exact.by_status,
        as_of=night.rules.as_of,
        accounts_as_of=night.rules.as_of.isoformat(),
        reason="provider mended its governance data" if version > 1 else "",
        requested_by="jdoe" if version > 1 else "",
    )
    shown = Shown(history.latest(day), history.latest_before(day))

    def against(then: date) -> Compared | None:
        old = nights().get(then)
        return None if old is None or (day - then).days > OPEN_DAYS else compared(old, night)

    calls = exact.accounts + 7 * exact.by_status[Status.FAILED]
    collection: ClearFigures = {
        "collection.calls": calls,
        "collection.retries": 7 * exact.by_status[Status.FAILED],
        "collection.refusals": 3,
        "collection.seconds": round(calls / 48.7, 1),
    }
    cleared = held(
        {**clear(exact, 10), **collection},
        day=day,
        version=version,
        shown=shown,
        differing=lambda then: None if (found := against(then)) is None else found.differing,
        min_cell=10,
    )
    before = shown.before
    found = None if before is None else against(before.published.report_date)
    judged = [
        verdicts.accounts_complete(exact.accounts),
        *verdicts.on_publication(exact.accounts, exact.by_status, verdicts.Past.of(before), LIMITS),
        verdicts.report_equals(exact.accounts, equal=True, sealed_bytes=1, what=""),
        uncompared(None) if found is None else found.drift,
    ]
    earlier = {
        "previous": before,
        "week": history.latest(day - timedelta(days=7)),
        "month": history.latest(day - timedelta(days=30)),
    }
    details = ReportDetails(
        methods=Methods("USD", 10, 65.0, 366, 0.01, 0.05, METRICS),
        software={"esg_assets": "0.1.0", "dagster": "1.13.27", "python": "3.11.7"},
        checks=checks_of(judged),
        periods=periods(cleared, day, earlier, against, 10),
        head=f"{sequence}:{published.head_sha256}",
    )
    history.record_publication(published, cleared)
    history.record_details(published, details.as_json())


@functools.cache
def month() -> MemoryHistory:
    """The history of the whole month; nobody may add to it."""
    moments = [datetime(2026, 10, 24, 10, 7, tzinfo=UTC)]
    history = MemoryHistory(lambda: moments[0])
    sequence = 0
    for day, night in nights().items():
        moments[0] = datetime(day.year, day.month, day.day, 11, 7, tzinfo=UTC)
        for version in (1, 2) if day == CORRECTED else (1,):
            sequence += 2
            publish(history, night, version, sequence)
            moments[0] += timedelta(hours=5)
    return history
