"""What Dagster's UI shows of a day's summary: tables, the chart, and numbers that plot over partitions.

Cleared figures only, as everybody who sees the UI reads them, and as Dagster keeps them for every night.
"""

import base64
import logging
from collections.abc import Mapping

import dagster as dg

from esg_assets.asset_metadata import Metadata, fence
from esg_assets.core import exception_words
from esg_assets.core.history import PastReport
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.summary_words import Summary, summary_markdown, summary_text

PLOTTED = {
    "accounts": "accounts",
    "accounts.SUCCESS": "accounts_rated",
    "accounts.NOT_RATED": "accounts_not_rated",
    "accounts.FAILED": "accounts_failed",
    "success_rate_pct": "success_rate_pct",
    "scored_accounts": "accounts_scored",
    "ratings.stale": "accounts_with_stale_rating",
    **{f"{score}.mean": f"{score}_mean_points" for score in SCORE_COLUMNS},
    "overall_score.weighted_mean": "overall_score_weighted_mean_points",
    "collection.calls": "collection_calls",
    "collection.retries": "collection_retries",
    "collection.refusals": "collection_refusals_429",
    "collection.seconds": "collection_seconds",
}
"""Figures of the history that plot over partitions, and their stable keys there, with units in the names."""

_log = logging.getLogger(__name__)


def shown_first(summary: Summary, past: PastReport, details: ReportDetails) -> Metadata:
    """What a reader looks for in the day's materialization: the chart, the tables, where it is published.

    Args:
        summary: for the tables.
        past: the report as the history remembers it, for the chart.
        details: likewise.
    """
    chart = _chart(past, details)
    return {
        **({"chart": dg.MetadataValue.md(chart)} if chart else {}),
        "summary": dg.MetadataValue.md(summary_markdown(summary)),
        "text": dg.MetadataValue.md(fence("\n".join(summary_text(summary)))),
        "version": summary.published.version,
        "chain_entry": summary.published.sequence,
        "chain_head": summary.head,
    }


def plotted(summary: Summary) -> Mapping[str, float]:
    """Numbers under the keys of `PLOTTED`, and a mean for each further metric; withheld ones are left out.

    Those that readers follow from day to day, and no more: the UI draws a plot for every number, by name.
    Every cleared figure is in the history database, and most are on the trend pages.
    """
    keys = PLOTTED | {f"metric.{m.name}.mean": f"metric_{m.name}_mean" for m in summary.metrics}
    found = {key: summary.figures.get(name) for name, key in keys.items()}
    return {key: value for key, value in found.items() if value is not None}


def _chart(past: PastReport, details: ReportDetails) -> str:
    """The chart as Markdown with what must be read with it; "" where it cannot be drawn.

    The report is published and recorded by now: a picture of it must not fail the night.
    """
    try:
        from esg_assets.core.day_chart import day_chart  # noqa: PLC0415 - the try is to hold it, too
        from esg_assets.core.page_figures import daily_page  # noqa: PLC0415

        page = daily_page([past], details)
        image = base64.b64encode(day_chart(page).encode()).decode()
        drawn = f"![{page.heading}](data:image/svg+xml;base64,{image})"
        return "\n\n".join([drawn, *page.why, *page.notes, page.coverage])
    except Exception as error:  # noqa: BLE001 - whatever it is, the report stands
        where = exception_words.places(error.__traceback__)[-1]
        day, kind = past.published.report_date, type(error).__name__
        _log.warning("the chart of %s could not be drawn: an unexpected %s at %s", day, kind, where)
        return ""
