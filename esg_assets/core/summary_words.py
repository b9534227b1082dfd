"""The day's summary for people: a Markdown page for Dagster's UI, and lines for a terminal.

Only cleared figures come in here, so whatever is told may be seen by anybody. The exact summary, for
the recipients, is `esg_assets.core.summary`.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from esg_assets.core.comparison import Comparison
from esg_assets.core.differencing import UNCHANGED, stands
from esg_assets.core.history import ClearFigures, PublishedReport, RunRecord
from esg_assets.core.methodology import methodology_told
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.ratings import Metric, Status
from esg_assets.core.summary import accounts_note

WITHHELD = "withheld"
LINE = 100
_STATUS = {Status.SUCCESS: "rated", Status.NOT_RATED: "not rated", Status.FAILED: "failed"}
_MEASURES = ("mean", "median", "lower_quartile", "upper_quartile", "weighted_mean")


@dataclass(frozen=True)
class Summary:
    """What there is to tell of one report.

    Attributes:
        published: the publication.
        figures: cleared.
        run: the run that made it.
        change: against the latest earlier report, None if there is none.
        currency: of the market-value weights, "" where accounts have none.
        min_cell, min_coverage_pct, max_rating_age_days, metrics: the settings behind the figures.
        head: of the chain, SEQ:SHA256, to be compared with at a later time; "" leaves it out.
    """

    published: PublishedReport
    figures: ClearFigures
    run: RunRecord
    change: Comparison | None
    currency: str
    min_cell: int
    min_coverage_pct: float
    max_rating_age_days: int
    metrics: Sequence[Metric] = ()
    head: str = ""


@dataclass(frozen=True)
class Table:
    """A titled table of texts; the first column is the label, the others are numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def summary_markdown(summary: Summary) -> str:
    """The summary as Markdown, for Dagster's metadata."""
    parts = [f"### {_title(summary)}", *_opening(summary)]
    for table in _tables(summary):
        head = [table.title, *table.columns]
        lines = [head, ["---", *("---:" for _ in table.columns)], *table.rows]
        parts.append("\n".join("| " + " | ".join(_cell(c) for c in cells) + " |" for cells in lines))
    return "\n\n".join([*parts, *_footnotes(summary)]) + "\n"


def summary_text(summary: Summary) -> list[str]:
    """The summary as lines without markup; sentences are wrapped at LINE characters."""
    lines = [_title(summary), *_wrapped(_opening(summary))]
    tables = list(_tables(summary))
    label_width = max(len(row[0]) for t in tables for row in (*t.rows, (t.title,)))
    for table in tables:
        widths = [
            max(9, *(len(row[n]) for row in (["", *table.columns], *table.rows)))
            for n in range(1, len(table.columns) + 1)
        ]
        lines.append("")
        for row in ([table.title, *table.columns], *table.rows):
            numbers = "".join(f"  {cell:>{w}}" for cell, w in zip(row[1:], widths, strict=True))
            lines.append(f"{row[0]:<{label_width}}{numbers}".rstrip())
    return [*lines, "", *_wrapped(_footnotes(summary))]


def _wrapped(sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(sentence, LINE, break_long_words=False, break_on_hyphens=False)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _title(summary: Summary) -> str:
    published = summary.published
    correction = " (a correction)" if published.version > 1 else ""
    return f"ESG report of {published.report_date}, version {published.version}{correction}"


def _opening(summary: Summary) -> list[str]:
    published, figures = summary.published, summary.figures
    rated, failed = published.counts[Status.SUCCESS], published.counts[Status.FAILED]
    line = (
        f"{rated:,} of {published.accounts:,} accounts rated ({_number(figures['success_rate_pct'])}%), "
        f"{failed:,} failed. As of {published.as_of}; chain entry {published.sequence:,}."
    )
    note = accounts_note(published)
    return [line, note] if note else [line]


def _tables(summary: Summary) -> Iterator[Table]:
    yield _status_table(summary)
    yield _score_table(summary)
    if summary.metrics:
        rows = [
            [
                f"{m.name}, {m.better} is better",
                _number(summary.figures.get(f"metric.{m.name}.mean")),
                _change(summary, f"metric.{m.name}.mean"),
                m.unit,
            ]
            for m in summary.metrics
        ]
        yield Table("Further metrics", ["mean", "change", "unit"], rows)
    yield from _distributions(summary)
    run = summary.run
    effort = [f"{run.calls:,}", f"{run.retries:,}", f"{run.refusals:,}", duration(run.seconds)]
    yield Table("Collection", ["calls", "retries", "refused", "took"], [[f"run {run.run_id[:8]}", *effort]])


def _status_table(summary: Summary) -> Table:
    total = summary.published.accounts
    rows = [["all", f"{total:,}", "", _change(summary, "accounts", whole=True)]]
    for status, words in _STATUS.items():
        n = summary.published.counts[status]
        rows.append([words, f"{n:,}", _share(n, total), _change(summary, f"accounts.{status}", whole=True)])
    for name, failed in summary.figures.items():
        if name.startswith("failures.") and failed:
            label = "failed: " + name.removeprefix("failures.").replace("_", " ")
            change = _change(summary, name, whole=True)
            rows.append([label, _number(failed, whole=True), _share(failed, total), change])
    return Table("Accounts", ["number", "share", "change"], rows)


def _score_table(summary: Summary) -> Table:
    """Scores by row, so that the four means stand under each other."""
    weighted = f"by value, {summary.currency}" if summary.currency else "by value"
    rows = []
    for score in SCORE_COLUMNS:
        mean, median, lower, upper, by_value = (
            _number(summary.figures.get(f"{score}.{measure}")) for measure in _MEASURES
        )
        label = score.removesuffix("_score").replace("_", " ")
        rows.append([label, mean, _change(summary, f"{score}.mean"), median, f"{lower} to {upper}", by_value])
    return Table("Scores, 0 to 100", ["mean", "change", "median", "middle half", weighted], rows)


def _distributions(summary: Summary) -> Iterator[Table]:
    rated = summary.published.counts[Status.SUCCESS]
    for prefix, title in (("focus.", "Primary focus"), ("letter.", "Rating"), ("ratings.", "Age of rating")):
        earlier = stands(summary.figures, prefix.removesuffix("."), rated)
        rows = [
            [
                name.removeprefix(prefix),
                _number(n, whole=True),
                "" if n is None or earlier else _share(n, rated),
                _change(summary, name, whole=True),
            ]
            for name, n in summary.figures.items()
            if name.startswith(prefix) and n != 0
        ]
        if rows:
            yield Table(title, ["number", "share", "change"], rows)


def _footnotes(summary: Summary) -> list[str]:
    scored, below = summary.figures.get("scored_accounts"), summary.figures.get("coverage.below")
    wanted = f"{summary.min_coverage_pct:g}%"
    notes = [
        f"Scores are over the {_number(scored, whole=True)} rated accounts whose coverage is {wanted} or "
        f"more or not known; {_number(below, whole=True)} with less are left out."
        if scored is not None and below is not None
        else f"Scores leave out rated accounts whose coverage is below {wanted}; how many is withheld."
    ]
    weighted = summary.figures.get("weighting.accounts")
    others = summary.figures.get("weighting.other_currency")
    if weighted is not None and others is not None and weighted != scored:
        notes.append(
            f"Means by market value are over {_number(weighted, whole=True)} accounts; "
            f"{_number(others, whole=True)} in other currencies are left out."
        )
    if summary.figures.get("ratings.stale"):
        notes.append(f"A rating older than {summary.max_rating_age_days:,} days is stale.")
    if summary.change is None:
        notes.append("There is no earlier report to compare with.")
    else:
        before = summary.change
        notes.append(f"Changes are against the report of {before.report_date}, version {before.version}.")
    versions = methodology_told(summary.figures), summary.change.methodology if summary.change else ""
    notes += [*filter(None, versions), *_standing(summary)]
    if None in summary.figures.values():
        notes.append(
            f"Withheld: figures about fewer than {summary.min_cell:,} accounts, and those from which "
            "these could be worked out."
        )
    if summary.head:
        notes.append(f"Head of the chain: {summary.head}")
    return notes


def _standing(summary: Summary) -> Iterator[str]:
    """What is said of figures that are not this report's own."""
    days = {
        name.removeprefix(UNCHANGED): int(n)
        for name, n in summary.figures.items()
        if name.startswith(UNCHANGED) and n
    }
    for since in sorted(set(days.values())):
        groups = [group.removeprefix("metric.").replace("_", " ") for group, n in days.items() if n == since]
        day = summary.published.report_date - timedelta(days=since)
        yield (
            f"Figures of {', '.join(groups)} stand since the report of {day}: fewer than "
            f"{summary.min_cell:,} accounts differ from those behind them."
        )


def _number(value: float | None, *, whole: bool = False) -> str:
    if value is None:
        return WITHHELD
    return f"{value:,.0f}" if whole or isinstance(value, int) else f"{value:,.1f}"


def _share(part: float, total: int) -> str:
    return f"{part / total:.1%}" if total else ""


def _change(summary: Summary, name: str, *, whole: bool = False) -> str:
    change = summary.change.changes.get(name) if summary.change else None
    if change is None:
        return ""
    if not change:
        return "="
    return f"{change:+,.0f}" if whole else f"{change:+,.1f}"


def duration(seconds: float) -> str:
    """A length of time as people say it: 8.2 s, 3 min 20 s, 2 h 5 min."""
    if round(seconds, 1) < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
