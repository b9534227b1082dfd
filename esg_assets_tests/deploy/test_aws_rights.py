"""The roles of deploy/aws/esg_assets.yaml on a server (moto) that judges requests by them.

It leaves bucket policies and kinds of keys out; those are judged in test_aws_template.py.
"""

import contextlib
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from esg_assets.adapters.stores import open_store
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.store_care import TendedStore
from esg_assets_tests.deploy.access_table import ROLES
from esg_assets_tests.deploy.aws_stack import RECORDS, REGION, WORK, Stack, deployed


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack on a server that judges S3 requests by the policy of the role that makes them."""
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "PORT"]
    with deployed(tmp_path_factory.mktemp("moto"), command, "moto-api/") as made:
        versions = {"Status": "Enabled"}  # moto does not read this from a template
        made.client("s3").put_bucket_versioning(Bucket=RECORDS, VersioningConfiguration=versions)
        iam = made.client("iam")
        for role, (policy,) in made.role_policies.items():
            # moto keeps a template's policies in a form that it cannot judge by afterwards.
            name = role.rpartition("/")[2]
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
            for other in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                if other != "own":
                    iam.delete_role_policy(RoleName=name, PolicyName=other)
        yield made


@pytest.fixture(scope="module")
def credentials(judging: Stack) -> dict[str, dict[str, str]]:
    """What each role signs its requests with, by the names of boto3's arguments."""
    sts = judging.client("sts")
    given = {}
    for role in ROLES:
        arn = judging.arn_of(role).replace("0" * 12, "123456789012")
        told = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        given[role] = {
            "aws_access_key_id": told["AccessKeyId"],
            "aws_secret_access_key": told["SecretAccessKey"],
            "aws_session_token": told["SessionToken"],
        }
    return given


def test_the_server_too_lets_each_role_do_no_more_in_s3_than_its_own_policy_says(
    judging: Stack, credentials: dict[str, dict[str, str]]
) -> None:
    clients = {role: judging.client("s3", **given) for role, given in credentials.items()}
    judging.client("s3").put_object(Bucket=RECORDS, Key="reports/x", Body=b"1")
    judging.client("s3").put_object(Bucket=RECORDS, Key="chain/1", Body=b"1")
    judging.client("s3").put_object(Bucket=WORK, Key="parts/x", Body=b"1")
    calls: dict[str, Callable[[Any], object]] = {
        "put records": lambda s3: s3.put_object(Bucket=RECORDS, Key="reports/y", Body=b"1"),
        "get records": lambda s3: s3.get_object(Bucket=RECORDS, Key="reports/x"),
        "get the chain": lambda s3: s3.get_object(Bucket=RECORDS, Key="chain/1"),
        "put work": lambda s3: s3.put_object(Bucket=WORK, Key="parts/y", Body=b"1"),
        "get work": lambda s3: s3.get_object(Bucket=WORK, Key="parts/x"),
        "delete work": lambda s3: s3.delete_object(Bucket=WORK, Key="parts/y"),
        "delete leftovers": lambda s3: s3.delete_object(Bucket=WORK, Key="doctor/y"),
        "delete records": lambda s3: s3.delete_object(Bucket=RECORDS, Key="reports/x"),
        "see uploads": lambda s3: s3.list_multipart_uploads(Bucket=RECORDS),
        "see its access list": lambda s3: s3.get_bucket_acl(Bucket=RECORDS),
        "see its versions": lambda s3: s3.get_bucket_versioning(Bucket=RECORDS),
    }
    look = {"see uploads", "see its access list", "see its versions"}
    read = {"get records", "get the chain", "see its versions"}
    expected = {
        "Job": look | read | {"put records", "put work", "get work", "delete work", "delete leftovers"},
        "Auditor": read,
        "Custodian": look | read | {"put records"},
        "Expiry": read | {"delete records"},
        "Care": look | {"get the chain", "delete records", "delete leftovers"},
    }
    with _rights_are_checked(judging):
        assert {
            role: {name for name, call in calls.items() if _lets(call, clients[role])} for role in ROLES
        } == expected


def test_the_role_of_care_can_do_all_that_a_repair_does_and_the_job_cannot(
    judging: Stack, credentials: dict[str, dict[str, str]]
) -> None:
    admin = judging.client("s3")
    orphan, name = "reports/2026-01-15/0001/orphan", "chain/0000000001"
    for key in (orphan, name):
        admin.put_object(Bucket=RECORDS, Key=key, Body=b"1")
    admin.put_object(Bucket=WORK, Key="doctor/1234", Body=b"1")
    admin.create_multipart_upload(Bucket=RECORDS, Key="reports/2026-01-15/0001/half")
    records, work = (_store(judging, credentials["Care"], bucket) for bucket in (RECORDS, WORK))
    with _rights_are_checked(judging):
        assert (
            orphan in {each.key for each in records.listed("")},
            "doctor/1234" in {each.key for each in work.listed("")},
            records.read(name),
            len(records.leftovers()),
            work.leftovers(),
        ) == (True, True, b"1", 1, [])
        assert (records.protection().public, records.protection().versioned) == (False, True)
        with pytest.raises(StoreUnavailable, match="refuses these credentials"):
            _store(judging, credentials["Job"], RECORDS).delete(orphan)
        for leftover in records.leftovers():
            records.remove_leftover(leftover)
        # Our store deletes by a list of one; AWS asks of each key, moto of the bucket: so by single calls.
        care = judging.client("s3", **credentials["Care"])
        assert _lets(lambda s3: s3.delete_object(Bucket=RECORDS, Key=orphan), care)
        assert _lets(lambda s3: s3.delete_object(Bucket=WORK, Key="doctor/1234"), care)
        assert not _lets(lambda s3: s3.delete_object(Bucket=RECORDS, Key=name), care)
        assert not _lets(lambda s3: s3.delete_object(Bucket=WORK, Key="parts/x"), care)
        assert records.leftovers() == []
        assert {orphan, name} & {each.key for each in records.listed("")} == {name}
    kept = admin.list_object_versions(Bucket=RECORDS, Prefix=orphan)
    assert [len(kept[each]) for each in ("Versions", "DeleteMarkers")] == [1, 1], "it can be brought back"


def _store(stack: Stack, given: dict[str, str], bucket: str) -> TendedStore:
    environ = {name.upper(): value for name, value in given.items()}
    return open_store(f"s3://{bucket}", {**environ, "AWS_ENDPOINT_URL": stack.endpoint, "AWS_REGION": REGION})


@contextlib.contextmanager
def _rights_are_checked(stack: Stack) -> Iterator[None]:
    def after(calls: bytes) -> None:
        request = urllib.request.Request(f"{stack.endpoint}/moto-api/reset-auth", calls)
        request.add_header("Content-Type", "text/plain")
        with urllib.request.urlopen(request, timeout=10):
            pass

    after(b"0")
    try:
        yield
    finally:
        after(b"inf")


def _lets(call: Callable[[Any], object], client: object) -> bool:
    try:
        call(client)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return False
        raise
    return True
