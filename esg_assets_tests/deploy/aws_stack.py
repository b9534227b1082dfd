"""deploy/aws/esg_assets.yaml deployed on a server that stands for AWS, and what its policies decide."""

import ast
import contextlib
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from esg_assets_tests.deploy.access_table import ROLES
from esg_assets_tests.deploy.policies import Policy, Request, allowed
from esg_assets_tests.servers import free_ports, started

TEMPLATE = Path(__file__).parents[2] / "deploy" / "aws" / "esg_assets.yaml"
RECORDS, WORK = "example-esg-records", "example-esg-work"
REGION = "us-east-2"
_KEYS = ("ReportKey", "WorkingKey", "SigningKey", "CustodianSigningKey", "ExpirySigningKey", "StorageKey")
_ACCOUNT = "arn:aws:iam::000000000000"
# An administrator of the account has every right in IAM.
_EVERYTHING: Policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_OVER_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


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
            for name in _KEYS
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
        return f"{_ACCOUNT}:role/{self.ids[f'{column}Role'] if column in ROLES else 'admin'}"

    def may(self, column: str, action: str, target: str, **changed: str) -> bool:
        """Whether a column of TABLE may do an action on a target of TABLE, with condition keys changed."""
        place, _, how = target.partition(", ")
        principal = self.arn_of(column)
        identity = self.role_policies.get(principal, [_EVERYTHING])
        if action.startswith("s3:"):
            bucket, _, folder = place.partition("/")
            name = {"records": RECORDS, "work": WORK}[bucket]
            resource = f"arn:aws:s3:::{name}" + (f"/{folder}/x" if folder not in {"", "store_id"} else "")
            resource += "/store_id" if folder == "store_id" else ""
            keys = _OVER_TLS | ({"s3:if-none-match": "*"} if "over" not in how else {})
            policy = self.bucket_policies[name]
        else:
            resource = f"{_ACCOUNT}:key/{self.ids[place]}".replace(":iam::", ":kms:us-east-2:")
            keys = {"kms:EncryptionContext:environment": "test" if "another" in how else "prod"}
            keys |= {"kms:ViaService": "s3.us-east-2.amazonaws.com"} if "through" in how else {}
            policy = self.key_policies[place]
        present = {key: value for key, value in (keys | changed).items() if value}
        return allowed(Request(principal, action, resource, present), identity, policy)


@contextlib.contextmanager
def deployed(folder: Path, command: Sequence[str], path: str) -> Iterator[Stack]:
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
    given |= {f"{role}Principal": f"{_ACCOUNT}:role/sign-in-{role.lower()}" for role in ROLES[1:]}
    cloudformation.create_stack(
        StackName="esg",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    for resource in cloudformation.describe_stack_resources(StackName="esg")["StackResources"]:
        if "LogicalResourceId" in resource:  # moto leaves it out for what it does not make
            stack.ids[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
