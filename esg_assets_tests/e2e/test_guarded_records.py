"""`prod` keeps no records in a bucket that is public or keeps no versions: no run and no command does."""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from esg_assets import settings as settings_package
from esg_assets.cli import main as cli
from esg_assets.settings import Settings, load_settings
from esg_assets.working_window import ARCHIVE
from esg_assets_tests.pipeline.house import DAY, House, environment, instance_of, new_house
from esg_assets_tests.servers import S3Server

UNVERSIONED = "the bucket keeps no versions: switch versioning on"
PUBLIC = "the bucket can be read without credentials: block public access"


@pytest.fixture
def admin(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the server, whose credentials and endpoint are in the environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    # A session of its own: boto3's default one keeps the credentials that an earlier test gave it.
    client = boto3.session.Session().client("s3")
    yield client
    client.close()


@pytest.fixture
def bucket(admin: Any) -> Iterator[str]:
    """A bucket of the test's own, private and without versions."""
    name = f"esg-{secrets.token_hex(6)}"
    admin.create_bucket(Bucket=name)
    yield name
    for page in admin.get_paginator("list_object_versions").paginate(Bucket=name):
        for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            admin.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
    admin.delete_bucket(Bucket=name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with instance_of(tmp_path) as instance:
        yield new_house(tmp_path, instance)


def told_by_init(house: House, run_id: str) -> str:
    """What the run's log says of a resource that could not be made."""
    events = [entry.dagster_event for entry in house.instance.all_logs(run_id)]
    return "\n".join(str(each.event_specific_data) for each in events if each and each.is_failure)


def publicly_readable(admin: Any, bucket: str) -> None:
    anybody = {
        "Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    admin.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_a_run_in_prod_asks_nobody_and_writes_nothing_until_the_bucket_is_guarded(
    house: House, admin: Any, bucket: str
) -> None:
    def records(prefix: str) -> dict[str, Any]:  # the answer is kept for each URL
        return {"env": "prod", "store_url": SecretStr(f"s3://{bucket}/{prefix}")}

    ran = house.run(**records("unversioned"))
    assert not ran.success
    assert UNVERSIONED in told_by_init(house, ran.run.run_id)
    assert bucket not in told_by_init(house, ran.run.run_id)
    admin.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    publicly_readable(admin, bucket)
    ran = house.run(**records("public"))
    assert not ran.success
    assert PUBLIC in told_by_init(house, ran.run.run_id)
    assert house.asked == []
    assert "Contents" not in admin.list_objects_v2(Bucket=bucket)
    assert not (house.home / "work").exists()
    # A refusal before the first step is not for good: the schedule tries again.
    assert "esg/permanent" not in ran.run.tags
    admin.delete_bucket_policy(Bucket=bucket)
    ran = house.run(**records("guarded"))
    assert ran.success, ran.failure
    kept = [each["Key"] for each in admin.list_objects_v2(Bucket=bucket)["Contents"]]
    assert {key.split("/")[0] for key in kept} == {"guarded"}


def test_the_nightly_archiving_is_refused_too(house: House, bucket: str) -> None:
    house.overrides["settings"] = house.settings.model_copy(
        update={"env": "prod", "store_url": SecretStr(f"s3://{bucket}/archive")}
    )
    job = house.defs().resolve_job_def(ARCHIVE)
    result = job.execute_in_process(instance=house.instance, raise_on_error=False)
    assert not result.success
    assert UNVERSIONED in told_by_init(house, result.run_id)


@pytest.fixture
def host(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host in `prod` whose records are in that bucket; its keys may be demo keys and the server plain."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ESG_ENV", "test")
    monkeypatch.setenv("ESG_STORE_URL", f"s3://{bucket}/records")
    monkeypatch.setenv("ESG_VERIFY_KEYS", f"{tmp_path}/keys/demo-signing.pub.pem")
    monkeypatch.chdir(tmp_path)

    def in_prod(*given: Any, **named: Any) -> Settings:
        return load_settings(*given, **named).model_copy(update={"env": "prod"})

    monkeypatch.setattr(settings_package, "load_settings", in_prod)
    return tmp_path


WHY = ("--reason", "a reason")
DATED = ("--date", DAY.isoformat())
COMMANDS: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "report archive": lambda _home: (),
    "report reseal": lambda home: (
        *DATED, *WHY, "--key", f"{home}/keys/demo-recipient.pem",
        "--recipients", f"{home}/keys/demo-recipient.pub.pem",
    ),
    "report hold": lambda _home: (*DATED, *WHY),
    "report release": lambda _home: (*DATED, *WHY),
    "report expire": lambda _home: (*DATED, *WHY),
    "report accept-restore": lambda _home: WHY,
    "keys rotate": lambda _home: (),
}  # fmt: skip


def test_every_command_that_writes_or_removes_is_refused(
    host: Path, admin: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (host / "keys" / "demo-working.key").read_bytes()
    for command, arguments in COMMANDS.items():
        assert cli.run([*command.split(), *arguments(host)]) == 1, command
        told = capsys.readouterr().err
        assert f"Opening the records store: {UNVERSIONED}" in told, command
        assert bucket not in told
    assert "Contents" not in admin.list_objects_v2(Bucket=bucket)
    assert (host / "keys" / "demo-working.key").read_bytes() == before


@pytest.mark.usefixtures("host")
def test_who_only_reads_is_not(admin: Any, bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "list"]) == 0
    assert "No report was published yet" in capsys.readouterr().out
    assert "Contents" not in admin.list_objects_v2(Bucket=bucket)
