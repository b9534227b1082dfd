"""Pages as HTML texts: the templates filled in, with the style sheet and the policy that lets only it in."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from esg_assets.core.alerts.times import day as day_in_words
from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import DailyPage, Score
from esg_assets.core.page_numbers import number
from esg_assets.core.trend_figures import SPANS, Trend
from esg_assets.site import charts, trend_charts
from esg_assets.site.made_of import TEMPLATES, digest, software

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Links:
    """Where pages lead; "" for nowhere. Runs: ESG_DAGSTER_URL; runbook: ESG_RUNBOOK_URL."""

    dagster: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class IndexDay:
    """A day of the index.

    Attributes:
        state: of its report, "" where it has no page.
        reported: whether it has a report.
        corrected: whether that is a correction.
    """

    date: date
    state: str
    reported: bool
    corrected: bool

    @property
    def words(self) -> str:
        """For those who hear the page."""
        correction = ", a correction" if self.corrected else ""
        return f"Report of {day_in_words(self.date)}: {self.state}{correction}"


def marker(past: PastReport, *, bare: bool) -> str:
    """What a page was made of, in its head: a page with another marker is out of date.

    Args:
        past: the publication.
        bare: nothing was kept beside its figures when the page was made.
    """
    published = past.published
    of = f"{published.report_date} v{published.version} {published.head_sha256[:16]}"
    return f"{of} {digest()}{' bare' if bare else ''}"


def day_page(page: DailyPage, past: PastReport, root: str, links: Links, *, bare: bool) -> str:
    """The page of a report.

    Args:
        page: what it shows.
        past: of which publication.
        root: the relative way up to the site's folder, such as "../../".
        links: to runs and runbook.
        bare: see `marker`.
    """
    drawn = {
        "histogram": charts.histogram(page.histogram),
        "scores": charts.scores(page.scores),
        "focus": charts.shares(page.focus, "focus"),
        "letters": charts.shares(page.letters, "letters"),
        "failures": charts.failures(page.failures),
    }
    led = []
    if links.dagster:
        led.append(("Run in Dagster", f"{links.dagster.rstrip('/')}/runs/{past.published.run_id}"))
    if links.runbook:
        led.append(("Runbook", links.runbook))
    values = {"page": page, "charts": drawn, "links": led, "state": page.state.value}
    return _page("day.html.jinja", page.heading, root, marker(past, bare=bare), values)


def trend_page(trend: Trend, failure_error: float | None) -> str:
    """One page of trends.

    Args:
        trend: what it shows.
        failure_error: share of failed accounts above which a report is partial, None if not known.
    """
    limit = None if failure_error is None else 100 * failure_error
    notes = {chart.name: _note(chart.name, limit) for chart in trend.charts}
    drawn = {
        chart.name: trend_charts.trend_lines(trend, chart, limit if chart.name == "failures" else None)
        for chart in trend.charts
    }
    values = {"trend": trend, "charts": drawn, "notes": notes}
    return _page("trend.html.jinja", f"ESG trends: {trend.span.title.lower()}", "../", digest(), values)


def _note(name: str, limit: float | None) -> str:
    if name == "failures" and limit is not None:
        return f"Failed accounts as a share of all; dashed: above {limit:g}% a report is partial."
    return {
        "scores": "Means over the accounts that count for averages; by market value: in one currency.",
        "coverage": "Rated accounts as a share of all, and those of them that count for averages.",
        "failures": "Failed accounts as a share of all.",
        "focus": "Rated accounts by primary ESG focus; a gap where a share is withheld.",
        "duration": "From the first call to the last, over all runs of the date.",
        "calls": "All calls of the date, and how many of them were retries.",
    }[name]


def index_page(
    days: Sequence[IndexDay],
    *,
    total: int,
    newest: date,
    others: Sequence[int],
    root: str = "",
    year: str = "",
) -> str:
    """The list of reports, newest month first.

    Args:
        days: ascending, days without a report included.
        total: reports in all.
        newest: date of the newest.
        others: years that have pages of their own.
        root: as in `day_page`.
        year: that this page is of, "" for the first page.
    """
    months: dict[str, list[IndexDay]] = {}
    for day in days:
        months.setdefault(f"{_MONTHS[day.date.month - 1]} {day.date.year}", []).append(day)
    values = {
        "months": list(reversed(months.items())),
        "total": total,
        "newest": newest,
        "others": others,
        "year": year,
    }
    return _page("index.html.jinja", f"ESG reports{' of ' + year if year else ''}", root, digest(), values)


def _page(template: str, title: str, root: str, made_of: str, values: Mapping[str, Any]) -> str:
    style = _style()
    html: str = (
        _environment()
        .get_template(template)
        .render(
            title=title,
            root=root,
            marker=made_of,
            spans=SPANS,
            style=style,
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            software=software(),
            **{"state": "", **values},
        )
    )
    return html


@cache
def _style() -> str:
    return Markup((TEMPLATES / "style.css").read_text("utf-8"))  # noqa: S704 - a file of this package


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["row"] = lambda bar, names: [getattr(bar, name) for name in names]
    made.filters["score"] = _score_row
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return made


def _score_row(score: Score) -> list[str]:
    numbers = asdict(score)
    return [
        *(score.label, number(score.mean), score.change),
        *(number(numbers[name]) for name in ("median", "lower", "upper", "by_value")),
    ]
