"""Pages as HTML texts: the templates filled in, with the style sheet and the policy that lets only it in."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
from esg_assets.site.index_days import IndexDay
from esg_assets.site.made_of import TEMPLATES, Links, digest, software

LATER = "<!-- later versions -->"
"""Where in a version's page the line goes that there is a later one."""

SUPERSEDED = (
    '<p class="later">SUPERSEDED: a correction of this report was published later. '
    '<a href="index.html">Its newest version</a></p>'
)


def day_page(
    page: DailyPage, past: PastReport, root: str, links: Links, made_of: str, drawn: Mapping[str, str]
) -> str:
    """The page of a report.

    Args:
        page: what it shows.
        past: of which publication.
        root: the relative way up to the site's folder, such as "../../".
        links: to runs and runbook.
        made_of: stands in its head.
        drawn: its charts (`day_charts`).
    """
    led = []
    if links.dagster:
        led.append(("Run in Dagster", f"{links.dagster.rstrip('/')}/runs/{past.published.run_id}"))
    if links.runbook:
        led.append(("Runbook", links.runbook))
    values = {"page": page, "charts": drawn, "links": led, "state": page.state.value}
    return _page("day.html.jinja", page.heading, root, made_of, values)


def superseded(html: str) -> str:
    """The page of a version with the line that there is a later one; nothing else of it changes."""
    return html.replace(LATER, SUPERSEDED, 1)


def day_charts(page: DailyPage) -> dict[str, str]:
    """The charts of a report's page: most of the time that it takes."""
    return {
        "histogram": charts.histogram(page.histogram),
        "scores": charts.scores(page.scores),
        "focus": charts.shares(page.focus, "focus"),
        "letters": charts.shares(page.letters, "letters"),
        "failures": charts.failures(page.failures),
    }


def trend_page(trend: Trend, failure_error: float | None, made_of: str) -> str:
    """One page of trends.

    Args:
        trend: what it shows.
        made_of: stands in its head.
        failure_error: share of failed accounts above which a report is partial, None if not known.
    """
    limit = None if failure_error is None else 100 * failure_error
    notes = {chart.name: _note(chart.name, limit) for chart in trend.charts}
    drawn = {
        chart.name: trend_charts.trend_lines(trend, chart, limit if chart.name == "failures" else None)
        for chart in trend.charts
    }
    values = {"trend": trend, "charts": drawn, "notes": notes}
    return _page("trend.html.jinja", f"ESG trends: {trend.span.title.lower()}", "../", made_of, values)


def _note(name: str, limit: float | None) -> str:
    if name == "failures" and limit is not None:
        return f"Failed accounts as a share of all; dashed: above {limit:g}% a report is partial."
    return {
        "scores": (
            "Means over the accounts that count for averages; by market value: in one currency. The axis "
            "does not begin at zero."
        ),
        "coverage": (
            "Rated accounts as a share of all, and those of them that count for averages. The axis does not "
            "begin at zero."
        ),
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
        months.setdefault(day_in_words(day.date).partition(" ")[2], []).append(day)
    values = {
        "months": list(reversed(months.items())),
        "recent": [] if year else list(reversed(days[-RECENT_DAYS:])),
        "total": total,
        "newest": newest,
        "others": others,
        "year": year,
    }
    return _page("index.html.jinja", f"ESG reports{' of ' + year if year else ''}", root, digest(), values)


RECENT_DAYS = 14
"""That the first page tells of in more words."""


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
    made.filters["metric"] = _metric_row
    made.filters["in_short"] = lambda day: re.sub(r"([A-Z]..)[a-z]*", r"\1", day_in_words(day))
    made.filters["in_words"] = lambda day: day_in_words(
        day if isinstance(day, date) else date.fromisoformat(day)
    )
    return made


def _metric_row(cells: Sequence[str]) -> list[str]:
    """A further metric; its name may be broken after each underscore."""
    name, mean, change, unit, direction = cells
    return [Markup("_<wbr>").join(name.split("_")), mean, change, f"{unit}, {direction}"]  # join escapes


def _score_row(score: Score) -> list[str]:
    numbers = asdict(score)
    return [
        *(score.label, number(score.mean), score.change),
        *(number(numbers[name]) for name in ("median", "lower", "upper", "by_value")),
    ]
