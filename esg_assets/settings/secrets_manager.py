"""Secrets kept in AWS Secrets Manager: `aws-secretsmanager://NAME#FIELD`.

Region, endpoint and credentials come from the standard AWS variables and files, as for every other
AWS client. boto3 is imported only when a setting names such a secret.
"""

import json
from typing import Any

SCHEME = "aws-secretsmanager://"


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
        import boto3  # noqa: PLC0415 - slow, and most installations never need it
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            if self._client is None:
                config = Config(
                    connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3}
                )
                self._client = boto3.client("secretsmanager", config=config)
            answer = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise ValueError(f"a secret that this host may read; Secrets Manager answered {code}") from None
        except BotoCoreError as error:
            raise ValueError(
                f"a secret that can be reached ({type(error).__name__}); check AWS_REGION, AWS_ENDPOINT_URL"
                " and the credentials"
            ) from None
        text = answer.get("SecretString")
        if not isinstance(text, str) or not text:
            raise ValueError("a secret that holds text")
        return text
