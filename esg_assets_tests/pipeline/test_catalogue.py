"""What Dagster's catalogue says of every definition: whom to ask, what columns hold, where links lead."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from esg_assets import catalogue
from esg_assets.asset_columns import columns_of, report_columns
from esg_assets.core import report
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.ratings import Metric
from esg_assets.definitions import build_defs
from esg_assets_tests.pipeline.house import ASSETS, PROJECT, House

ALL = {*ASSETS, "esg_site"}
METRICS = (Metric("waci", "tCO2e/USDm", "lower"), Metric("controversies", "cases", "lower"))
SITE, RUNBOOK, SOURCE = (
    "https://esg.example.com/pages",
    "https://wiki.example.com/esg",
    "https://git.example/x",
)


def specs(house: House, **settings: object) -> dict[str, dg.AssetSpec]:
    defs = build_defs(house.settings.model_copy(update=settings))
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def columns(spec: dg.AssetSpec) -> list[dg.TableColumn]:
    value: Any = spec.metadata["dagster/column_schema"]
    return list(value.value.columns)


def test_every_asset_says_what_it_is_whose_it_is_and_where_to_read_on(house: House) -> None:
    found = specs(house)
    assert set(found) == ALL
    for name, spec in found.items():
        assert len(spec.description or "") > 60, name
        assert spec.owners == ["team:esg-pipeline"], name
        assert spec.kinds, name
        assert spec.tags["data"] in {"client", "aggregates"}, name
        assert spec.group_name == "esg_report", name
        assert spec.metadata["runbook"].value == "docs/operations.md", name
        assert "page" not in spec.metadata, name
    assert (PROJECT / "docs" / "operations.md").is_file()


def test_every_check_job_schedule_and_sensor_says_what_it_does(house: House) -> None:
    loaded = build_defs(house.settings).get_repository_def()
    described = {
        **{key.name: loaded.asset_graph.get(key).description for key in loaded.asset_graph.asset_check_keys},
        **{job.name: job.description for job in loaded.get_all_jobs() if not job.name.startswith("__")},
        **{each.name: each.description for each in loaded.schedule_defs},
        **{each.name: each.description for each in loaded.sensor_defs},
    }
    assert {"failure_rate", "nightly_esg_report", "report_pages_sensor"} <= set(described)
    assert [name for name, words in described.items() if len(words or "") < 20] == []


def test_columns_are_those_that_are_written(house: House) -> None:
    found = specs(house, metrics=METRICS)
    assert [c.name for c in columns(found["active_accounts"])] == ACCOUNT_SCHEMA.names
    assert [c.name for c in columns(found["esg_ratings"])] == OUTCOME_SCHEMA.names
    assert [c.name for c in columns(found["encrypted_report_csv"])] == report.columns(METRICS)
    for name in ASSETS:
        for column in columns(found[name]):
            assert column.description, (name, column.name)
            assert column.type in {"string", "decimal", "integer", "date", "binary", "map<string, decimal>"}
    for schema, name in ((ACCOUNT_SCHEMA, "active_accounts"), (OUTCOME_SCHEMA, "esg_ratings")):
        nullable = {c.name: c.constraints.nullable for c in columns(found[name])}
        assert nullable == {field.name: field.nullable for field in schema}
    assert "dagster/column_schema" not in found["esg_site"].metadata, "pages are no table"


def test_every_metric_says_its_unit_and_which_is_better() -> None:
    holds = {column.name: column.holds for column in report_columns(METRICS)}
    assert holds["waci"].startswith("In tCO2e/USDm; lower is better.")


def test_lineage_names_columns_that_are_there_of_assets_that_are_read(house: House) -> None:
    found = specs(house, metrics=METRICS)
    traced = 0
    for name in ("esg_ratings", "encrypted_report_csv", "daily_summary"):
        upstream = {dep.asset_key.to_user_string() for dep in found[name].deps}
        lineage: Any = found[name].metadata["dagster/column_lineage"]
        for column, sources in lineage.value.deps_by_column.items():
            assert column in {c.name for c in columns(found[name])}
            for source in sources:
                of = source.asset_key.to_user_string()
                assert of in upstream, (name, column)
                assert source.column_name in {c.name for c in columns(found[of])}, (name, column)
                traced += 1
    report_sources = found["encrypted_report_csv"].metadata["dagster/column_lineage"].value.deps_by_column
    # Everything in the report but its two dates comes from accounts or ratings, each cell from one column.
    assert set(report.columns(METRICS)) - set(report_sources) == {"report_date", "as_of"}
    assert {len(sources) for sources in report_sources.values()} == {1}
    assert traced > 30


def test_links_follow_the_settings(house: House) -> None:
    for name, spec in specs(house, site_url=SITE, runbook_url=RUNBOOK).items():
        assert spec.metadata["page"] == dg.MetadataValue.url(f"{SITE}/index.html"), name
        assert spec.metadata["runbook"] == dg.MetadataValue.url(RUNBOOK), name


def test_the_developers_whom_alerts_go_to_are_owners(house: House) -> None:
    addresses = ("esg-pipeline@example.com", "root@localhost", "Ä@example.com")
    owners = specs(house, alert_email_dev=addresses)["esg_ratings"].owners
    assert owners == ["team:esg-pipeline", "esg-pipeline@example.com"], "Dagster loads with no other"


def reference(spec: dg.AssetSpec) -> Any:
    value: Any = spec.metadata["dagster/code_references"]
    (found,) = value.code_references
    return found


def test_code_references_lead_to_the_asset_in_the_repository(house: House) -> None:
    for name, spec in specs(house, source_url=SOURCE, env="prod").items():
        url, _, line = reference(spec).url.removeprefix(f"{SOURCE}/").partition("#L")
        text = (PROJECT / url).read_text(encoding="utf-8").splitlines()
        if name == "esg_site":
            assert (url, line) == ("esg_assets/site/building.py", "")
        else:
            assert text[int(line) - 1].startswith(f"def {name}(")


def test_a_path_of_the_machine_is_told_to_whoever_develops_there_and_to_nobody_else(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(reference(specs(house)["esg_ratings"]).file_path).is_file()
    assert "dagster/code_references" not in specs(house, env="prod")["esg_ratings"].metadata
    monkeypatch.setattr(catalogue, "PROJECT_FILE", tmp_path / "pyproject.toml")  # as an installed package
    assert "dagster/code_references" not in specs(house)["esg_ratings"].metadata


def test_a_site_without_a_url_is_told_as_a_folder_and_not_as_a_link(house: House) -> None:
    folder = specs(house, site_folder="/srv/esg")["esg_site"].metadata["folder"]
    assert folder == dg.MetadataValue.path("/srv/esg")


def test_loading_definitions_loads_nothing_that_draws(tmp_path: Path) -> None:
    code = (
        "import sys; from esg_assets.definitions import defs; defs().get_repository_def();"
        "import esg_assets.core.day_chart, esg_assets.summary_metadata;"
        "print([name for name in ('altair', 'vl_convert', 'jinja2', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"DAGSTER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_an_unknown_asset_has_no_columns() -> None:
    assert columns_of("esg_site", METRICS) == ()
