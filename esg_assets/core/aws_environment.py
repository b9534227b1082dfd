"""The standard AWS_* variables: which of them say how S3 is entered, and where its endpoint may be.

For everything of ours that enters S3. Values come as a mapping; nothing is looked up here.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from esg_assets.core.endpoints import is_loopback
from esg_assets.core.errors import SettingsWrong

ENTRY_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def entry(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` says how S3 is entered, under the names in lower case."""
    return {name.lower(): environ[name] for name in ENTRY_VARIABLES if environ.get(name)}


def endpoint(environ: Mapping[str, str]) -> str:
    """The endpoint of S3, "" for Amazon's own.

    Raises:
        SettingsWrong: one is plain http and leads to another machine.
    """
    for name in _ENDPOINTS:
        parts = urlsplit(environ.get(name, ""))
        if parts.scheme.lower() == "http" and not is_loopback(parts.hostname):
            raise SettingsWrong(
                f"{name} is plain http and leads to another machine: objects and credentials would be "
                "readable on the way. Use https."
            )
    return next((environ[name] for name in _ENDPOINTS if environ.get(name)), "")
