"""Charts as SVG: altair describes them, vl-convert draws them.

Colours are names of the style sheet's variables, so that one chart serves light, dark and print. Both
libraries take seconds to load and a hundred megabytes: only the process that makes pages imports this.
"""

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from esg_assets.core.page_figures import Bar, Failures, Score

WIDTH = 420
"""Of every chart, in its own units: small enough to be read on a phone, where it is scaled down least."""

LABELS = 112
"""Room for words beside bars: the reader's font may be wider than the one that it is measured with."""

# Colours that stand for the style sheet's: whatever is drawn in them becomes `var(--…)`.
INK, GRID, BAR, SOFT, ALARM = "#010101", "#020202", "#030303", "#040404", "#050505"
LINES = ("#111111", "#121212", "#131313", "#141414", "#151515")
_VARIABLES = {INK: "ink", GRID: "grid", BAR: "bar", SOFT: "soft", ALARM: "alarm"} | {
    colour: f"line{number}" for number, colour in enumerate(LINES, 1)
}


def histogram(bars: Sequence[Bar]) -> str:
    """Accounts by overall score; where a bin is withheld a mark says so."""
    rows = [
        {"from": 5 * n, "to": 5 * n + 5, "accounts": bar.value or 0, "hidden": bar.value is None}
        for n, bar in enumerate(bars)
    ]
    most = max((row["accounts"] for row in rows), default=0) or 1
    base = alt.Chart(alt.InlineData(rows))
    scores = alt.X("from:Q", title="Overall score", scale=alt.Scale(domain=[0, 100]), axis=axis(tickCount=5))
    counts = alt.Y("accounts:Q", title="Accounts", scale=alt.Scale(domain=[0, most]), axis=axis(grid=True))
    bars_drawn = base.mark_bar(color=BAR).encode(x=scores, x2="to:Q", y=counts, y2=alt.datum(0))
    hidden = (
        base.transform_filter("datum.hidden")
        .transform_calculate(middle="datum.from + 2.5")
        .mark_text(text="?", dy=-7, color=INK, fontSize=13)
        .encode(x="middle:Q", y=alt.datum(0))
    )
    return drawn(alt.layer(bars_drawn, hidden), "histogram", 220)


def scores(rows: Sequence[Score]) -> str:
    """Mean of each score, with the middle half of the accounts behind it."""
    data = [
        {"label": row.label, "mean": row.mean, "lower": row.lower, "upper": row.upper, "median": row.median}
        for row in rows
    ]
    base = alt.Chart(alt.InlineData(data))
    across = alt.X(
        "lower:Q",
        title="Score, 0 to 100",
        scale=alt.Scale(domain=[0, 100]),
        axis=axis(grid=True, tickCount=5),
    )
    label = alt.Y("label:N", sort=None, title=None, axis=axis(minExtent=LABELS))
    half = base.mark_bar(color=SOFT, size=20).encode(x=across, x2="upper:Q", y=label)
    median = base.mark_tick(color=INK, thickness=2, size=20).encode(x="median:Q", y=label)
    mean = base.mark_point(color=BAR, fill=BAR, size=70, shape="diamond", opacity=1).encode(
        x="mean:Q", y=label
    )
    words = base.mark_text(color=INK, dy=-17, fontSize=13).encode(
        x="mean:Q", y=label, text=alt.Text("mean:Q", format=".1f")
    )
    return drawn(alt.layer(half, median, mean, words), "scores", 230)


def shares(bars: Sequence[Bar], name: str) -> str:
    """Accounts by label, as horizontal bars with their numbers."""
    data: list[dict[str, Any]] = [
        {
            "label": bar.label,
            "value": bar.value or 0,
            "text": f"{bar.text} ({bar.share})" if bar.share else bar.text,
        }
        for bar in bars
    ]
    most = max((row["value"] for row in data), default=0) or 1
    base = alt.Chart(alt.InlineData(data))
    label = alt.Y("label:N", sort=None, title=None, axis=axis(minExtent=LABELS))
    across = alt.X(
        "value:Q", title="Accounts", scale=alt.Scale(domain=[0, most * 1.45]), axis=axis(tickCount=4)
    )
    bars_drawn = base.mark_bar(color=BAR, height=16).encode(y=label, x=across)
    words = base.mark_text(color=INK, align="left", dx=5, fontSize=13).encode(
        y=label, x="value:Q", text="text:N"
    )
    return drawn(alt.layer(bars_drawn, words), name, 30 * len(data) + 50)


def failures(found: Failures) -> str:
    """Failed accounts by reason as a share of all, with the limits as lines; red only above the limit."""
    rows: list[dict[str, Any]] = [{"label": f"All failed, {found.share_pct:.1f}%", "value": found.share_pct}]
    # Numbers stand with the labels: beside a bar they would cross the lines of the limits.
    rows += [{"label": f"{bar.label}, {bar.share}", "value": bar.value or 0} for bar in found.bars]
    for row in rows:
        row["over"] = row["value"] > found.error_pct
    most = max(found.error_pct, *(float(row["value"]) for row in rows))
    base = alt.Chart(alt.InlineData(rows))
    label = alt.Y("label:N", sort=None, title=None, axis=axis(minExtent=LABELS + 48, labelLimit=190))
    across = alt.X(
        "value:Q", title="% of all accounts", scale=alt.Scale(domain=[0, most * 1.1]), axis=axis(tickCount=5)
    )
    colour = alt.condition("datum.over", alt.value(ALARM), alt.value(BAR))
    bars_drawn = base.mark_bar(height=16).encode(y=label, x=across, color=colour)
    limits = alt.Chart(
        alt.InlineData([{"at": found.warn_pct, "text": "warns"}, {"at": found.error_pct, "text": "error"}])
    )
    lines = limits.mark_rule(color=INK, strokeDash=[4, 3]).encode(x="at:Q")
    names = limits.mark_text(color=INK, baseline="bottom", dy=-3, fontSize=12).encode(
        x="at:Q", y=alt.value(0), text="text:N"
    )
    return drawn(alt.layer(bars_drawn, lines, names), "failures", 30 * len(rows) + 60)


def axis(**given: Any) -> alt.Axis:
    """An axis in the page's colours."""
    plain: dict[str, Any] = {
        "grid": False,
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": GRID,
        "tickColor": GRID,
    }
    return alt.Axis(
        **(
            plain
            | {
                "gridColor": GRID,
                "labelFontSize": 13,
                "titleFontSize": 13,
                "titleFontWeight": "normal",
                "labelLimit": 130,
            }
            | given
        )
    )


def drawn(chart: Any, name: str, height: int) -> str:
    """Drawn, and made part of a page: ids of its own, colours of the style sheet, one role for all of it."""
    sized = chart.properties(width=WIDTH, height=height, background="transparent").configure_view(stroke=None)
    sized = sized.configure_legend(labelColor=INK, labelFontSize=13).properties(
        autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )
    svg = str(vl_convert.vegalite_to_svg(sized.to_dict()))
    svg = re.sub(r' (?:aria-[a-z]+|role|style|class|font-family)="[^"]*"', "", svg)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{variable})"')
    svg = re.sub(r"(-?\d+\.\d{2})\d+", r"\1", svg)  # a hundredth of a unit is less than any screen shows
    opening = f'<svg role="img" aria-labelledby="{name}-title" aria-describedby="{name}-note"'
    return svg[svg.index("<svg") :].replace("<svg", opening, 1)
