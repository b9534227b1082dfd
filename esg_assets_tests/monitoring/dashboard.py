"""The Grafana dashboard as JSON: `python -m esg_assets_tests.monitoring.dashboard --write FILE`.

What it shows is `panels`. The data source is a variable, so that the file fits any Grafana; `env` is one
too, since a Prometheus may see several installations.
"""

import itertools
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import prometheus as queries
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from esg_assets_tests.monitoring.panels import ROWS, Shown

FILE = Path(__file__).parents[2] / "deploy" / "monitoring" / "grafana" / "dashboards" / "esg_assets.json"
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHTS = {"stat": 4, "lines": 8, "bars": 8, "states": 8}

Panel = stats.Panel | timeseries.Panel | statetimeline.Panel


def made() -> str:
    """The dashboard's JSON, as it is committed."""
    board = (
        boards.Dashboard("ESG report")
        .uid("esg-assets")
        .tags(["esg_assets"])
        .description("The nightly ESG report: is it there, what does it say, how do runs and alerts do.")
        .readonly()
        .timezone("America/Chicago")
        .time("now-30d", "now")
        .refresh("1m")
        .with_variable(boards.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            boards.QueryVariable("env")
            .label("Environment")
            .datasource(SOURCE)
            .query("label_values(esg_up, env)")
            .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
        )
    )
    ids = itertools.count(1)
    for title, shown in ROWS.items():
        board.with_row(boards.Row(title).id(next(ids)))
        for each in shown:
            board.with_panel(_panel(each).id(next(ids)))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _panel(shown: Shown) -> Panel:
    panel = _kind(shown)
    panel.title(shown.title).description(shown.description).unit(shown.unit)
    panel.datasource(SOURCE).span(shown.width).height(HEIGHTS[shown.kind])
    for number, (legend, expression) in enumerate(shown.queries.items()):
        query = queries.Dataquery().datasource(SOURCE).expr(expression).legend_format(legend)
        query.ref_id(chr(ord("A") + number))
        panel.with_target(query.instant() if shown.kind == "stat" else query.range())
    if shown.red_from is not None:
        steps = [models.Threshold(color="green"), models.Threshold(value=shown.red_from, color="red")]
        panel.thresholds(boards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    if shown.lowest is not None:
        panel.min(shown.lowest)
    if shown.highest is not None:
        panel.max(shown.highest)
    return panel


def _kind(shown: Shown) -> Panel:
    if shown.kind == "stat":
        latest = common.ReduceDataOptions().calcs(["lastNotNull"])
        return stats.Panel().color_mode(common_models.BigValueColorMode.VALUE).reduce_options(latest)
    if shown.kind == "states":
        return statetimeline.Panel().show_value(common_models.VisibilityMode.NEVER)
    panel = timeseries.Panel().legend(
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    if shown.kind == "bars":
        panel.draw_style(common_models.GraphDrawStyle.BARS).fill_opacity(80)
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if shown.red_from is not None:
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.DASHED)
        )
    return panel


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        Path(sys.argv[2]).write_text(made(), encoding="utf-8")
    else:
        sys.stdout.write(made())
