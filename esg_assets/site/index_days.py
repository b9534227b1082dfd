"""The days of the index: what it says of each in a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.history import PastReport
from esg_assets.core.page_numbers import number, share
from esg_assets.core.page_opening import State
from esg_assets.core.ratings import Status


@dataclass(frozen=True)
class IndexDay:
    """A day of the index.

    Attributes:
        state: of its report, "" where it has no page.
        version: of its report, 0 where it has none.
        rated, failed, mean: of that report; "" where it has none.
    """

    date: date
    state: str
    version: int
    rated: str
    failed: str
    mean: str

    @property
    def reported(self) -> bool:
        """Whether it has a report."""
        return self.version > 0

    @property
    def corrected(self) -> bool:
        """Whether that is a correction."""
        return self.version > 1

    @property
    def words(self) -> str:
        """For those who hear the page."""
        correction = f", version {self.version}, a correction" if self.corrected else ""
        return f"Report of {day_in_words(self.date)}: {self.state}{correction}"

    @property
    def result(self) -> str:
        """What the report is worth, in words."""
        worth = {
            State.COMPLETE: "complete",
            State.WARNING: "complete with a warning",
            State.PARTIAL: "PARTIAL",
        }
        found = worth[State(self.state)] if self.state else "its page is not made yet"
        return f"{found}, version {self.version}" if self.corrected else found

    @property
    def marks(self) -> Sequence[str]:
        """What stands below its number: nothing for what is complete and was never corrected."""
        state = "" if self.state == State.COMPLETE else self.state
        return [mark for mark in (state, f"v{self.version}" if self.corrected else "") if mark]


def index_day(day: date, past: PastReport | None, state: str) -> IndexDay:
    """The day with its report, None where it has none, and what the page of that says of its state."""
    if past is None:
        return IndexDay(day, "", 0, "", "", "")
    published = past.published
    counts = published.counts
    return IndexDay(
        day,
        state,
        published.version,
        rated=share(counts[Status.SUCCESS], published.accounts),
        failed=f"{counts[Status.FAILED]:,}",
        mean=number(past.figures.get("overall_score.mean")),
    )
