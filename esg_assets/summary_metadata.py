"""What Dagster's UI shows of a day's summary: tables, the chart, and numbers that plot over partitions.

Cleared figures only, as everybody who sees the UI reads them, and as Dagster keeps them for every night.
"""

import base64
import logging

import dagster as dg

from esg_assets.asset_metadata import Metadata, fence
from esg_assets.core import exception_words
from esg_assets.core.differencing import UNCHANGED
from esg_assets.core.history import PastReport
from esg_assets.core.report_details import ReportDetails
from esg_assets.core.summary_words import Summary, summary_markdown, summary_text

MOST_BYTES = 60_000
"""Of the chart in the event log, where it stays."""

_log = logging.getLogger(__name__)


def summary_metadata(summary: Summary, past: PastReport, details: ReportDetails) -> Metadata:
    """Metadata of the day's materialization of daily_summary.

    Args:
        summary: for the tables.
        past: the report as the history remembers it, for the chart.
        details: likewise.
    """
    chart = _chart(past, details)
    return {
        "summary": dg.MetadataValue.md(summary_markdown(summary)),
        **({"chart": dg.MetadataValue.md(chart)} if chart else {}),
        "text": dg.MetadataValue.md(fence("\n".join(summary_text(summary)))),
        "version": summary.published.version,
        "chain_entry": summary.published.sequence,
        "chain_head": summary.head,
        "calls": summary.run.calls,
        "retries": summary.run.retries,
        "seconds": summary.run.seconds,
        **plotted(summary),
    }


def plotted(summary: Summary) -> dict[str, float]:
    """Every cleared figure that is worth a plot, by its name in the history with `_` for `.`."""
    return {
        name.replace(".", "_"): value
        for name, value in summary.figures.items()
        if value is not None and not name.startswith((UNCHANGED, "histogram.", "collection."))
    }


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
