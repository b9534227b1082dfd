"""Charts of trends: lines over time that break where there is nothing to show."""

from typing import Any

import altair as alt

from esg_assets.core.trend_figures import Chart, Trend
from esg_assets.site.charts import ALARM, INK, LINES, axis, drawn

DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [4, 4])
"""Lines differ by more than colour."""

A_LOT = 100
"""Points from which on lines are thinner."""

_A_SEASON = 150
"""Days from which on dates are told by month."""


def trend_lines(trend: Trend, chart: Chart, limit_pct: float | None = None) -> str:
    """Lines over time; they break at gaps, and a hollow diamond marks a day whose report is a correction."""
    shown = {line.label: colour for line, colour in zip(chart.lines, LINES, strict=False)}
    data = [
        {"day": day.isoformat(), "value": _rounded(value), "line": line.label}
        for line in chart.lines
        for day, value in zip(trend.days, line.values, strict=True)
    ]
    base = alt.Chart(alt.InlineData(data))
    day = alt.X(
        "day:T", title=None, scale=alt.Scale(type="utc"), axis=axis(tickCount=5, format=_dates(trend))
    )
    there = [row["value"] for row in data if row["value"] is not None]
    floor: dict[str, Any] = {} if chart.name in {"scores", "coverage"} else {"domainMin": 0}
    value = alt.Y(
        "value:Q",
        title=chart.unit,
        scale=alt.Scale(zero=bool(floor), nice=True, **floor),
        axis=axis(grid=True, tickCount=5),
    )
    several = len(shown) > 1
    legend = (
        alt.Legend(
            title=None, orient="bottom", columns=2, columnPadding=24, symbolType="stroke", labelLimit=180
        )
        if several
        else None
    )
    scale = alt.Scale(domain=list(shown), range=list(shown.values()))
    dashes = alt.Scale(domain=list(shown), range=list(DASHES[: len(shown)]))
    lines = base.mark_line(strokeWidth=2 if len(trend.days) < A_LOT else 1.2).encode(
        x=day,
        y=value,
        color=alt.Color("line:N", scale=scale, legend=legend),
        strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=legend),
    )
    layers: list[Any] = [lines]
    alone = {"shape": "circle", "filled": True, "size": 22}
    corrected = {"color": INK, "shape": "diamond", "filled": False, "size": 60, "strokeWidth": 2}
    layers += [
        *(
            each.encode(color=alt.Color("line:N", scale=scale, legend=legend))
            for each in _points(_alone(trend, chart), alone)
        ),
        *_points(_corrected(trend, chart), corrected),
    ]
    if limit_pct is not None and there:
        rule = alt.Chart(alt.InlineData([{"at": limit_pct}])).mark_rule(color=ALARM, strokeDash=[4, 3])
        layers.append(rule.encode(y="at:Q"))
    return drawn(alt.layer(*layers), chart.name, 250)


def _points(rows: list[dict[str, Any]], mark: dict[str, Any]) -> list[Any]:
    if not rows:
        return []
    points = alt.Chart(alt.InlineData(rows)).mark_point(opacity=1, **mark)
    return [points.encode(x="day:T", y="value:Q")]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _dates(trend: Trend) -> str:
    return "%b %Y" if (trend.last - trend.first).days > _A_SEASON else "%-d %b"


def _alone(trend: Trend, chart: Chart) -> list[dict[str, Any]]:
    """Points between two gaps: a line has no length there."""
    rows: list[dict[str, Any]] = []
    for line in chart.lines:
        padded = [None, *line.values, None]
        for place, day in enumerate(trend.days):
            before, value, after = padded[place : place + 3]
            if value is not None and before is None and after is None:
                rows.append({"day": day.isoformat(), "value": _rounded(value), "line": line.label})
    return rows


def _corrected(trend: Trend, chart: Chart) -> list[dict[str, Any]]:
    """The first line's point of every day that was corrected."""
    if trend.step > 1:
        return []
    values = dict(zip(trend.days, chart.lines[0].values, strict=True))
    return [
        {"day": day.isoformat(), "value": _rounded(value)}
        for day in trend.corrected
        if (value := values.get(day)) is not None
    ]
