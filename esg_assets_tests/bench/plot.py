"""The plot of cost against size: one SVG, drawn by hand, on logarithmic axes."""

from collections.abc import Mapping, Sequence
from math import log10
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

PANEL_WIDTH, PANEL_HEIGHT = 400, 300
LEFT, TOP, BOTTOM, GAP = 64, 48, 56, 72
LEGEND_ROW = 20
NAMESPACE = "http://www.w3.org/2000/svg"
STYLE = 'font-family="sans-serif" font-size="12" fill="#222"'
# Okabe and Ito's colours, told apart by everyone.
COLOURS = ("#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")


def svg(panels: Mapping[str, Mapping[str, Points]], x_label: str, y_label: str) -> str:
    """One panel for each entry, side by side, with common axes and one legend.

    Args:
        panels: title → series name → (x, y), both above 0.
        x_label: below each panel.
        y_label: beside the first.
    """
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    points = [p for series in panels.values() for line in series.values() for p in line]
    x_ticks = sorted({x for x, _ in points})
    y_ticks = _ticks([y for _, y in points])
    width = LEFT + len(panels) * (PANEL_WIDTH + GAP)
    height = TOP + PANEL_HEIGHT + BOTTOM + LEGEND_ROW * ((len(names) + 1) // 2) + 12
    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {width} {height}" {STYLE} role="img">',
        f"<title>{escape(y_label)} against {escape(x_label)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        (
            f'<text transform="translate(16 {TOP + PANEL_HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        ),
    ]
    for n, (title, series) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({LEFT + n * (PANEL_WIDTH + GAP)} {TOP})">')
        parts += _panel(title, x_label, series, names, x_ticks, y_ticks)
        parts.append("</g>")
    for n, name in enumerate(names):
        x = LEFT + (n % 2) * (PANEL_WIDTH + GAP)
        y = TOP + PANEL_HEIGHT + BOTTOM + LEGEND_ROW * (n // 2)
        parts.append(
            f'<line x1="{x}" y1="{y}" x2="{x + 24}" y2="{y}" stroke="{_colour(n)}" stroke-width="3"/>'
        )
        parts.append(f'<text x="{x + 32}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(
    title: str,
    x_label: str,
    series: Mapping[str, Points],
    names: Sequence[str],
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
) -> list[str]:
    def x_of(x: float) -> float:
        return _share(x, x_ticks) * PANEL_WIDTH

    def y_of(y: float) -> float:
        return (1 - _share(y, y_ticks)) * PANEL_HEIGHT

    parts = [
        f'<text x="0" y="-16" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{PANEL_WIDTH / 2}" y="{PANEL_HEIGHT + 36}" text-anchor="middle">{escape(x_label)}</text>',
    ]
    for y in y_ticks:
        parts.append(f'<path d="M0 {y_of(y):.1f}H{PANEL_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="-8" y="{y_of(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in x_ticks:
        parts.append(f'<path d="M{x_of(x):.1f} 0V{PANEL_HEIGHT}" stroke="#eee"/>')
        parts.append(f'<text x="{x_of(x):.1f}" y="{PANEL_HEIGHT + 18}" text-anchor="middle">{x:,.0f}</text>')
    for name, line in series.items():
        colour = _colour(names.index(name))
        spots = [(x_of(x), y_of(y)) for x, y in sorted(line)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots]
    return parts


def _ticks(values: Sequence[float]) -> list[float]:
    """1, 2, 5, 10 … from just below the smallest value to just above the greatest."""
    steps = [m * 10.0**e for e in range(-3, 6) for m in (1, 2, 5)]
    below = max((s for s in steps if s <= min(values)), default=steps[0])
    above = min((s for s in steps if s >= max(values)), default=steps[-1])
    return [s for s in steps if below <= s <= above]


def _share(value: float, ticks: Sequence[float]) -> float:
    if len(ticks) == 1:
        return 0.5
    return (log10(value) - log10(ticks[0])) / (log10(ticks[-1]) - log10(ticks[0]))


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]
