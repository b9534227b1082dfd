"""The day's chart as one small SVG: the histogram of scores, and each score's mean with its middle half.

For Dagster's event log, which keeps it for every night: a few kilobytes of shapes and texts, drawn here
without a library, because the one that draws the pages (`esg_assets.site.charts`) costs a run two
seconds and a hundred megabytes. Made of what the page of the report shows, so of cleared figures alone.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from esg_assets.core.page_figures import Bar, DailyPage, Score, State

WIDTH, HEIGHT = 720, 320
INK, FAINT, BAR, SOFT = "#1b2430", "#c9d0d8", "#2f6f9f", "#bcd3e4"
HEADINGS = {State.COMPLETE: INK, State.WARNING: "#7a5200", State.PARTIAL: "#a4161a"}
"""Colours of the heading, whose words say the same."""

LEFT, RIGHT, TOP, BOTTOM = 58.0, 388.0, 84.0, 270.0
"""Of the histogram."""

SCORES_LEFT, SCORES_RIGHT = 520.0, 690.0


def day_chart(page: DailyPage) -> str:
    """The chart of a report's page, as a complete SVG document."""
    marks = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(20, 30, page.heading, size=17, colour=HEADINGS[page.state], weight="bold"),
        _text(20, 50, f"Version {page.version}. {page.tiles[0].of} rated.", size=12),
        *_histogram(page.histogram),
        *_scores(page.scores),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Helvetica, Arial, sans-serif">'
        + "".join(marks)
        + "</svg>"
    )


def _histogram(bars: Sequence[Bar]) -> Iterator[str]:
    yield _text((LEFT + RIGHT) / 2, TOP - 10, "Accounts by overall score", size=12, anchor="middle")
    most = max((bar.value or 0 for bar in bars), default=0)
    if not most:
        hidden = any(bar.value is None for bar in bars)
        why = "withheld: too few accounts" if hidden else "no account with a score that counts"
        yield _text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, why, size=12, anchor="middle")
    else:
        yield from _counts(most)
    wide = (RIGHT - LEFT) / len(bars)
    for number, bar in enumerate(bars):
        x = LEFT + number * wide
        if bar.value:
            high = (BOTTOM - TOP) * bar.value / most
            yield _rect(x + 1, BOTTOM - high, wide - 2, high, BAR)
        elif bar.value is None and most:
            yield _text(x + wide / 2, BOTTOM - 5, "?", size=11, anchor="middle")
    yield _line(LEFT, BOTTOM, RIGHT, BOTTOM)
    for score in range(0, 101, 20):
        yield _text(LEFT + (RIGHT - LEFT) * score / 100, BOTTOM + 16, str(score), anchor="middle")
    if most and any(bar.value is None for bar in bars):
        yield _text(LEFT, BOTTOM + 38, "? withheld: too few accounts")


def _counts(most: float) -> Iterator[str]:
    """Lines to read a bar by, at round numbers, four of them at most."""
    size = 10 ** max(len(str(int(most))) - 2, 0)
    step = next(n * size for n in (1, 2, 5, 10, 20, 50) if most <= 4 * n * size)
    for count in range(step, int(most) + 1, step):
        y = BOTTOM - (BOTTOM - TOP) * count / most
        yield _line(LEFT, y, RIGHT, y)
        yield _text(LEFT - 6, y + 4, f"{count:,}", anchor="end")


def _scores(scores: Sequence[Score]) -> Iterator[str]:
    yield _text(SCORES_RIGHT, TOP - 10, "Mean, and the middle half of the accounts", size=12, anchor="end")

    def across(value: float) -> float:
        return SCORES_LEFT + (SCORES_RIGHT - SCORES_LEFT) * value / 100

    for row, score in enumerate(scores):
        y = TOP + 24 + row * 46
        yield _text(SCORES_LEFT - 10, y + 4, score.label, size=12, anchor="end")
        yield _line(SCORES_LEFT, y, SCORES_RIGHT, y)
        if score.lower is not None and score.upper is not None:
            yield _rect(
                across(score.lower), y - 8, max(across(score.upper) - across(score.lower), 1), 16, SOFT
            )
        if score.mean is None:
            yield _text(across(50), y - 6, "withheld or none", anchor="middle")
        else:
            x = across(score.mean)
            yield f'<path d="M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6-7z" fill="{BAR}"/>'
            yield _text(x, y - 12, f"{score.mean:.1f}", anchor="middle")
    for value in (0, 50, 100):
        yield _text(across(value), BOTTOM + 16, str(value), anchor="middle")


def _text(
    x: float, y: float, text: str, *, size: int = 11, colour: str = INK, anchor: str = "", weight: str = ""
) -> str:
    more = f' text-anchor="{anchor}"' if anchor else ""
    more += f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{more}>{escape(text)}</text>'


def _rect(x: float, y: float, wide: float, high: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{FAINT}"/>'
