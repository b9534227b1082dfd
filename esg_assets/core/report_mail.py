"""What the mail about a publication holds, as plain values.

It is filled by `esg_assets.core.report_mail_words`. How a mail looks is the notifiers'; when it is sent,
`esg_assets.detection.ready`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from esg_assets.core.page_figures import Bar, State, Tile


@dataclass(frozen=True)
class Changed:
    """One figure that a correction changed: its name, as it was, as it is, and the difference."""

    label: str
    before: str
    now: str
    difference: str


@dataclass(frozen=True)
class Correction:
    """What a mail about a later version says of it.

    Attributes:
        of: the version that it replaces.
        reason: as it stands in the chain in the clear.
        changed: figures that differ, counts first.
    """

    of: int
    reason: str
    changed: Sequence[Changed]


@dataclass(frozen=True)
class Histogram:
    """The mail's chart.

    Attributes:
        bars: accounts by overall score.
        mean: of the overall scores, None where it is withheld.
        title: what it shows.
        alternative: the same in words, for those who do not see it.
        caption: what stands below it.
    """

    bars: Sequence[Bar]
    mean: float | None
    title: str
    alternative: str
    caption: str


@dataclass(frozen=True)
class ReportMail:
    """One mail.

    Attributes:
        state: how far the report may be relied on.
        worth: the same in a few words, first in every text; with CORRECTION if it is one.
        environment: as it is named in settings.
        title: the report and its version.
        subject: at most 150 characters, in ASCII; the numbers are in it.
        warnings: what makes it less than complete, and what else must be read first.
        correction: None of a first version.
        figures: three, each with its change since the report before, if there is one, as its only one.
        moves: what else changed since then, in a sentence; "" for nothing to say.
        histogram: None where there is nothing to draw.
        notes: who counts, and what stands or is withheld.
        page: where the report's page is, "" where nobody knows.
        facts: label and value, for auditors.
        footer: why this mail came, and from where.
    """

    state: State
    worth: str
    environment: str
    title: str
    subject: str
    warnings: Sequence[str]
    correction: Correction | None
    figures: Sequence[Tile]
    moves: str
    histogram: Histogram | None
    notes: Sequence[str]
    page: str
    facts: Sequence[tuple[str, str]]
    footer: str
