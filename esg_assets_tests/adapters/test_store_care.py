"""Looking after stores: leftovers, ages, retention, encryption at rest and how a bucket is guarded."""

import contextlib
import datetime as dt
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from esg_assets.adapters.stores import new_files, open_store
from esg_assets.adapters.stores.s3 import years_after
from esg_assets.adapters.stores.tended_s3 import TendedS3
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.store_care import AtRest, Leftover, Protection, TendedStore, objections
from esg_assets_tests.bucket_servers import GoogleServer
from esg_assets_tests.servers import S3Server

MIB = 1 << 20


def _client(server: S3Server) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
    )


@pytest.fixture
def admin(s3_server: S3Server) -> Iterator[Any]:
    client = _client(s3_server)
    yield client
    client.close()


@pytest.fixture
def bucket(admin: Any) -> Iterator[str]:
    """A bucket of the test's own, with versions and object lock."""
    name = f"esg-{secrets.token_hex(6)}"
    admin.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    yield name
    with contextlib.suppress(ClientError):  # what COMPLIANCE keeps goes with the server only
        _emptied(admin, name)


def _emptied(admin: Any, name: str) -> None:
    for page in admin.get_paginator("list_object_versions").paginate(Bucket=name):
        for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            admin.delete_object(
                Bucket=name, Key=each["Key"], VersionId=each["VersionId"], BypassGovernanceRetention=True
            )
    admin.delete_bucket(Bucket=name)


@pytest.fixture(params=["local", "s3", "gs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TendedStore:
    if request.param == "local":
        return open_store(str(tmp_path / "store"))
    server = request.getfixturevalue("s3_server" if request.param == "s3" else "google_server")
    assert isinstance(server, S3Server | GoogleServer)
    return open_store(f"{request.param}://{server.bucket}/{secrets.token_hex(6)}/records", server.environment)


def test_objects_are_listed_with_their_size_and_age(store: TendedStore) -> None:
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    store.create("reports/2026-01-15/b", b"12345")
    store.create("reports/2026-01-15/a", b"1")
    found = list(store.listed("reports/"))
    assert [(each.key, each.bytes) for each in found] == [
        ("reports/2026-01-15/a", 1),
        ("reports/2026-01-15/b", 5),
    ]
    after = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    assert all(before <= each.modified_at <= after for each in found)


def test_a_store_without_leftovers_has_none(store: TendedStore) -> None:
    assert store.leftovers() == []
    store.create("a/b", b"1")
    with store.writer("a/c") as sink:
        sink.write(bytes(17 * MIB))
    assert store.leftovers() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "~0123456789abcdeg", "a/../~0123456789abcdef"])
def test_a_folder_removes_nothing_but_its_temporary_files(tmp_path: Path, name: str) -> None:
    store = open_store(str(tmp_path / "store"))
    store.create("a/b", b"1")
    with pytest.raises(ValueError, match="no leftover"):
        store.remove_leftover(Leftover("temporary file", name, dt.datetime.now(dt.UTC), name))
    assert store.read("a/b") == b"1"


def test_a_temporary_file_is_found_and_goes(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.create("parts/2026-01-15/1", b"1")
    left = tmp_path / "store/parts/2026-01-15" / f"~{'0' * 16}"
    left.write_bytes(b"half")
    assert new_files.TEMPORARY_NAME.fullmatch(left.name)
    (found,) = store.leftovers()
    assert (found.kind, found.name) == ("temporary file", f"parts/2026-01-15/{left.name}")
    store.remove_leftover(found)
    store.remove_leftover(found)
    assert not left.exists()
    assert list(store.keys("")) == ["parts/2026-01-15/1"]


def test_an_open_upload_of_a_prefix_is_found_and_ended(s3_server: S3Server, admin: Any) -> None:
    prefix = secrets.token_hex(6)
    store = open_store(f"s3://{s3_server.bucket}/{prefix}", s3_server.environment)
    other = open_store(f"s3://{s3_server.bucket}/{prefix}2", s3_server.environment)
    key = f"{prefix}/reports/2026-01-15/one"
    upload = admin.create_multipart_upload(Bucket=s3_server.bucket, Key=key)
    admin.upload_part(
        Bucket=s3_server.bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=bytes(5 * MIB)
    )
    assert other.leftovers() == []
    (found,) = store.leftovers()
    assert (found.kind, found.name) == ("open upload", "reports/2026-01-15/one")
    assert abs(found.began_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    store.remove_leftover(found)
    store.remove_leftover(found)
    assert store.leftovers() == []


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
@pytest.mark.parametrize("size", [10, 17 * MIB])
def test_a_bucket_with_object_lock_keeps_each_record_for_the_years_of_retention(
    s3_server: S3Server, admin: Any, bucket: str, mode: str, size: int
) -> None:
    rule = {"DefaultRetention": {"Mode": mode, "Days": 1}}
    admin.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    store = open_store(f"s3://{bucket}/records", s3_server.environment, AtRest(retention_years=6))
    with store.writer("reports/one") as sink:
        sink.write(bytes(size))
    kept = admin.get_object_retention(Bucket=bucket, Key="records/reports/one")["Retention"]
    assert kept["Mode"] == mode
    due = years_after(dt.datetime.now(dt.UTC), 6)
    assert abs(kept["RetainUntilDate"] - due) < dt.timedelta(minutes=1)


def test_a_bucket_that_locks_for_long_enough_is_asked_for_nothing(
    s3_server: S3Server, admin: Any, bucket: str
) -> None:
    """Its policy may deny s3:PutObjectRetention to everybody."""
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 6}}
    admin.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    for years, asked in ((6, False), (7, True)):
        store = open_store(f"s3://{bucket}", s3_server.environment, AtRest(retention_years=years))
        assert isinstance(store, TendedS3)
        assert bool(store._headers()) is asked  # what no request carries shows nowhere else


def test_working_data_is_not_locked_away(s3_server: S3Server, admin: Any, bucket: str) -> None:
    store = open_store(f"s3://{bucket}/work", s3_server.environment, AtRest())
    store.create("parts/one", b"1")
    store.delete("parts/one")
    assert list(store.keys("")) == []


@pytest.mark.parametrize("size", [10, 17 * MIB])
def test_a_bucket_is_asked_to_encrypt_with_the_key_of_the_settings(moto_server: S3Server, size: int) -> None:
    arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    prefix = secrets.token_hex(6)
    url = f"s3://{moto_server.bucket}/{prefix}"
    store = open_store(url, moto_server.environment, AtRest(kms_key=arn))
    with store.writer("reports/one") as sink:
        sink.write(bytes(size))
    store.replace("reports/one", b"other")
    store.create("chain/1", b"1")
    open_store(url, moto_server.environment).create("plain", b"1")
    client = _client(moto_server)
    heads = {
        key: client.head_object(Bucket=moto_server.bucket, Key=f"{prefix}/{key}")
        for key in ("reports/one", "chain/1", "plain")
    }
    client.close()
    for key in ("reports/one", "chain/1"):
        assert (heads[key]["ServerSideEncryption"], heads[key]["SSEKMSKeyId"]) == ("aws:kms", arn)
    assert heads["plain"].get("SSEKMSKeyId") is None


def test_a_private_bucket_with_versions_is_not_objected_to(
    s3_server: S3Server, admin: Any, bucket: str
) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 6}}
    admin.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    protection = open_store(f"s3://{bucket}/x", s3_server.environment).protection()
    assert (protection.bucket, protection.public, protection.versioned) == (True, False, True)
    assert protection.retention == "object lock, 6 years by default (governance)"
    assert objections(protection) == []


def test_a_bucket_without_versions_is_objected_to(s3_server: S3Server) -> None:
    protection = open_store(f"s3://{s3_server.bucket}/x", s3_server.environment).protection()
    assert protection.public is False
    assert objections(protection) == ["the bucket keeps no versions: switch versioning on"]


@pytest.mark.parametrize("how", ["policy", "acl"])
def test_a_public_bucket_is_objected_to(s3_server: S3Server, admin: Any, bucket: str, how: str) -> None:
    if how == "policy":
        anybody: dict[str, Any] = {
            "Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
        admin.put_bucket_policy(Bucket=bucket, Policy=policy)
    else:
        admin.put_bucket_acl(Bucket=bucket, ACL="public-read")
    found = objections(open_store(f"s3://{bucket}/x", s3_server.environment).protection())
    assert found == ["the bucket can be read without credentials: block public access"]


def test_a_bucket_whose_objects_anybody_may_read_is_objected_to_though_nobody_may_list(
    s3_server: S3Server, admin: Any, bucket: str
) -> None:
    store = open_store(f"s3://{bucket}/x", s3_server.environment)
    store.create("store_id", b"1")
    assert objections(store.protection()) == []
    anybody = {
        "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }  # fmt: skip
    admin.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    )
    assert len(objections(store.protection())) == 1


def test_a_bucket_that_anybody_may_list_at_google_is_objected_to(google_server: GoogleServer) -> None:
    protection = open_store(f"gs://{google_server.bucket}/x", google_server.environment).protection()
    assert (protection.public, protection.versioned) == (True, True)
    assert len(objections(protection)) == 1


def test_what_a_bucket_does_not_tell_counts_as_missing() -> None:
    assert len(objections(Protection(bucket=True, public=None, versioned=None))) == 2
    assert objections(Protection(bucket=False, public=None, versioned=None)) == []


def test_a_bucket_that_does_not_answer_is_unavailable(s3_server: S3Server) -> None:
    environ = {**s3_server.environment, "AWS_SECRET_ACCESS_KEY": "wrong"}
    with pytest.raises(StoreUnavailable, match="refuses these credentials"):
        open_store("s3://bucket/x", environ).leftovers()


@pytest.mark.parametrize(("day", "later"), [("2026-01-15", "2032-01-15"), ("2024-02-29", "2030-03-01")])
def test_years_are_counted_by_the_calendar(day: str, later: str) -> None:
    moment = dt.datetime.fromisoformat(f"{day}T10:00:00+00:00")
    assert years_after(moment, 6) == dt.datetime.fromisoformat(f"{later}T10:00:00+00:00")
