"""A picture of the dashboard over the month: `python -m esg_assets_tests.monitoring.picture FILE.svg`.

Debian has no Grafana. This draws what Prometheus answers to each panel's queries, so that a person can
look at it; Grafana's own drawing is nicer.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

from esg_assets_tests.monitoring import month
from esg_assets_tests.monitoring.panels import ROWS, Shown
from esg_assets_tests.monitoring.programs import installed
from esg_assets_tests.monitoring.seen import at_the_end, over_the_month, prometheus_with_a_month

Named = tuple[str, list[tuple[float, float]]]
"""A legend with its moments and values."""

COLUMN, HEIGHTS = 50, {"stat": 90, "lines": 210, "bars": 210, "states": 210}
WIDTH = 24 * COLUMN
COLOURS = ("#1f6fb4", "#d9762b", "#3a8f47", "#b13a4b", "#7a5aa8", "#8a6d3b", "#4b9fa5", "#777777")
GREEN, RED, GREY = "#3a8f47", "#b13a4b", "#e5e5e5"
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
HOUR, DAY = 3_600, 86_400
END = month.END.timestamp()
START = END - timedelta(days=month.DAYS).total_seconds()
STYLE = (
    "text{font:11px sans-serif;fill:#333}.row{font:bold 16px sans-serif}.title{font:bold 12px sans-serif}"
    ".big{font:bold 26px sans-serif}.right{text-anchor:end}"
)


@dataclass(frozen=True)
class Plot:
    """The room of a plot, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def x_of(self, at: float) -> float:
        """Where a moment is."""
        return self.left + (at - START) / (END - START) * self.width

    def y_of(self, value: float, low: float, high: float) -> float:
        """Where a value is."""
        return self.top + self.height * (1 - (value - low) / ((high - low) or 1))


def picture(url: str) -> str:
    """The dashboard as SVG."""
    parts, top = [], 0
    for title, row in ROWS.items():
        parts.append(_text(8, top + 24, title, "row"))
        top, left = top + 34, 0
        for number, shown in enumerate(row):
            inside = "".join(_panel(url, shown))
            parts.append(f'<g transform="translate({left},{top})">{inside}</g>')
            left += shown.width * COLUMN
            if left >= WIDTH or number == len(row) - 1:
                top, left = top + HEIGHTS[shown.kind] + 10, 0
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    background = _rect(0, 0, WIDTH, top, "#fff")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>'
        f"{background}{''.join(parts)}</svg>\n"
    )


def told(value: float, unit: str) -> str:
    """A value as Grafana would write it, more or less."""
    if unit == "percentunit":
        return f"{value:.2%}"
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    if unit == "s":
        for seconds, name in ((HOUR, "h"), (60, "min")):
            if abs(value) >= 1.5 * seconds:
                return f"{value / seconds:.1f} {name}"
        return f"{value:.3g} s"
    for factor, prefix in PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.1f} {prefix}"
    return f"{value:.3g}"


def _panel(url: str, shown: Shown) -> Iterator[str]:
    width, height = shown.width * COLUMN - 10, HEIGHTS[shown.kind]
    yield _rect(5, 0, width, height, "#f7f7f7")
    yield _text(12, 17, shown.title, "title")
    if shown.kind == "stat":
        (query,) = shown.queries.values()
        (series,) = at_the_end(url, query)
        yield _text(12, 62, told(float(series["value"][1]), shown.unit), "big")
        return
    named: list[Named] = []
    for legend, query in shown.queries.items():
        for each in over_the_month(url, query):
            points = [(float(at), float(value)) for at, value in each["values"]]
            named.append((each["metric"].get(legend.strip("{}"), legend), points))
    plot = Plot(58, 28, width - 62, height - 72)
    yield from {"lines": _lines, "bars": _bars, "states": _states}[shown.kind](plot, shown, named)
    for week in range(0, month.DAYS, 7):
        day = month.FIRST + timedelta(days=week)
        yield _text(plot.x_of(START + week * DAY), plot.top + plot.height + 13, f"{day:%d %b}")
    x = 12.0
    for number, (name, _) in enumerate(named if shown.kind != "states" else ()):
        yield _rect(x, height - 15, 9, 9, _colour(number))
        yield _text(x + 12, height - 7, name)
        x += 24 + 6 * len(name)


def _axis(plot: Plot, shown: Shown, low: float, high: float) -> Iterator[str]:
    for step in range(5):
        value = low + (high - low) * step / 4
        y = plot.y_of(value, low, high)
        yield _rect(plot.left, y, plot.width, 1, GREY)
        yield _text(plot.left - 4, y + 4, told(value, shown.unit), "right")


def _lines(plot: Plot, shown: Shown, named: Sequence[Named]) -> Iterator[str]:
    values = [value for _, points in named for _, value in points]
    low = min(values) if shown.lowest is None else shown.lowest
    high = max(values) if shown.highest is None else shown.highest
    high = max(high, shown.red_from or high)
    yield from _axis(plot, shown, low, high)
    if shown.red_from is not None:
        yield _rect(plot.left, plot.y_of(shown.red_from, low, high), plot.width, 1, RED)
    for number, (_, points) in enumerate(named):
        for (at, value), (after, following) in pairwise(points):
            if after - at <= month.STEP.total_seconds():  # else there is a gap
                ends = f'x1="{plot.x_of(at):.1f}" x2="{plot.x_of(after):.1f}"'
                ends += f' y1="{plot.y_of(value, low, high):.1f}" y2="{plot.y_of(following, low, high):.1f}"'
                yield f'<line {ends} stroke="{_colour(number)}" stroke-width="1.5"/>'


def _bars(plot: Plot, shown: Shown, named: Sequence[Named]) -> Iterator[str]:
    """One bar a day, as it was in the hour of its most, the series on top of each other."""
    hours = [[dict(points).get(START + n * HOUR, 0.0) for _, points in named] for n in range(month.DAYS * 24)]
    bars = [max(hours[n : n + 24], key=sum) for n in range(0, len(hours), 24)]
    high = max(1.0, *(sum(bar) for bar in bars))
    yield from _axis(plot, shown, 0, high)
    wide = plot.width / month.DAYS * 0.8
    for day, bar in enumerate(bars):
        below = 0.0
        for number, value in enumerate(bar):
            y, bottom = plot.y_of(below + value, 0, high), plot.y_of(below, 0, high)
            yield _rect(plot.x_of(START + day * DAY), y, wide, bottom - y, _colour(number))
            below += value


def _states(plot: Plot, _: Shown, named: Sequence[Named]) -> Iterator[str]:
    high = plot.height / max(1, len(named))
    wide = plot.width / (month.DAYS * 24) + 0.3
    for number, (name, points) in enumerate(named):
        y = plot.top + number * high
        for at, value in points:
            yield _rect(plot.x_of(at), y, wide, high - 6, GREEN if value else RED)
        yield _text(plot.left + 4, y + high / 2, name)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, kind: str = "small") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with prometheus_with_a_month(installed(folder / "programs"), folder) as address:
            Path(sys.argv[1]).write_text(picture(address), encoding="utf-8")
