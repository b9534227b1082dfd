"""One account through the reports of a span of time: what each says, and what changed since the one before.

For recipients alone. Opening reports is not done here; what counts as a change is `row_changes`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from esg_assets.core import row_changes
from esg_assets.core.report_rows import Row


class State(StrEnum):
    """What became of looking for the account in a report."""

    FOUND = "found"
    ABSENT = "absent"  # the report was read, and the account is not in it
    EXPIRED = "expired"  # removed after its retention
    OTHER_RECIPIENTS = "other_recipients"  # sealed to other keys than the one given
    MISSING = "missing"  # the store does not hold it, and no entry says that it was removed
    DOES_NOT_VERIFY = "does_not_verify"  # nothing of it is shown

    @property
    def fault(self) -> bool:
        """Whether something is wrong with the store."""
        return self in {State.MISSING, State.DOES_NOT_VERIFY}


@dataclass(frozen=True)
class Seen:
    """One version of a date's report.

    Attributes:
        date, version: of the report.
        state: what became of it.
        row: the account's row; None unless FOUND.
        entry: sequence of the chain's entry that removed it, for EXPIRED.
        as_of: the date that both systems were asked for.
    """

    date: dt.date
    version: int
    state: State
    row: Row | None = None
    entry: int | None = None
    as_of: dt.date | None = None


@dataclass(frozen=True)
class Step:
    """A report with what changed since the last one before it that could be read.

    Attributes:
        seen: the report.
        since: that one before, None where there is none.
        kinds: why it differs (`row_changes.KINDS`, `details`); empty if it does not.
    """

    seen: Seen
    since: Seen | None = None
    kinds: tuple[str, ...] = ()


def steps(reports: Iterable[Seen]) -> Iterator[Step]:
    """Each report with what changed; the reports come in the order of date and version."""
    last: Seen | None = None
    for seen in reports:
        if seen.state not in {State.FOUND, State.ABSENT}:
            yield Step(seen)
            continue
        yield Step(seen, last, () if last is None else _kinds(last.row, seen.row))
        last = seen


def _kinds(before: Row | None, now: Row | None) -> tuple[str, ...]:
    if before is not None and now is not None:
        return row_changes.kinds(before, now)
    if before is None:
        return () if now is None else (row_changes.JOINED,)
    return (row_changes.LEFT,)


def gaps(published: Collection[dt.date], first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Spans of `first` to `last`, both included, of which no date has a report."""
    day = dt.timedelta(days=1)
    begin = first
    for date in sorted({each for each in published if first <= each <= last}):
        if begin < date:
            yield begin, date - day
        begin = date + day
    if begin <= last:
        yield begin, last


def find(rows: Iterable[Row], account_id: str) -> Row | None:
    """The account's row; looks no further than where it would stand."""
    for row in rows:
        if row["account_id"] >= account_id:
            return row if row["account_id"] == account_id else None
    return None
