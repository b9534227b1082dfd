"""deploy/dagster.yaml as a real instance: PostgreSQL, a bucket for what runs print, and lines in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
import yaml
from dagster._core.storage.compute_log_manager import ComputeIOType
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager
from dagster_postgres import PostgresEventLogStorage

from esg_assets.core.ratings import Reply
from esg_assets_tests.leak_search import find_leaks
from esg_assets_tests.pipeline.house import PROJECT, House, Ran, accounts, new_house
from esg_assets_tests.servers import S3Server

DEPLOY = PROJECT / "deploy" / "dagster.yaml"
SAME = {"telemetry", "nux", "python_logs", "run_monitoring", "run_retries", "concurrency", "retention"}


class Production:
    """A house over the instance, and its bucket."""

    def __init__(self, house: House, staged: Path, server: S3Server) -> None:
        self.house = house
        self.staged = staged
        self.bucket = server.bucket
        self.s3: Any = boto3.session.Session().client("s3")

    def objects(self) -> dict[str, bytes]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="esg_assets/").get("Contents", [])
        return {
            each["Key"]: self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read()
            for each in found
        }


@pytest.fixture
def production(
    tmp_path: Path, moto_server: S3Server, postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Production]:
    home, dagster_home = tmp_path / "house", tmp_path / "dagster"
    for folder in (home, dagster_home):
        folder.mkdir(mode=0o700)
    shutil.copy(DEPLOY, dagster_home / "dagster.yaml")
    for name, value in {
        **moto_server.environment,
        "AWS_DEFAULT_REGION": moto_server.region,
        "DAGSTER_HOME": str(dagster_home),
        "DAGSTER_DATABASE_URL": postgres_database_url.replace("+psycopg", "+psycopg2"),
        "DAGSTER_COMPUTE_LOGS_BUCKET": moto_server.bucket,
    }.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        yield Production(new_house(home, instance), dagster_home, moto_server)


def test_what_a_run_prints_is_in_the_bucket_and_its_records_are_in_postgresql(production: Production) -> None:
    house, instance = production.house, production.house.instance
    house.answers({"ACC-00005": [Reply(422)]})
    ran = house.run()
    assert ran.success
    assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
    assert instance.get_run_by_id(ran.run.run_id) is not None
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled

    objects = production.objects()
    printed = b"".join(body for name, body in objects.items() if ran.run.run_id in name)
    assert b'"event": "asking the provider"' in printed
    assert b'"event": "accounts failed"' in printed
    needles = [str(row[n]) for row in accounts(12) for n in ("account_id", "account_name", "market_value")]
    assert find_leaks([*needles, "52.5"], texts=objects) == []
    planted = {"planted": printed + str(accounts(1)[0]["account_id"]).encode()}
    assert find_leaks(needles, texts=planted) != [], "the search finds what is there"

    shutil.rmtree(production.staged / ran.run.run_id)  # as on another host
    shown = read_back(instance, ran)
    assert '"event": "asking the provider"' in shown


def read_back(instance: dg.DagsterInstance, ran: Ran) -> str:
    """What the UI shows of a run's steps: read through the manager, from the bucket alone."""
    manager = instance.compute_log_manager
    assert isinstance(manager, S3ComputeLogManager)
    found = []
    for key in {
        tuple(e.logs_captured_data.file_key.split("/"))
        for e in ran.events
        if e.event_type_value == "LOGS_CAPTURED"
    }:
        log_key = [ran.run.run_id, "compute_logs", *key]
        data = manager.get_log_data(log_key)
        found.append(data.stdout or b"")
        assert manager.cloud_storage_has_logs(log_key, ComputeIOType.STDOUT)
    return b"".join(found).decode()


def test_what_is_no_matter_of_production_is_as_everywhere() -> None:
    everywhere = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    deployed = yaml.safe_load(DEPLOY.read_text(encoding="utf-8"))
    assert set(everywhere) == SAME
    assert {name: deployed[name] for name in SAME} == everywhere
