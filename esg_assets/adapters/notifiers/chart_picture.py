"""The chart in the mail about a publication, as PNG: mail programs show no SVG.

vl-convert draws it in a process of its own (`chart_process`), so that neither its size nor a fault in it
touches whoever delivers alerts. White, since many programs that darken a mail leave pictures alone.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from esg_assets.adapters.notifiers.own_process import answer_of
from esg_assets.core.errors import ChannelUnavailable
from esg_assets.core.figures import BIN_POINTS
from esg_assets.core.report_mail import Histogram

SECONDS = 20.0
"""How long drawing may take; it takes half a second once the library is in memory."""

WIDTH, HEIGHT, FONT = 440, 200, 14
"""Small, so that its words can still be read where a phone makes it smaller."""

_PROGRAM = Path(__file__).with_name("chart_process.py")
_PNG = b"\x89PNG\r\n\x1a\n"
_PAPER, _INK, _SOFT, _GRID, _BAR = "#ffffff", "#1d2730", "#55616d", "#d5dbe1", "#4f8fd0"
_WIDE = 60
"""Points from which on the axis has a number only at every other bin."""


def png_of(histogram: Histogram, *, seconds: float = SECONDS) -> bytes:
    """The chart, twice as large as `WIDTH` and about `HEIGHT`; one that was drawn lately is not drawn again.

    Raises:
        ChannelUnavailable: it could not be drawn.
    """
    return _drawn(json.dumps(_spec(histogram), sort_keys=True), seconds)


@lru_cache(maxsize=8)
def _drawn(spec: str, seconds: float) -> bytes:
    png = answer_of(
        _PROGRAM,
        spec.encode(),
        called="The process that draws the chart",
        keep=("PATH", "SYSTEMROOT"),
        seconds=seconds,
    )
    if not png.startswith(_PNG):
        raise ChannelUnavailable("The process that draws the chart ended without a picture.")
    return png


def _spec(histogram: Histogram) -> dict[str, Any]:
    """Vega-Lite by hand: altair would only add its seconds of loading."""
    drawn, hidden = _rows(histogram)
    low, high = _range(histogram)
    axis = {
        **_AXIS,
        "values": list(range(low, high + 1, BIN_POINTS if high - low <= _WIDE else 2 * BIN_POINTS)),
    }
    across = {
        "type": "quantitative",
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "title": "Overall score",
        "axis": axis,
    }
    up = {
        "field": "n",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, 1.35 * max(n for _, n in drawn)], "nice": False},  # room for the words above
    }
    pixel = (high - low) / WIDTH  # between two bars
    bars = [{"from": at + pixel, "to": at + BIN_POINTS - pixel, "n": n} for at, n in drawn]
    labels = [{"at": at + BIN_POINTS / 2, "n": n, "text": _short(n)} for at, n in drawn]
    labels += [{"at": at + BIN_POINTS / 2, "n": 0, "text": "?"} for at in hidden]
    beside = {"x": {**across, "field": "from"}, "x2": {"field": "to"}, "y": up, "y2": {"datum": 0}}
    above = {"x": {**across, "field": "at"}, "y": up, "text": {"field": "text"}}
    words = {"type": "text", "dy": -9, "fontSize": FONT}
    halo = {**words, "color": _PAPER, "stroke": _PAPER, "strokeWidth": 5}
    layers: list[dict[str, Any]] = [
        {"data": {"values": bars}, "mark": {"type": "bar", "color": _BAR}, "encoding": beside},
        *([] if histogram.mean is None else _mean(histogram.mean, across)),
        {"data": {"values": labels}, "mark": halo, "encoding": above},
        {"data": {"values": labels}, "mark": {**words, "color": _INK}, "encoding": above},
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 8,
        "background": _PAPER,
        "layer": layers,
        "config": {"view": {"stroke": None}},
    }


def _mean(mean: float, across: dict[str, Any]) -> list[dict[str, Any]]:
    """A line where the mean is, and its number beside it."""
    here = {"data": {"values": [{"at": mean}]}}
    x = {**across, "field": "at"}
    words = {
        "type": "text",
        "text": f"mean {mean:,.1f}",
        "align": "left",
        "baseline": "top",
        "dx": 6,
        "fontSize": FONT,
        "fontWeight": "bold",
        "color": _INK,
    }
    rule = {"type": "rule", "color": _INK, "strokeDash": [5, 4], "strokeWidth": 1.5}
    return [
        {**here, "mark": rule, "encoding": {"x": x}},
        {**here, "mark": words, "encoding": {"x": x, "y": {"value": 0}}},
    ]


_AXIS = {
    "labelColor": _INK,
    "titleColor": _SOFT,
    "labelFontSize": FONT,
    "titleFontSize": FONT,
    "titleFontWeight": "normal",
    "domainColor": _GRID,
    "tickColor": _GRID,
    "grid": False,
}


def _rows(histogram: Histogram) -> tuple[list[tuple[int, float]], list[int]]:
    """Where each bin begins, with its accounts; and where each withheld one does."""
    begins = [(BIN_POINTS * n, bar.value) for n, bar in enumerate(histogram.bars)]
    return [(at, n) for at, n in begins if n], [at for at, n in begins if n is None]


def _short(n: float) -> str:
    """As wide as a bar: 418, 4.2k, 42k, 4.2M; the exact number is in the picture's alternative."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if n >= 0.9995 * size:
            return f"{n / size:.0f}{unit}" if n >= 9.95 * size else f"{n / size:.1f}{unit}"
    return f"{n:.0f}"


def _range(histogram: Histogram) -> list[int]:
    """The part of the scale that has accounts, and a bin on either side; whole tens."""
    used = [n for n, bar in enumerate(histogram.bars) if bar.value != 0]
    ten = 10 // BIN_POINTS
    first, last = max(used[0] - 1, 0) // ten, -(-min(used[-1] + 2, len(histogram.bars)) // ten)
    return [10 * first, 10 * last]
