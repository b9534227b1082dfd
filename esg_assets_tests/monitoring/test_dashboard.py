"""The dashboard: it is what the code makes, keeps a good one's rules, and real Prometheus can answer it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from esg_assets.core.central_time import CENTRAL
from esg_assets_tests.monitoring import dashboard, month
from esg_assets_tests.monitoring.monitors import DEPLOYED
from esg_assets_tests.monitoring.panels import ROWS, Shown
from esg_assets_tests.monitoring.seen import at_the_end, over_the_month, prometheus_with_a_month

BOARD: dict[str, Any] = json.loads(dashboard.FILE.read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
SHOWN = [shown for row in ROWS.values() for shown in row]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@pytest.fixture(scope="module")
def prometheus_url(programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_with_a_month(programs, tmp_path_factory.mktemp("month")) as url:
        yield url


def test_the_committed_file_is_what_the_code_makes() -> None:
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.made(), (
        f"python -m esg_assets_tests.monitoring.dashboard --write {dashboard.FILE}"
    )


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_panel_says_what_it_shows_in_which_unit_from_the_source_that_is_chosen(
    panel: dict[str, Any],
) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == SOURCE
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE
        assert 'env="$env"' in target["expr"]
        assert target["legendFormat"]


def test_panels_have_ids_and_places_of_their_own() -> None:
    every = BOARD["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    taken = {
        (x, y)
        for panel in every
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in every)
    assert {x for x, _ in taken} == set(range(24))


def test_source_and_environment_are_for_the_reader_to_choose() -> None:
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["env"]["datasource"] == SOURCE
    assert variables["env"]["query"] == "label_values(esg_up, env)"


def test_the_provisioning_files_name_prometheus_and_the_folder_of_dashboards() -> None:
    folder = DEPLOYED / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "esg_assets.yml").read_text())["datasources"]
    assert (source["type"], source["access"]) == ("prometheus", "proxy")
    scraped = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped
    (provider,) = yaml.safe_load((folder / "dashboards" / "esg_assets.yml").read_text())["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
    assert provider["options"]["path"]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.title)
def test_prometheus_answers_every_query_with_series_that_the_legend_tells_apart(
    prometheus_url: str, shown: Shown
) -> None:
    for legend, query in shown.queries.items():
        series = at_the_end(prometheus_url, query)
        if shown.kind == "stat":
            assert len(series) == 1, query
            continue
        series = over_the_month(prometheus_url, query)
        assert series, query
        if legend.startswith("{{"):
            named = [each["metric"][legend.strip("{}")] for each in series]
            assert len(set(named)) == len(named), query
        else:
            assert len(series) == 1, query


def test_a_query_with_a_fault_is_refused(prometheus_url: str) -> None:
    with pytest.raises(ValueError, match="parse error"):
        over_the_month(prometheus_url, 'max by (env) (esg_up{env="$env"}')


def test_a_withheld_figure_is_a_gap_and_no_zero(prometheus_url: str) -> None:
    def hours(pillar: str) -> set[float]:
        (series,) = over_the_month(prometheus_url, f'esg_score_mean{{env="$env",pillar="{pillar}"}}')
        assert min(float(value) for _, value in series["values"]) > 40
        return {at for at, _ in series["values"]}

    gap = hours("overall") - hours("governance")
    assert len(gap) == 24
    days = {datetime.fromtimestamp(at, CENTRAL).date() for at in gap}
    assert min(days) == month.FIRST + timedelta(days=month.WITHHELD)
