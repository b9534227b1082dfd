"""Every client of ours that speaks TLS: a function each that asks a server for one thing."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError

from esg_assets.adapters.account_sources import HttpAccountSource, PagePolicy, Transport, remote_file
from esg_assets.adapters.authorization import Bearer, TokenEndpoint
from esg_assets.adapters.keys.kms import KmsKey
from esg_assets.adapters.stores import open_store, s3_entry
from esg_assets.core.errors import StoreUnavailable
from esg_assets.settings import secrets_manager
from esg_assets_tests.adapters.esg_api_calls import client
from esg_assets_tests.raw_server import answer

DAY = date(2026, 1, 14)
SECRET = "s3cr3t-w0rd"
ANSWER = answer(
    200,
    b'{"accounts": [], "next_cursor": null, "access_token": "t", "token_type": "Bearer", "expires_in": 60,'
    b' "SecretString": "text"}',
    etag='"1"',
    last_modified="Tue, 21 Oct 2025 07:28:00 GMT",
)
"""Means something good to every client."""

Files = Mapping[str, Path | None]
"""`ca`, `cert` and `key`: what the client is given."""


def ask_esg_api(url: str, files: Files) -> bool:
    options = {"ca_bundle": files["ca"], "client_cert": files["cert"], "client_key": files["key"]}
    with client(url, Bearer(SECRET), **options) as api:
        return api.ask("A", DAY).status == 200


def ask_account_system(url: str, files: Files) -> bool:
    cert = (str(files["cert"]), str(files["key"])) if files["cert"] else None
    transport = Transport(str(files["ca"]) if files["ca"] else None, cert)
    source = HttpAccountSource(url, Bearer(SECRET), transport, PagePolicy(max_attempts=1))
    return list(source.read(DAY)) == []


def ask_token_endpoint(url: str, files: Files) -> bool:
    endpoint = TokenEndpoint(
        url,
        "id",
        SECRET,
        ca_bundle=files["ca"],
        client_cert=files["cert"],
        client_key=files["key"],
        attempts=1,
    )
    try:
        return endpoint.fetch().access_token == "t"
    finally:
        endpoint.close()


def ask_account_file(url: str, files: Files) -> bool:
    file = remote_file.RemoteFile("s3://bucket/accounts.csv", _aws(url, files))
    try:
        return file.whole().read() != b""
    except BaseError as error:  # as the source does that reads it
        raise remote_file.translated(error, "Testing") from None


def read_records_in_s3(url: str, files: Files) -> bool:
    return open_store("s3://bucket/records", _aws(url, files)).read("chain/1") != b""


def add_records_in_s3(url: str, files: Files) -> bool:
    # The client that writes; a GET, since this server knows no "Expect: 100-continue".
    writing = s3_entry.S3Entry("bucket", "records", _aws(url, files)).writing
    try:
        return bool(writing.get_object(Bucket="bucket", Key="records/chain/1"))
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailable(type(error).__name__) from None


def read_records_at_google(url: str, files: Files) -> bool:
    # Google's certificates are the world's: a firm's own authority has no setting here.
    trusted = {"SSL_CERT_FILE": str(files["ca"])} if files["ca"] else {}
    with _environment(trusted):
        return open_store("gs://bucket/records", {"STORAGE_EMULATOR_HOST": url}).read("chain/1") != b""


def ask_secrets_manager(url: str, files: Files) -> bool:
    with _environment(_aws(url, files)):
        return secrets_manager.SecretsManager().value("aws-secretsmanager://name") == "text"


def ask_kms(url: str, files: Files) -> bool:
    with _environment({**_aws(url, files), "AWS_MAX_ATTEMPTS": "1"}):
        key = KmsKey("arn:aws:kms:us-east-2:123456789012:key/1", "ESG_WORKING_KEY", "prod")
        return isinstance(key.call("describe_key", "to test"), dict)


def _aws(url: str, files: Files) -> dict[str, str]:
    found = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "access",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-2",
        "AWS_DEFAULT_REGION": "us-east-2",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return found | ({"AWS_CA_BUNDLE": str(files["ca"])} if files["ca"] else {})


class _environment:  # noqa: N801  # used as a function
    """The process's environment with `more` in it, for the length of a block."""

    def __init__(self, more: Mapping[str, str]) -> None:
        self._more, self._patch = more, pytest.MonkeyPatch()

    def __enter__(self) -> None:
        for name, value in self._more.items():
            self._patch.setenv(name, value)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


CLIENTS: Mapping[str, Callable[[str, Files], bool]] = {
    "ESG API": ask_esg_api,
    "account system": ask_account_system,
    "token endpoint": ask_token_endpoint,
    "account file in S3": ask_account_file,
    "records in S3, reading": read_records_in_s3,
    "records in S3, writing": add_records_in_s3,
    "records at Google": read_records_at_google,
    "Secrets Manager": ask_secrets_manager,
    "KMS": ask_kms,
}
SHOW_CERTIFICATES = ("ESG API", "account system", "token endpoint")
"""The clients that can show a certificate of their own."""
