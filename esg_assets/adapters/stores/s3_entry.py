"""How a bucket of S3 is entered: obstore to read with little CPU, boto3 to write with every header.

obstore can send neither a retention nor a condition with an upload in parts, and lists no open
uploads; boto3 takes ten times the CPU for a small read. Both get the same variables.
"""

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obstore.store import S3Store

from esg_assets.adapters.bucket_transport import CONNECT_SECONDS, S3_VARIABLES, client_options, plain_endpoint
from esg_assets.settings.tls_key_log import keys_unwritten

if TYPE_CHECKING:  # these types exist in obstore's stubs only
    from obstore.store import RetryConfig

_ANSWER_SECONDS = 60
_TRIES = 9
_RETRY: "RetryConfig" = {"max_retries": _TRIES - 1, "retry_timeout": timedelta(seconds=90)}


class S3Entry:
    """One bucket with its two clients. Making it touches nothing; boto3 is loaded for the first write.

    Profiles of ~/.aws are for boto3 alone, so credentials come by AWS_* variables or from the machine.
    Plain http is for an endpoint on loopback only.
    """

    def __init__(self, bucket: str, prefix: str, environ: Mapping[str, str]) -> None:
        """
        Args:
            bucket: its name.
            prefix: below which the store's objects are, without "/" at its ends; may be "".
            environ: where the AWS_* variables are looked up.

        Raises:
            SettingsWrong: AWS_ENDPOINT_URL is plain http and leads elsewhere, or AWS_CA_BUNDLE is unreadable.
        """
        self.bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._environ = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        plain_http = plain_endpoint(environ)
        self._endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
        self._lock = threading.Lock()
        self._clients: dict[bool, Any] = {}
        config = {name.lower(): environ[name] for name in S3_VARIABLES if environ.get(name)}
        self.reading = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,  # type: ignore[arg-type]  # a TypedDict, of names known at run time only
            client_options={
                **client_options(plain_http=plain_http, ca_bundle=environ.get("AWS_CA_BUNDLE", "")),
                "timeout": timedelta(seconds=_ANSWER_SECONDS),
            },
            retry_config=_RETRY,
        )

    def full(self, key: str) -> str:
        """The name in the bucket of the store's object `key`."""
        return self._prefix + key

    def own(self, full: str) -> str | None:
        """The store's name of what the bucket calls `full`; None if it lies outside."""
        return full.removeprefix(self._prefix) if full.startswith(self._prefix) else None

    @property
    def writing(self) -> Any:
        """A boto3 client; safe to use from several threads."""
        return self._client(anonymous=False)

    @property
    def anonymous(self) -> Any:
        """A boto3 client without credentials, that asks once: what may anybody do?"""
        return self._client(anonymous=True)

    def _client(self, *, anonymous: bool) -> Any:
        with self._lock:  # boto3's making of clients is not safe from several threads
            if anonymous not in self._clients:
                self._clients[anonymous] = self._made(anonymous=anonymous)
            return self._clients[anonymous]

    def _made(self, *, anonymous: bool) -> Any:
        # Slow to import, and not needed to read.
        import boto3  # noqa: PLC0415
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        given = self._environ.get
        options: dict[str, Any] = {"signature_version": UNSIGNED} if anonymous else {}
        if self._endpoint and given("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "") != "true":
            options["s3"] = {"addressing_style": "path"}
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1 if anonymous else _TRIES},
            request_checksum_calculation="when_required",  # ours are given with each request
            response_checksum_validation="when_required",
            user_agent_appid="esg_assets",
            proxies={},  # those of the environment are not asked
            ignore_configured_endpoint_urls=True,  # one in ~/.aws/config would be for boto3 alone, and unseen
            **options,
        )
        with keys_unwritten():
            return boto3.session.Session().client(
                "s3",
                endpoint_url=self._endpoint or None,
                aws_access_key_id=given("AWS_ACCESS_KEY_ID") or None,
                aws_secret_access_key=given("AWS_SECRET_ACCESS_KEY") or None,
                aws_session_token=given("AWS_SESSION_TOKEN") or None,
                region_name=given("AWS_REGION") or given("AWS_DEFAULT_REGION") or "us-east-1",
                verify=given("AWS_CA_BUNDLE") or True,  # left out, REQUESTS_CA_BUNDLE would count
                config=config,
            )
