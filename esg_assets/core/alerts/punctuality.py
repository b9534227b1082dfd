"""Which reports should be there by now, and what follows for a date from when its report came.

Pure: what is published and what the schedule will do about the rest comes as arguments. The clock of
the firm is US Central; a deadline keeps its wall-clock time over both changes of daylight saving time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from esg_assets.core.alerts.incidents import Facts, Observation, Recovery
from esg_assets.core.alerts.kinds import (
    CATCH_UP,
    FORECAST_LATE,
    GIVEN_UP,
    KINDS,
    PUBLISHED,
    READY,
    REPORT_LATE,
    Family,
)
from esg_assets.core.central_time import CENTRAL, central_date
from esg_assets.core.history import PastReport, PublishedReport
from esg_assets.core.ratings import Status

LOOK_BACK_DAYS = 40
"""A date that was missed longer ago, with nobody looking in all that time, gets no incident any more."""

SERVICE_DAYS = 7

LATENESS = frozenset(kind.name for kind in KINDS.values() if kind.family is Family.LATENESS)


def deadline_of(day: date, clock: time) -> datetime:
    """The moment (UTC) by which the report of `day` must exist.

    Args:
        day: the report's date.
        clock: ESG_REPORT_DEADLINE, in Central time.
    """
    return datetime.combine(day, clock, CENTRAL).astimezone(UTC)


def in_service_since(now: datetime, clock: time, *, published_lately: bool, scheduled: bool) -> date | None:
    """The first date whose absence is a fault, decided when dates are looked at for the first time.

    An installation is in service when it has published a report of one of the SERVICE_DAYS before, or its
    schedule is on. Then today is the first date; tomorrow for a new one that was set up after today's
    deadline. None while nobody has asked for a report, or for one of long ago only: then nothing is
    missing.

    Args:
        now: the time.
        clock: ESG_REPORT_DEADLINE, in Central time.
        published_lately: whether one of the SERVICE_DAYS before today is published.
        scheduled: whether the schedule is on, and a daemon has seen it.
    """
    today = central_date(now)
    if published_lately:
        return today
    if not scheduled:
        return None
    return today if now < deadline_of(today, clock) else today + timedelta(days=1)


def expected(now: datetime, clock: time, *, since: date, first: date) -> list[date]:
    """Dates whose report should be there by now, ascending; at most LOOK_BACK_DAYS and today.

    Args:
        now: the time.
        clock: ESG_REPORT_DEADLINE, in Central time.
        since: `in_service_since`, as it was decided then.
        first: ESG_FIRST_DATE.
    """
    today = central_date(now)
    earliest = max(since, first, today - timedelta(days=LOOK_BACK_DAYS))
    days = (earliest + timedelta(days=n) for n in range((today - earliest).days + 1))
    return [day for day in days if now > deadline_of(day, clock)]


def missing(day: date, clock: time, facts: Facts) -> Observation:
    """The deadline of a date has passed without a report."""
    deadline = deadline_of(day, clock)
    known: Facts = {**facts, "deadline": deadline.isoformat(), "published": 0}
    return Observation(REPORT_LATE, f"late:{day}", deadline, day, facts=known)


def given_up(day: date, at: datetime, facts: Facts) -> Observation:
    """The schedule asks for a date no more: tried too often, or too old."""
    return Observation(
        GIVEN_UP, f"given_up:{day}", at, day, facts={**facts, "published": 0, "tries_again": 0}
    )


def will_be_late(day: date, clock: time, expected_end: datetime, at: datetime, run_id: str) -> Observation:
    """A run that asks for the ratings of a date will not be done by its deadline."""
    facts: Facts = {
        "deadline": deadline_of(day, clock).isoformat(),
        "expected_end": expected_end.isoformat(timespec="seconds"),
        "published": 0,
    }
    return Observation(FORECAST_LATE, f"forecast:{day}", at, day, facts=facts, run_id=run_id)


def made_up_for(day: date, at: datetime, run_id: str) -> Observation:
    """The schedule has started a run of a missed date."""
    return Observation(CATCH_UP, f"catch_up:{day}", at, day, facts={"published": 0}, run_id=run_id)


def publication(past: PastReport, clock: time, since: date | None) -> Iterator[Observation | Recovery]:
    """What follows from one recorded version: the notice, the end of lateness, and that it came too late.

    Args:
        past: the version.
        clock: ESG_REPORT_DEADLINE, in Central time.
        since: `in_service_since`; a report of an earlier date is never late.
    """
    report, at = past.published, past.recorded_at
    day, name, facts = report.report_date, f"published:{_name_of(report)}", _facts_of(report)
    yield Observation(PUBLISHED, name, at, day, str(report.version), facts=facts, run_id=report.run_id)
    if report.version == 1 and since is not None and day >= since and at > deadline_of(day, clock):
        # Nobody may have looked while it was missing; if somebody did, this is known already.
        yield missing(day, clock, {})
    yield Recovery(f"{name}:there", at, LATENESS, day, facts=facts, run_id=report.run_id)


def ready(past: PastReport) -> Observation:
    """The figures of a version are kept: its readers can be told, once.

    Args:
        past: the version.
    """
    report = past.published
    return Observation(
        READY,
        f"ready:{_name_of(report)}",
        past.recorded_at,
        report.report_date,
        str(report.version),
        facts=_facts_of(report),
        run_id=report.run_id,
    )


def _name_of(report: PublishedReport) -> str:
    return f"{report.report_date}:{report.version}:{report.head_sha256[:16]}"


def _facts_of(report: PublishedReport) -> Facts:
    return {
        "version": report.version,
        "published": 1,
        "accounts": report.accounts,
        "failed": report.counts[Status.FAILED],
        "not_rated": report.counts[Status.NOT_RATED],
        "head": f"{report.sequence}:{report.head_sha256}",
    }
