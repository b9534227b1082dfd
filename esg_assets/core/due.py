"""Which dates the schedule asks for at a tick: a pure function of what is published and what was tried.

Dagster drops missed ticks and its run keys deduplicate within one tick only, so a date is guarded by
what is known of it: published, under way, ended for good, or tried too often (docs/adr/0006).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class DateState:
    """What is known of one date that is not published.

    Attributes:
        under_way: a run of it is queued or running.
        attempts: runs of it that the schedule started and that have ended.
        permanent: the latest run ended with an error that a repeat cannot mend.
        yielded: the latest run gave way to a more urgent date; it is taken up again and not an attempt.
    """

    under_way: bool = False
    attempts: int = 0
    permanent: bool = False
    yielded: bool = False


@dataclass(frozen=True)
class Due:
    """What to do at a tick; dates ascend, but today comes first."""

    wanted: tuple[date, ...] = ()
    given_up: tuple[date, ...] = ()
    reasons: Mapping[date, str] = field(default_factory=dict)


def dates_due(
    today: date,
    *,
    first: date,
    catchup_days: int,
    max_attempts: int,
    published: Collection[date],
    first_publication: date | None,
    states: Mapping[date, DateState],
    gave_way: Collection[date] = (),
) -> Due:
    """The dates to run now, and why the others are not.

    Args:
        today: the date in Central time.
        first: the first partition (ESG_FIRST_DATE).
        catchup_days: ESG_CATCHUP_DAYS; missed days before today that are made up for.
        max_attempts: ESG_MAX_DATE_ATTEMPTS.
        published: dates with a published report.
        first_publication: before it nothing was missed: the pipeline was not in service yet.
        states: what is known of unpublished dates; a date that is not in it was never tried.
        gave_way: dates, however old, whose latest run gave way to a more urgent one.
    """
    earliest = max(first, today - timedelta(days=catchup_days))
    missed = [today - timedelta(days=n) for n in range((today - earliest).days, 0, -1)]
    in_service = [d for d in missed if first_publication is not None and d >= first_publication]
    wanted, given_up, reasons = [], [], {}
    for day in [today, *sorted({*in_service, *gave_way} - {today})]:
        state = states.get(day, DateState())
        if day < first:
            reasons[day] = f"before the first date {first}"
        elif day in published:
            reasons[day] = "published"
        elif state.under_way:
            reasons[day] = "under way"
        elif state.permanent:
            reasons[day] = "ended with an error that a repeat cannot mend; run it by hand when it is mended"
        elif state.attempts >= max_attempts and not state.yielded:
            given_up.append(day)
            reasons[day] = f"given up after {state.attempts} runs (ESG_MAX_DATE_ATTEMPTS)"
        else:
            wanted.append(day)
            reasons[day] = f"run {state.attempts + 1} of at most {max_attempts}"
    return Due(tuple(wanted), tuple(given_up), reasons)
