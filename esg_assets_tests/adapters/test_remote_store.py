"""What is particular to stores behind a network, against a real S3 server."""

import secrets
from pathlib import Path

import boto3
import pytest

from esg_assets.adapters.stores import open_store
from esg_assets.core.errors import SettingsWrong, StoreUnavailable
from esg_assets_tests.servers import S3Server, free_ports


def test_an_abandoned_upload_leaves_no_parts_in_the_bucket(s3_server: S3Server) -> None:
    prefix = secrets.token_hex(6)
    store = open_store(f"s3://{s3_server.bucket}/{prefix}", s3_server.environment)

    def fail() -> None:
        with store.writer("one") as sink:
            for _ in range(20):
                sink.write(bytes(1 << 20))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
        region_name=s3_server.region,
    )
    try:
        # Other tests of this server leave uploads of their own on purpose.
        uploads = client.list_multipart_uploads(Bucket=s3_server.bucket).get("Uploads", [])
        assert [each for each in uploads if each["Key"].startswith(prefix)] == []
    finally:
        client.close()


def test_two_prefixes_of_one_bucket_are_two_stores(s3_server: S3Server) -> None:
    root = f"s3://{s3_server.bucket}/{secrets.token_hex(6)}"
    open_store(f"{root}/a", s3_server.environment).create("one", b"1")
    open_store(f"{root}/ab", s3_server.environment).create("two", b"2")
    assert list(open_store(f"{root}/a", s3_server.environment).keys("")) == ["one"]
    assert list(open_store(f"{root}/", s3_server.environment).keys("")) == ["a/one", "ab/two"]


def test_refused_credentials_are_said_to_be_refused(s3_server: S3Server) -> None:
    environ = {**s3_server.environment, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    store = open_store(f"s3://{s3_server.bucket}/x", environ)
    with pytest.raises(StoreUnavailable, match="refuses these credentials") as caught:
        store.create("one", b"1")
    assert "wrong-secret" not in str(caught.value)
    assert s3_server.endpoint not in str(caught.value)
    with pytest.raises(StoreUnavailable, match="refuses these credentials"):
        list(store.keys(""))


def test_a_server_that_is_not_there_is_unavailable(s3_server: S3Server) -> None:
    (port,) = free_ports(1)
    environ = {**s3_server.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    store = open_store("s3://bucket/x", environ)
    with pytest.raises(StoreUnavailable, match="did not answer") as caught:
        store.read("one")
    assert str(port) not in str(caught.value)


def test_a_bucket_that_is_not_there_is_not_an_empty_one(s3_server: S3Server) -> None:
    store = open_store(f"s3://no-such-bucket-{secrets.token_hex(4)}/x", s3_server.environment)
    with pytest.raises(StoreUnavailable):
        list(store.keys(""))
    with pytest.raises(StoreUnavailable):
        store.read("one")


def test_a_ca_bundle_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="AWS_CA_BUNDLE"):
        open_store("s3://bucket/x", {"AWS_CA_BUNDLE": str(tmp_path / "missing.pem")})
