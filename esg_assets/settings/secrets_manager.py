"""Secrets kept in AWS Secrets Manager: `aws-secretsmanager://NAME#FIELD`.

Region, endpoint and credentials come from the standard AWS variables and files, as for every other
AWS client; AWS_CA_BUNDLE names a firm's own authority. Proxies of the environment are not read.
dagster-aws is imported only when a setting names such a secret.
"""

import json
import os
from typing import Any
from urllib.parse import urlsplit

from esg_assets.core.endpoints import is_loopback
from esg_assets.settings.tls_key_log import keys_unwritten

SCHEME = "aws-secretsmanager://"
_TRIES = 3
_SECONDS = (5, 10)
"""To connect, and between two pieces of an answer."""


class SecretsManager:
    """Reads each secret once; make one for each load."""

    def __init__(self) -> None:
        self._client: Any = None
        self._read: dict[str, str] = {}

    def value(self, reference: str) -> str:
        """The text that `reference` stands for; without #FIELD the whole secret.

        Raises:
            ValueError: what went wrong, without any of the secret.
        """
        name, _, field = reference.removeprefix(SCHEME).partition("#")
        if not name:
            raise ValueError(f"{SCHEME}NAME#FIELD")
        if name not in self._read:
            self._read[name] = self._fetch(name)
        text = self._read[name]
        if not field:
            return text
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            values = {}  # no JSON object has no fields
        value = values.get(field)
        if not isinstance(value, str) or not value:
            raise ValueError(f"a secret that is a JSON object with a text in its field {field}")
        return value

    def _fetch(self, name: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow, and rarely needed

        try:
            if self._client is None:
                self._client = _client()
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise ValueError(f"a secret that this host may read; Secrets Manager answered {code}") from None
        except (BotoCoreError, OSError) as error:
            raise ValueError(
                f"a secret that can be reached ({type(error).__name__}); check AWS_REGION, AWS_ENDPOINT_URL,"
                " AWS_CA_BUNDLE and the credentials"
            ) from None
        text = answer.get("SecretString")
        if not isinstance(text, str) or not text:
            raise ValueError("a secret that holds text")
        return text


def _client() -> Any:
    """dagster-aws's client, on a transport of our own: https straight to the service, or plain on loopback.

    Left alone it would take the proxies and REQUESTS_CA_BUNDLE of the environment, and speak plain http to
    any AWS_ENDPOINT_URL.
    """
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - slow, and rarely needed
    from dagster_aws.secretsmanager.secrets import construct_secretsmanager_client  # noqa: PLC0415 - as above

    with keys_unwritten():
        client = construct_secretsmanager_client(max_attempts=_TRIES)
    url = urlsplit(str(client.meta.endpoint_url))
    if url.scheme != "https" and not is_loopback(url.hostname):
        raise ValueError("AWS_ENDPOINT_URL to lead to Secrets Manager by https; plain http is for loopback")
    # No option of boto3's reaches through dagster-aws; the endpoint's session is all that is exchanged.
    with keys_unwritten():
        client._endpoint.http_session = URLLib3Session(  # noqa: SLF001
            verify=os.environ.get("AWS_CA_BUNDLE") or True, proxies={}, timeout=_SECONDS
        )
    return client
