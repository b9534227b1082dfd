"""deploy/aws/esg_assets.yaml, deployed on a server, does what the table of docs/security.md says.

The policies are read back from the server (ministack), as it resolved them, and judged by `policies`.
Another one (moto) judges the roles' own S3 rights itself, on requests over HTTP; it leaves bucket
policies and kinds of keys out.
"""

import ast
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cfnlint.decode import cfn_yaml

from esg_assets.settings import Settings
from esg_assets_tests.deploy.policies import Policy, Request, allowed
from esg_assets_tests.servers import free_ports, started

TEMPLATE = Path(__file__).parents[2] / "deploy" / "aws" / "esg_assets.yaml"
SECURITY = Path(__file__).parents[2] / "docs" / "security.md"
RECORDS, WORK = "example-esg-records", "example-esg-work"
REGION = "us-east-2"
ROLES = ("Job", "Auditor", "Custodian", "Expiry")
KEYS = ("ReportKey", "WorkingKey", "SigningKey", "CustodianSigningKey", "ExpirySigningKey", "StorageKey")
ACCOUNT = "arn:aws:iam::000000000000"

# Who may do what: the columns are job, auditor, custodian, expiry, and an administrator of the account
# (who has every right in IAM). docs/security.md shows the same table, and a test compares them.
TABLE: dict[tuple[str, str], str] = {
    ("s3:GetObject", "records/reports"): "yyyyy",
    ("s3:PutObject", "records/reports"): "y-y-y",
    ("s3:PutObject", "records/chain"): "y-yyy",
    ("s3:PutObject", "records/chain, over an entry"): "-----",
    ("s3:DeleteObject", "records/reports"): "---y-",
    ("s3:DeleteObjectVersion", "records/reports"): "---y-",
    ("s3:DeleteObject", "records/chain"): "-----",
    ("s3:DeleteObjectVersion", "records/chain"): "-----",
    ("s3:DeleteObject", "records/store_id"): "-----",
    ("s3:BypassGovernanceRetention", "records/reports"): "-----",
    ("s3:PutObjectRetention", "records/reports"): "-----",
    ("s3:PutBucketVersioning", "records"): "-----",
    ("s3:DeleteBucket", "records"): "-----",
    ("s3:PutBucketPolicy", "records"): "----y",
    ("s3:ListBucket", "records"): "yyyyy",
    ("s3:GetObject", "work/parts"): "y----",
    ("s3:PutObject", "work/parts"): "y----",
    ("s3:DeleteObject", "work/parts"): "y----",
    ("s3:ListBucket", "work"): "y---y",
    ("kms:GenerateDataKey", "ReportKey"): "y-y--",
    ("kms:Encrypt", "ReportKey"): "y-y--",
    ("kms:Decrypt", "ReportKey"): "-yy--",
    ("kms:Decrypt", "ReportKey, of another environment"): "-----",
    ("kms:GenerateDataKey", "WorkingKey"): "y----",
    ("kms:Decrypt", "WorkingKey"): "y----",
    ("kms:Sign", "SigningKey"): "y----",
    ("kms:Sign", "CustodianSigningKey"): "--y--",
    ("kms:Sign", "ExpirySigningKey"): "---y-",
    ("kms:GetPublicKey", "SigningKey"): "yyyyy",
    ("kms:Decrypt", "StorageKey"): "-----",
    ("kms:Decrypt", "StorageKey, through S3"): "yyyy-",
    ("kms:PutKeyPolicy", "ReportKey"): "----y",
    ("kms:ScheduleKeyDeletion", "ReportKey"): "----y",
    ("kms:CreateGrant", "ReportKey"): "-----",
    ("kms:ReEncryptFrom", "ReportKey"): "-----",
}
COLUMNS = (*ROLES, "Administrator")
EVERYTHING: Policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OVER_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@dataclass
class Stack:
    """The deployed stack.

    Attributes:
        endpoint: of the server.
        ids: physical id by logical id.
    """

    endpoint: str
    ids: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, **credentials: str) -> Any:
        """A client; without credentials that of an administrator."""
        given = credentials or {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, config=config, **given)

    @cached_property
    def key_policies(self) -> dict[str, Policy]:
        """Key policies by logical id."""
        kms = self.client("kms")
        return {
            name: json.loads(kms.get_key_policy(KeyId=self.ids[name], PolicyName="default")["Policy"])
            for name in KEYS
        }

    @cached_property
    def bucket_policies(self) -> dict[str, Policy]:
        """Bucket policies by bucket."""
        s3 = self.client("s3")
        return {name: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) for name in (RECORDS, WORK)}

    @cached_property
    def role_policies(self) -> dict[str, list[Policy]]:
        """Each role's own policies, by the role's ARN."""
        iam = self.client("iam")
        found = {}
        for role in ROLES:
            name = self.ids[f"{role}Role"]
            names = iam.list_role_policies(RoleName=name)["PolicyNames"]
            told = [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in names]
            # moto tells them as Python would print them.
            found[self.arn_of(role)] = [
                ast.literal_eval(each) if isinstance(each, str) else each for each in told
            ]
        return found

    def arn_of(self, column: str) -> str:
        """The ARN of a column of TABLE."""
        return f"{ACCOUNT}:role/{self.ids[f'{column}Role'] if column in ROLES else 'admin'}"

    def may(self, column: str, action: str, target: str, **changed: str) -> bool:
        """Whether a column of TABLE may do an action on a target of TABLE, with condition keys changed."""
        place, _, how = target.partition(", ")
        principal = self.arn_of(column)
        identity = self.role_policies.get(principal, [EVERYTHING])
        if action.startswith("s3:"):
            bucket, _, folder = place.partition("/")
            name = {"records": RECORDS, "work": WORK}[bucket]
            resource = f"arn:aws:s3:::{name}" + (f"/{folder}/x" if folder not in {"", "store_id"} else "")
            resource += "/store_id" if folder == "store_id" else ""
            keys = OVER_TLS | ({"s3:if-none-match": "*"} if "over" not in how else {})
            policy = self.bucket_policies[name]
        else:
            resource = f"{ACCOUNT}:key/{self.ids[place]}".replace(":iam::", ":kms:us-east-2:")
            keys = {"kms:EncryptionContext:environment": "test" if "another" in how else "prod"}
            keys |= {"kms:ViaService": "s3.us-east-2.amazonaws.com"} if "through" in how else {}
            policy = self.key_policies[place]
        present = {key: value for key, value in (keys | changed).items() if value}
        return allowed(Request(principal, action, resource, present), identity, policy)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    command = [sys.executable, "-m", "ministack"]
    with _deployed(tmp_path_factory.mktemp("ministack"), command, "_ministack/health") as made:
        yield made


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack on a server that judges S3 requests by the policy of the role that makes them."""
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "PORT"]
    with _deployed(tmp_path_factory.mktemp("moto"), command, "moto-api/") as made:
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
def template() -> dict[str, Any]:
    """The template, with the short forms of its functions written out."""
    return dict(cfn_yaml.load(str(TEMPLATE)))


@contextlib.contextmanager
def _deployed(folder: Path, command: Sequence[str], path: str) -> Iterator[Stack]:
    def start(log: Path) -> tuple[subprocess.Popen[bytes], Callable[[], bool], int]:
        (port,) = free_ports(1)
        chosen = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_REGION": REGION}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(port) if word == "PORT" else word for word in command],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=os.environ | chosen,
            )
        return process, lambda: _answers(f"http://127.0.0.1:{port}/{path}"), port

    with started(start, folder, stop_with=signal.SIGKILL) as port:
        made = Stack(f"http://127.0.0.1:{port}")
        _deploy(made)
        yield made


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return False


def _deploy(stack: Stack) -> None:
    cloudformation = stack.client("cloudformation")
    given = {"RecordsBucketName": RECORDS, "WorkBucketName": WORK}
    given |= {f"{role}Principal": f"{ACCOUNT}:role/sign-in-{role.lower()}" for role in ROLES[1:]}
    cloudformation.create_stack(
        StackName="esg",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    for resource in cloudformation.describe_stack_resources(StackName="esg")["StackResources"]:
        if "LogicalResourceId" in resource:  # moto leaves it out for what it does not make
            stack.ids[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]


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


def test_the_server_too_lets_each_role_do_no_more_in_s3_than_its_own_policy_says(judging: Stack) -> None:
    sts = judging.client("sts")
    clients = {}
    for role in ROLES:
        given = sts.assume_role(
            RoleArn=judging.arn_of(role).replace("0" * 12, "123456789012"), RoleSessionName="test"
        )["Credentials"]
        clients[role] = judging.client(
            "s3",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    judging.client("s3").put_object(Bucket=RECORDS, Key="reports/x", Body=b"1")
    judging.client("s3").put_object(Bucket=WORK, Key="parts/x", Body=b"1")
    calls: dict[str, Callable[[Any], object]] = {
        "put records": lambda s3: s3.put_object(Bucket=RECORDS, Key="reports/y", Body=b"1"),
        "get records": lambda s3: s3.get_object(Bucket=RECORDS, Key="reports/x"),
        "put work": lambda s3: s3.put_object(Bucket=WORK, Key="parts/y", Body=b"1"),
        "get work": lambda s3: s3.get_object(Bucket=WORK, Key="parts/x"),
        "delete work": lambda s3: s3.delete_object(Bucket=WORK, Key="parts/y"),
        "delete records": lambda s3: s3.delete_object(Bucket=RECORDS, Key="reports/x"),
    }
    expected = {
        "Job": {"put records", "get records", "put work", "get work", "delete work"},
        "Auditor": {"get records"},
        "Custodian": {"get records", "put records"},
        "Expiry": {"get records", "delete records"},
    }
    with _rights_are_checked(judging):
        assert {
            role: {name for name, call in calls.items() if _lets(call, clients[role])} for role in ROLES
        } == expected


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


def test_the_document_shows_the_same_table() -> None:
    rows = re.findall(
        r"(?m)^\| `([\w:]+)` \| ([^|]+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$",
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
