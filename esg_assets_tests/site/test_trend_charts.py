"""Charts of trends: what a line cannot show."""

import re

from esg_assets.core.trend_figures import SPANS, trend
from esg_assets.site.trend_charts import trend_lines
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.site.month import FIRST, nights, publish


def test_a_day_between_two_gaps_is_a_point_in_the_colour_of_its_line() -> None:
    history = MemoryHistory()
    publish(history, nights()[FIRST], 1, 2)
    shown = trend([past for past in [history.latest(FIRST)] if past is not None], SPANS[0])
    focus = next(chart for chart in shown.charts if chart.name == "focus")

    drawn = trend_lines(shown, focus)

    points = re.findall(r'd="M[^"]*A[^"]*" fill="var\(--(line\d)\)"', drawn)
    assert points == [f"line{number}" for number in range(1, len(focus.lines) + 1)]
