"""Keys in AWS KMS: the client of one key, and what its refusals mean (`KmsKey`).

A symmetric key is named by the SHA-256 of its ARN, since nothing of the key itself can be seen; a
signing key by its public half, as every other. Messages tell region and key id, never the account.
boto3 is imported when the first call is made.
"""

import hashlib
import os
import re
import threading
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from esg_assets.adapters.keys.kms_refusals import Asked, refusal
from esg_assets.core.endpoints import is_loopback
from esg_assets.core.errors import EsgError, SettingsWrong
from esg_assets.settings.tls_key_log import keys_unwritten

_ARN = re.compile(r"arn:[A-Za-z0-9-]+:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/(?P<id>[A-Za-z0-9-]+)")
_CONNECT_SECONDS = 5
_READ_SECONDS = 10


class KmsKey:
    """One KMS key, in the region that its ARN names; the AWS settings of the process say how to get there.

    Args:
        arn: of the key itself, not of an alias (an alias can be led to another key unseen).
        setting: what named it, such as ESG_WORKING_KEY: for messages.
        environment: ESG_ENV; `prod` speaks to https endpoints alone, the others to plain ones on loopback.

    Raises:
        SettingsWrong: this is no key's ARN.
    """

    def __init__(self, arn: str, setting: str, environment: str) -> None:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise SettingsWrong(
                f"{setting} names no key in AWS KMS; wanted is aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID, "
                "not an alias, which can be led to another key unseen."
            )
        self.arn = arn
        self.name = hashlib.sha256(arn.encode("ascii")).hexdigest()
        """SHA-256 of the ARN, 64 hex digits: its fingerprint as a recipient and as a working key."""
        self._asked = Asked(setting, key=found["id"], region=found["region"])
        self._environment = environment
        self._last = threading.local()

    @cached_property
    def client(self) -> Any:
        """The boto3 client for this key. Raises SettingsWrong for an endpoint that is not safe."""
        import boto3  # noqa: PLC0415 - slow to import, and hosts with key files never need it
        from botocore.config import Config  # noqa: PLC0415 - as above
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard"},
            proxies={},  # none of the environment either
        )
        verify = os.environ.get("AWS_CA_BUNDLE") or True  # left out, REQUESTS_CA_BUNDLE would count
        try:
            with keys_unwritten():
                client = boto3.session.Session().client(
                    "kms", region_name=self._asked.region, verify=verify, config=config
                )
        except (BotoCoreError, ValueError) as error:
            raise refusal(self._asked, "find its endpoint", type(error).__name__) or _unknown() from None
        self._endpoint_is_safe(str(client.meta.endpoint_url))
        # The encryption library hides what KMS said behind errors of its own, so it is noted on the way.
        client.meta.events.register("after-call.kms", self._note_answer)
        client.meta.events.register("after-call-error.kms", self._note_error)
        return client

    def call(self, operation: str, doing: str, **parameters: object) -> dict[str, Any]:
        """Ask KMS about this key.

        Args:
            operation: method of the client, such as `get_public_key`.
            doing: what for, as in "to sign a publication".
            parameters: further ones; the key is added.

        Raises:
            SettingsWrong: there is no such key, or it is of another kind.
            Refused: it is disabled, or waits for its deletion.
            AccessDenied: this role may not do that.
            KeysUnavailable: KMS does not answer, or is too busy.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow to import

        try:
            answer: dict[str, Any] = getattr(self.client, operation)(KeyId=self.arn, **parameters)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
        except BotoCoreError as error:
            code = type(error).__name__
        else:
            return answer
        raise refusal(self._asked, doing, code) or self.wrong(f"what KMS was given is not its own ({code})")

    def take_failure(self) -> EsgError | None:
        """Why this thread's last call for the encryption library failed; None if none did. Forgets it."""
        operation, code = getattr(self._last, "failure", ("", ""))
        self._last.failure = ("", "")
        return refusal(self._asked, f"to seal or open (kms:{operation})", code) if code else None

    def wrong(self, what: str) -> SettingsWrong:
        """The error to raise for a key that is not what is wanted of it."""
        return SettingsWrong(f"{self._asked}: {what}.")

    def _endpoint_is_safe(self, endpoint: str) -> None:
        url = urlsplit(endpoint)
        plain_is_fine = self._environment != "prod" and is_loopback(url.hostname)
        if url.scheme != "https" and not plain_is_fine:
            raise SettingsWrong(
                f"{self._asked}: AWS_ENDPOINT_URL_KMS (or AWS_ENDPOINT_URL, or endpoint_url in the AWS "
                "configuration) leads to KMS without TLS; wanted is https, or no endpoint of one's own."
            )

    def _note_answer(self, event_name: str, parsed: dict[str, Any], **_: object) -> None:
        self._note(event_name, str(parsed.get("Error", {}).get("Code", "")))

    def _note_error(self, event_name: str, exception: Exception, **_: object) -> None:
        self._note(event_name, type(exception).__name__)

    def _note(self, event_name: str, code: str) -> None:
        self._last.failure = (event_name.rpartition(".")[2], code)


def _unknown() -> SettingsWrong:
    return SettingsWrong("The AWS configuration of this process is not usable.")
