"""What the history remembers: publications with their cleared figures, runs, and the chain's head.

Aggregates only: no account id, name or score is in any of these. Keeping them is the port `History`
in `esg_assets.core.ports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from esg_assets.core.ratings import Status

ClearFigures = Mapping[str, float | None]
"""Figures that may be shown to anybody, by name; None where a figure is withheld or does not exist.

Names: accounts, accounts.STATUS, success_rate_pct, failures.REASON, scored_accounts,
coverage.{enough,unknown,below}, ratings.{current,stale,undated}, market_value.{known,unknown},
focus.PILLAR, letter.LETTER and methodology.VERSION (also .none and .other),
SCORE.{mean,median,lower_quartile,upper_quartile,weighted_mean}, histogram.overall.NN (accounts whose
overall score is NN points or up to five more), collection.{calls,retries,refusals,seconds} (what asking
for the ratings took),
weighting.{accounts,other_currency,not_positive,unknown_market_value}, metric.NAME.mean, and
unchanged_days.GROUP: for how many days the figures of that group of `esg_assets.core.differencing` have
stood, 0 if they are this report's own.
"""


@dataclass(frozen=True)
class PublishedReport:
    """One version of a date's report, as the chain entry says.

    Attributes:
        report_date: the partition.
        version: from 1; a correction is a later one.
        sequence: of the publish entry in the chain, from 1.
        head_sha256: SHA-256 of that entry's object (64 hex digits), the chain's head at that moment.
        run_id: the run that published it.
        counts: accounts by status, all three.
        as_of: the date that both systems were asked for.
        accounts_as_of: as of when the accounts are (`Snapshot.accounts_as_of`).
        requested_by, reason: who asked for it and why, "" where nobody said.
    """

    report_date: date
    version: int
    sequence: int
    head_sha256: str
    run_id: str
    counts: Mapping[Status, int]
    as_of: date
    accounts_as_of: str
    requested_by: str = ""
    reason: str = ""

    @property
    def current_accounts(self) -> bool:
        """Whether the accounts are as of the time of asking, not as of `as_of`."""
        return self.accounts_as_of != self.as_of.isoformat()

    @property
    def accounts(self) -> int:
        """All accounts of the report."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class PastReport:
    """A publication as the history remembers it.

    Attributes:
        published: what was published.
        figures: what was cleared of it then.
        recorded_at: when the history took it in, UTC.
    """

    published: PublishedReport
    figures: ClearFigures
    recorded_at: datetime


@dataclass(frozen=True)
class Said:
    """What was said about a date at some moment: the version that stood then, as it was known then.

    Attributes:
        past: the version with the figures that were there by then.
        lost: whether a restore of the store has lost it since.
        forgotten_at: when its figures were removed because of their age; None if they were not.
    """

    past: PastReport
    lost: bool = False
    forgotten_at: datetime | None = None


PUBLISHED, UNCHANGED, BLOCKED, FAILED, STOPPED = "published", "unchanged", "blocked", "failed", "stopped"
RUN_STATUSES = (PUBLISHED, UNCHANGED, BLOCKED, FAILED, STOPPED)
"""What becomes of a run: a new version; nothing new to publish; a verdict stopped it; another error, or its
process died; somebody ended it, or it gave way."""


@dataclass(frozen=True)
class RunRecord:
    """How one run went.

    Attributes:
        run_id: Dagster's id of the run.
        report_date: the partition.
        status: one word of RUN_STATUSES.
        started_at: with a time zone.
        ended_at: with a time zone; None while it runs or when nobody saw it end.
        calls: calls to the provider, repeats included.
        retries: how many of them were repeats.
        refusals: answers 429.
        seconds: how long the calls took, from first to last.
        requested_by: who asked for the run, "" where nobody said.
        version: what it published, None if nothing.
        figures: further figures by name: accounts and accounts.STATUS as far as the run got to them,
            asked (accounts it asked for), p50_seconds, p90_seconds, p99_seconds (of a call),
            received_bytes (answers kept), report_bytes (the sealed report, if it published one),
            esg_assets, dagster, python (versions), error (the type of the error that ended it).
    """

    run_id: str
    report_date: date
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    calls: int = 0
    retries: int = 0
    refusals: int = 0
    seconds: float = 0.0
    requested_by: str = ""
    version: int | None = None
    figures: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunTotals:
    """All runs that were ever recorded, added up: these only ever grow.

    Attributes:
        runs: by status; statuses that never occurred are left out.
        calls, retries, refusals, seconds: as in RunRecord.
    """

    runs: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    retries: int = 0
    refusals: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class ChainHead:
    """The newest chain entry that was seen: what came after a truncation cannot be without it."""

    sequence: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"
