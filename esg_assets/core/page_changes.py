"""What changed, as the page of a report tells it: against the report before, a week ago and a month ago."""

from collections.abc import Sequence
from dataclasses import dataclass

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.change_disclosure import CAUSES, ClearPart
from esg_assets.core.page_numbers import signed, whole
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.report_details import PREVIOUS, Period, ReportDetails

_TITLES = {PREVIOUS: "Report before", "week": "Week ago", "month": "Month ago"}
_SHORT = {PREVIOUS: "last report", "week": "week", "month": "month"}
UNAVAILABLE = "comparison unavailable"


@dataclass(frozen=True)
class ChangeShown:
    """The change against one earlier report.

    Attributes:
        title: which, with its date.
        unavailable: why accounts are not compared; "" where they are.
        turnover: what and how many.
        causes: of each mean its name, its change, and the causes with their points.
    """

    title: str
    unavailable: str
    turnover: Sequence[tuple[str, str]]
    causes: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True)
class Matrix:
    """The migration of letters, from rows to columns.

    Attributes:
        before: date of the earlier report, ISO.
        letters: of rows and columns.
        rows: texts by letter before: a number, a word where withheld, "" where none.
        note: what there is to say of all of it.
    """

    before: str
    letters: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    note: str


def moved(details: ReportDetails | None, name: str, unit: str, *, count: bool = False) -> list[str]:
    """How a figure changed, one text for each earlier report that has it; see also `not_compared`."""
    texts = []
    for period in details.periods if details is not None else ():
        change, against = period.changes.get(name), _SHORT[period.name]
        if change is not None:
            moved = "no change" if not change else f"{_arrow(change)} {signed(change, count=count)}{unit}"
            texts.append(f"{moved} vs {against}")
    return texts


def not_compared(details: ReportDetails | None) -> str:
    """With which earlier reports nothing is compared, said once; "" where there is nothing to say."""
    gone = [period for period in details.periods if period.version == 0] if details is not None else []
    if any(period.name == PREVIOUS for period in gone):
        return f"{UNAVAILABLE.capitalize()}: there is no earlier report."
    dates = [
        f"{day_in_words(period.report_date)} (a {period.name} ago)" for period in gone if period.report_date
    ]
    return f"{UNAVAILABLE.capitalize()}: no report of {' or '.join(dates)} is published." if dates else ""


def _arrow(change: float) -> str:
    return "▲" if change > 0 else "▼"


def changes_shown(details: ReportDetails | None) -> list[ChangeShown]:
    """Every period's change of accounts."""
    return [] if details is None else [_shown(period) for period in details.periods]


def _shown(period: Period) -> ChangeShown:
    title, change = _titled(period), period.change
    if change is None:
        return ChangeShown(title, f"{UNAVAILABLE}: {period.unavailable}", (), ())
    turnover, letters = change.turnover, change.migration
    rows = [
        ("New accounts", turnover.new),
        ("Closed accounts", turnover.closed),
        ("Newly failing", turnover.newly_failing),
        ("No longer failing", turnover.no_longer_failing),
        ("Newly rated", turnover.newly_rated),
        ("No longer rated", turnover.no_longer_rated),
        ("Upgrades", letters.upgrades),
        ("Downgrades", letters.downgrades),
    ]
    causes = []
    for name, parts in change.means.items():
        total = period.changes.get(name)
        label = "Mean by market value" if name.endswith("weighted_mean") else "Mean"
        causes.append((f"{label}, overall score", "" if total is None else signed(total), _told(parts)))
    return ChangeShown(title, "", [(label, whole(n)) for label, n in rows], causes)


def _titled(period: Period) -> str:
    dated = f", {day_in_words(period.report_date)}" if period.report_date else ""
    return f"{_TITLES[period.name]}{dated}"


def turnover_rows(changes: Sequence[ChangeShown]) -> list[tuple[str, ...]]:
    """One table of what came and went: a row for each kind, a column for each report that is compared."""
    compared = [change.turnover for change in changes if not change.unavailable]
    return [(row[0][0], *(number for _, number in row)) for row in zip(*compared, strict=True)]


def _told(parts: Sequence[ClearPart]) -> list[tuple[str, str]]:
    told = []
    for part in parts:
        names = ", ".join(CAUSES[cause] for cause in part.causes)
        told.append((names[:1].upper() + names[1:], signed(part.points)))
    return told


def matrix_of(details: ReportDetails | None) -> Matrix | None:
    """The matrix against the report before; None where accounts are not compared."""
    period = next((p for p in details.periods if p.name == PREVIOUS), None) if details is not None else None
    if period is None or period.change is None or details is None:
        return None
    found = period.change.migration
    used = [letter for letter in RATINGS if any(letter in cell for cell in found.cells)]
    rows = [
        (then, [whole(found.cells[then, now]) if (then, now) in found.cells else "" for now in used])
        for then in used
    ]
    if found.cells:
        ups, downs = found.upgrades, found.downgrades
        moves = "how many went up or down is withheld"
        if ups is not None and downs is not None:
            moves = f"{ups:,} went up, {downs:,} down"
        note = f"{found.accounts:,} accounts have a letter in both reports; {moves}."
    else:
        few = f"fewer than {details.methods.min_cell:,} accounts changed"
        note = (
            f"{found.accounts:,} accounts have a letter in both reports; the matrix is withheld, since {few}."
        )
        if not found.accounts:
            note = "No account has a letter in both reports."
    return Matrix(period.change.before, used, rows, note)
