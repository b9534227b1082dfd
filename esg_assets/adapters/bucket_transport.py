"""How S3 and Google Cloud Storage are connected to over obstore: TLS, proxy, endpoints.

What is kept there lives in `esg_assets.adapters.stores`; a firm's own account file in
`esg_assets.adapters.account_sources.remote_file`.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from esg_assets.core.endpoints import is_loopback
from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:  # exists in obstore's stubs only
    from obstore.store import ClientConfig

ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
"""All that lead obstore to another S3; it reads those of the process whatever it is given."""

S3_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)
"""The standard variables that say how S3 is reached, and as whom."""

CONNECT_SECONDS = 5


def plain_endpoint(environ: Mapping[str, str]) -> bool:
    """Whether S3 is asked over plain http, on this machine.

    Raises:
        SettingsWrong: an endpoint is plain http and leads to another machine.
    """
    plain = False
    for name in ENDPOINT_VARIABLES:
        for url in (environ.get(name, ""), os.environ.get(name, "")):
            if not url.lower().startswith("http://"):
                continue
            if not _leads_here(url):
                raise SettingsWrong(
                    f"{name} is plain http and leads to another machine: objects and credentials would "
                    "be readable on the way. Wanted: https."
                )
            plain = True
    return plain


def client_options(*, plain_http: bool, ca_bundle: str = "") -> "ClientConfig":
    """Options of an obstore client: TLS 1.2 or later and verified, straight to the store.

    The proxies of the environment are not read. A redirect is followed without credentials, and never from
    https to plain http.

    Args:
        plain_http: see `plain_endpoint`.
        ca_bundle: AWS_CA_BUNDLE, a PEM file of authorities that are trusted besides the machine's.

    Raises:
        SettingsWrong: the file cannot be read.
    """
    options: ClientConfig = {
        "allow_http": plain_http,
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "user_agent": "esg_assets",
        # Any proxy of its own keeps the client from the environment's; no host is asked through it.
        "proxy_url": "http://127.0.0.1:9",
        "proxy_excludes": "*,0.0.0.0/0,::/0",
    }
    if ca_bundle:
        try:
            options["root_certificate"] = Path(ca_bundle).read_bytes()
        except OSError as error:
            raise SettingsWrong(
                f"AWS_CA_BUNDLE names a file that cannot be read ({error.strerror}). Wanted: a PEM file."
            ) from None
    return options


def _leads_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return "@" not in parts.netloc and is_loopback(parts.hostname)
    except ValueError:
        return False
