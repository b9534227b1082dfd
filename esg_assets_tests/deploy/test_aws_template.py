"""deploy/aws/esg_assets.yaml, deployed on a server, does what the table of docs/security.md says.

The policies are read back from the server (ministack), as it resolved them, and judged by `policies`.
What another server decides by itself is in test_aws_rights.py.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from esg_assets.settings import Settings
from esg_assets_tests.deploy.access_table import COLUMNS, TABLE
from esg_assets_tests.deploy.aws_stack import RECORDS, TEMPLATE, WORK, Stack, deployed
from esg_assets_tests.deploy.policies import Request, allowed

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    command = [sys.executable, "-m", "ministack"]
    with deployed(tmp_path_factory.mktemp("ministack"), command, "_ministack/health") as made:
        yield made


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template, with the short forms of its functions written out."""
    return dict(cfn_yaml.load(str(TEMPLATE)))


def test_the_stack_is_created_with_all_its_resources_and_outputs(stack: Stack) -> None:
    (told,) = stack.client("cloudformation").describe_stacks(StackName="esg")["Stacks"]
    assert told["StackStatus"] == "CREATE_COMPLETE"
    text = TEMPLATE.read_text(encoding="utf-8")
    declared = re.findall(r"(?m)^  (\w+):\n    Type: AWS::", text)
    assert set(declared) <= set(stack.ids)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]}
    assert outputs["StoreUrl"] == f"s3://{RECORDS}"
    assert re.fullmatch(r"aws-kms://arn:aws:kms:us-east-2:\d{12}:key/[\w-]+", outputs["ReportRecipient"])


def test_the_records_bucket_keeps_versions_and_the_work_bucket_does_not(stack: Stack) -> None:
    s3 = stack.client("s3")
    assert s3.get_bucket_versioning(Bucket=RECORDS)["Status"] == "Enabled"
    assert "Status" not in s3.get_bucket_versioning(Bucket=WORK), "what the job removes there must be gone"


def test_records_are_locked_for_the_years_of_retention(template: dict[str, Any]) -> None:
    # No server here keeps this, nor what the next test looks at: so the template itself is read.
    records = template["Resources"]["RecordsBucket"]["Properties"]
    assert records["ObjectLockEnabled"] is True
    rule = {"DefaultRetention": {"Mode": {"Ref": "ObjectLockMode"}, "Years": {"Ref": "RetentionYears"}}}
    assert records["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled", "Rule": rule}
    assert (
        template["Parameters"]["RetentionYears"]["Default"]
        == Settings.model_fields["retention_years"].default
    )
    assert template["Parameters"]["ObjectLockMode"]["Default"] == "COMPLIANCE"


@pytest.mark.parametrize("bucket", ["RecordsBucket", "WorkBucket"])
def test_both_buckets_are_encrypted_with_our_key_and_closed_to_the_public(
    template: dict[str, Any], bucket: str
) -> None:
    told = template["Resources"][bucket]["Properties"]
    (rule,) = told["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["StorageKey", "Arn"]}}
    closed = told["PublicAccessBlockConfiguration"]
    assert (len(closed), set(closed.values())) == (4, {True})
    (lifecycle,) = told["LifecycleConfiguration"]["Rules"]
    assert set(lifecycle) == {"Id", "Status", "AbortIncompleteMultipartUpload"}, "no object expires by itself"


def test_signing_keys_only_sign_and_are_of_a_kind_that_verifying_knows(stack: Stack) -> None:
    kms = stack.client("kms")
    for name in ("SigningKey", "CustodianSigningKey", "ExpirySigningKey"):
        told = kms.describe_key(KeyId=stack.ids[name])["KeyMetadata"]
        assert (told["KeyUsage"], told["KeySpec"]) == ("SIGN_VERIFY", "ECC_NIST_EDWARDS25519")
    assert "AllowedValues: [ECC_NIST_EDWARDS25519, ECC_NIST_P256]" in TEMPLATE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("what", "expected"), TABLE.items(), ids=[" ".join(what) for what in TABLE])
def test_each_role_may_do_what_the_table_says_and_no_more(
    stack: Stack, what: tuple[str, str], expected: str
) -> None:
    assert "".join("y" if stack.may(column, *what) else "-" for column in COLUMNS) == expected


@pytest.mark.parametrize(
    ("action", "target", "changed"),
    [
        ("s3:PutObject", "records/reports", {"aws:SecureTransport": "false"}),
        ("s3:GetObject", "records/reports", {"aws:SecureTransport": "false"}),
        ("s3:PutObject", "work/parts", {"aws:SecureTransport": "false"}),
        ("s3:PutObject", "work/parts", {"s3:TlsVersion": "1.1"}),
        ("s3:PutObject", "records/reports", {"s3:x-amz-server-side-encryption": "AES256"}),
        ("s3:PutObject", "records/reports", {"s3:x-amz-server-side-encryption-aws-kms-key-id": "another"}),
        ("s3:PutObject", "work/parts", {"s3:x-amz-server-side-encryption": "AES256"}),
        ("kms:GenerateDataKey", "ReportKey", {"kms:EncryptionContext:environment": ""}),
        ("kms:Decrypt", "WorkingKey", {"kms:EncryptionContext:environment": "dev"}),
    ],
    ids=lambda value: " ".join(value.values()) or "none" if isinstance(value, dict) else value,
)
def test_what_the_job_may_do_it_may_not_do_in_another_way(
    stack: Stack, action: str, target: str, changed: Mapping[str, str]
) -> None:
    assert stack.may("Job", action, target)
    assert not stack.may("Job", action, target, **changed)


def test_a_put_with_our_key_is_let_through(stack: Stack) -> None:
    arn = stack.client("kms").describe_key(KeyId=stack.ids["StorageKey"])["KeyMetadata"]["Arn"]
    named = {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": arn,
    }
    assert stack.may("Job", "s3:PutObject", "records/reports", **named)


def test_the_document_shows_the_same_table() -> None:
    rows = re.findall(
        r"(?m)^\| `([\w:]+)` \| ([^|]+) \|" + r" ([^|]*) \|" * len(COLUMNS) + "$",
        SECURITY.read_text(encoding="utf-8"),
    )
    shown = {
        (action, target.strip()): "".join("y" if c.strip() == "yes" else "-" for c in cells)
        for action, target, *cells in rows
    }
    assert shown == TABLE


def test_what_the_evaluator_does_not_know_it_refuses_to_judge() -> None:
    request = Request("p", "s3:GetObject", "r")
    base = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    for strange in (
        {"NotAction": "x"},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Principal": {"Service": "x"}},
    ):
        with pytest.raises(NotImplementedError):
            allowed(request, [], {"Statement": base | strange})
