"""The definitions as Dagster's code server loads them, and what importing them does: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository

from esg_assets.core.central_time import TIMEZONE
from esg_assets.definitions import build_defs
from esg_assets.jobs import NIGHTLY
from esg_assets.resources import resources
from esg_assets_tests.pipeline.house import ASSETS, House

CHECKS = {
    "active_accounts": {"accounts_complete_and_unique": True, "account_count_plausible": False},
    "esg_ratings": {"every_account_has_one_outcome": True, "failure_rate": False, "not_rated_rate": False},
    "encrypted_report_csv": {
        "report_equals_ratings": True,
        "keys_unchanged": False,
        "report_still_verifies": False,
    },
    "daily_summary": {"ratings_drift": False},
}
"""By asset: each check, and whether it is blocking."""

RESOURCES = {
    "settings", "account_source", "esg_api", "reply_shapes", "gathering", "rules", "history", "leases",
    "run_lease", "stores", "snapshots", "ratings_parts", "sealed_ratings", "publications", "snapshot_io",
    "ratings_io", "publication_io", "io_manager", "working_window", "old_history",
    "outbox", "channels", "routes", "places",
}  # fmt: skip


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.RepositoryDefinition:
    """What the code server makes of the module when there is no setting at all."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return ReconstructableRepository.for_module("esg_assets.definitions", "defs").get_definition()


def test_it_loads_without_any_setting(loaded: dg.RepositoryDefinition) -> None:
    assert {key.to_user_string() for key in loaded.assets_defs_by_key} == {*ASSETS, "esg_site"}
    assert loaded.has_job(NIGHTLY)
    assert [schedule.name for schedule in loaded.schedule_defs] == [
        "archive_working_data_schedule",
        "forget_old_history_schedule",
        "nightly_esg_report_schedule",
    ]
    assert {sensor.name for sensor in loaded.sensor_defs} == {
        "alert_delivery_sensor",
        "alert_detection_sensor",
        "report_pages_sensor",
        "run_records_sensor",
        "stale_runs_sensor",
    }


def test_it_loads_with_wrong_settings_so_that_sensors_live(
    loaded: dg.RepositoryDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESG_FIRST_DATE", "tomorrow")
    monkeypatch.setenv("ESG_API_RATE_LIMIT", "none")
    again = ReconstructableRepository.for_module("esg_assets.definitions", "defs").get_definition()
    assert set(again.assets_defs_by_key) == set(loaded.assets_defs_by_key)


def test_everything_in_it_can_be_loaded_together_as_dagster_dev_does(loaded: dg.RepositoryDefinition) -> None:
    loaded.load_all_definitions()

    ops = [node.name for job in loaded.get_all_jobs() for node in job.graph.nodes]
    assert not set(ops) & {job.name for job in loaded.get_all_jobs()}


def test_every_check_has_partitions_and_the_right_ones_block(loaded: dg.RepositoryDefinition) -> None:
    graph = loaded.asset_graph
    found: dict[str, dict[str, bool]] = {}
    for key in graph.asset_check_keys:
        node = graph.get(key)
        found.setdefault(key.asset_key.to_user_string(), {})[key.name] = node.blocking
        assert node.partitions_def == graph.get(key.asset_key).partitions_def
    assert found == CHECKS


def test_the_job_is_all_assets_and_checks_in_one_process(loaded: dg.RepositoryDefinition) -> None:
    job = loaded.get_job(NIGHTLY)
    assert job.executor_def is dg.in_process_executor
    layer = job.asset_layer
    assert {key.to_user_string() for key in layer.executable_asset_keys} == set(ASSETS)
    assert {key.name for key in layer.asset_graph.asset_check_keys} == {
        c for of in CHECKS.values() for c in of
    }


def test_the_schedule_is_on_and_ticks_from_five_in_central_time(loaded: dg.RepositoryDefinition) -> None:
    schedule = loaded.get_schedule_def("nightly_esg_report_schedule")
    assert schedule.cron_schedule == "0,30 5-23 * * *"
    assert schedule.execution_timezone == TIMEZONE == "America/Chicago"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == NIGHTLY


def test_working_data_is_archived_every_night_without_anybody_switching_it_on(
    loaded: dg.RepositoryDefinition,
) -> None:
    schedule = loaded.get_schedule_def("archive_working_data_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 3 * * *", TIMEZONE)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert loaded.get_job(schedule.job_name).executor_def is dg.in_process_executor


def test_every_sensor_is_on(loaded: dg.RepositoryDefinition) -> None:
    assert {sensor.default_status for sensor in loaded.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}


def test_partition_d_exists_on_the_morning_of_d(loaded: dg.RepositoryDefinition) -> None:
    for name in ASSETS:
        partitions = loaded.assets_defs_by_key[dg.AssetKey(name)].partitions_def
        assert isinstance(partitions, dg.DailyPartitionsDefinition)
        assert partitions.end_offset == 1
        assert str(partitions.timezone) == TIMEZONE
        assert partitions.get_first_partition_key() == "2026-01-01"


def test_backfills_run_one_partition_a_run(loaded: dg.RepositoryDefinition) -> None:
    for assets in loaded.assets_defs_by_key.values():
        assert assets.backfill_policy is None  # Dagster's default: a run for each partition


def test_every_resource_is_there_and_none_can_be_configured(loaded: dg.RepositoryDefinition) -> None:
    resources = loaded.get_top_level_resources()
    assert set(resources) == RESOURCES
    for name, resource in resources.items():
        assert getattr(resource.config_schema.config_type, "fields", "any config") == {}, name


def test_no_asset_uses_the_default_io_manager(loaded: dg.RepositoryDefinition) -> None:
    used = {
        key.to_user_string(): a.get_io_manager_key_for_asset_key(key)
        for key, a in loaded.assets_defs_by_key.items()
        if a.is_executable
    }
    assert used == {
        "active_accounts": "snapshot_io",
        "esg_ratings": "ratings_io",
        "encrypted_report_csv": "publication_io",
        "daily_summary": "io_manager",  # it hands nothing on: see the next test
    }


def test_lineage_ends_at_the_readers_pages_which_no_run_makes(loaded: dg.RepositoryDefinition) -> None:
    site = loaded.assets_defs_by_key[dg.AssetKey("esg_site")]
    (spec,) = site.specs
    assert not site.is_executable
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["daily_summary"]
    assert str(spec.metadata["folder"].value).endswith("site")
    assert dg.AssetKey("esg_site") not in loaded.get_job(NIGHTLY).asset_layer.executable_asset_keys


def test_an_asset_that_forgets_its_io_manager_fails_instead_of_pickling(house: House) -> None:
    @dg.asset
    def forgetful() -> str:
        return "client data"

    @dg.asset
    def reader(forgetful: str) -> None:
        del forgetful

    defs = dg.Definitions(
        assets=[forgetful, reader],
        jobs=[dg.define_asset_job("all")],
        resources={"io_manager": resources()["io_manager"]},
    )
    for only, said in {"forgetful": "has no IO manager of its own", "reader": "keeps no value"}.items():
        result = defs.resolve_job_def("all").execute_in_process(
            instance=house.instance, asset_selection=[dg.AssetKey(only)], raise_on_error=False
        )
        assert not result.success
        assert any(said in str(event.event_specific_data) for event in result.all_events)


def test_an_override_without_a_resource_is_refused(house: House) -> None:
    with pytest.raises(ValueError, match="no resource called esg_apy"):
        build_defs(house.settings, {"esg_apy": house.api})


_IMPORT_EVERYTHING = """
import importlib, os, pkgutil, sys
import esg_assets

def import_everything():
    for module in pkgutil.walk_packages(esg_assets.__path__, "esg_assets."):
        if not module.name.endswith(("__main__", ".env")):
            importlib.import_module(module.name)

# Once for the libraries, which do touch things when they are imported; and again for ours alone.
import_everything()
for name in [name for name in sys.modules if name.startswith("esg_assets.")]:
    del sys.modules[name]

touched = []
PACKAGE = esg_assets.__path__[0]
EVENTS = ("os.", "socket.", "subprocess.", "sqlite3.", "tempfile.", "_thread.", "shutil.", "urllib.")

def hook(event, args):
    if event == "open":
        path, mode, flags = args
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or not str(path).startswith(PACKAGE):
            touched.append((event, str(path)))
    elif event.startswith(EVENTS) and event not in {"os.listdir", "os.scandir"}:  # modules are looked for
        touched.append((event, str(args)))

read = os._Environ.__getitem__

def noted(self, key):
    if key != "PYDANTIC_DISABLE_PLUGINS":  # which pydantic asks for with each model
        touched.append(("environ", key))
    return read(self, key)

os._Environ.__getitem__ = noted
sys.addaudithook(hook)
import_everything()
print(touched)
"""


def test_importing_every_module_touches_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_EVERYTHING],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "ESG_API_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
    assert [*tmp_path.iterdir()] == []
