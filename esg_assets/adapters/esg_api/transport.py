"""How the provider is connected to: TLS, certificates, proxy and limits of the HTTP client.

What is asked, and what becomes of the answer, lives in `esg_assets.adapters.esg_api.client`.
"""

import re
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.proxy import ProxyBuilder

from esg_assets.adapters.verified_tls import client_context
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ports import CallPolicy

IDLE_CONNECTION_SECONDS = 30
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----")


def build_client(
    policy: CallPolicy,
    *,
    user_agent: str,
    ca_bundle: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    proxy: str,
) -> SyncClient:
    """A client for many threads, with nothing taken from the environment's proxy variables.

    HTTP/1.1, TLS 1.2 or later, no redirects, the policy's timeout over each whole call. Of the
    compressions only gzip and deflate are offered: a hostile zstd or brotli answer may ask for
    windows of 128 and 16 MiB, on every connection.

    Raises:
        SettingsWrong: a PEM file or the proxy's URL cannot be used.
    """
    builder = (
        SyncClientBuilder()
        .user_agent(user_agent)
        .follow_redirects(enable=False)
        .timeout(timedelta(seconds=policy.timeout_seconds))
        .pool_max_idle_per_host(policy.concurrency)
        .pool_idle_timeout(timedelta(seconds=IDLE_CONNECTION_SECONDS))
        .min_tls_version("TLSv1.2")
        .brotli(enable=False)
        .zstd(enable=False)
        .referer(enable=False)
    )
    builder = builder.proxy(_proxy(proxy)) if proxy else builder.no_proxy()
    if ca_bundle is not None:
        builder = _with_authorities(builder, ca_bundle)
    if client_cert is not None:
        builder = _with_identity(builder, client_cert, client_key)
    try:
        return builder.build()
    except (PyreqwestError, ValueError):
        if ca_bundle is not None:
            raise SettingsWrong("ESG_API_CA_BUNDLE holds a certificate that cannot be read.") from None
        raise SettingsWrong(
            "This machine has no list of certificate authorities: install its ca-certificates package, or "
            "name a PEM file in ESG_API_CA_BUNDLE."
        ) from None


def _with_authorities(builder: SyncClientBuilder, path: Path) -> SyncClientBuilder:
    pem = _read(path, "ESG_API_CA_BUNDLE")
    if not CERTIFICATE.search(pem):  # the library would take it, and trust nobody more
        raise SettingsWrong("ESG_API_CA_BUNDLE must be a PEM file; the one named holds no certificate.")
    try:
        return builder.add_root_certificate_pem(pem)
    except (PyreqwestError, ValueError):
        raise SettingsWrong("ESG_API_CA_BUNDLE holds a certificate that cannot be read.") from None


def _with_identity(builder: SyncClientBuilder, cert: Path, key: Path | None) -> SyncClientBuilder:
    pem = _read(cert, "ESG_API_CLIENT_CERT")
    if key is not None:
        pem += b"\n" + _read(key, "ESG_API_CLIENT_CERT_KEY")
    client_context("ESG_API", None, cert, key)  # the library takes a key of another certificate unseen
    try:
        return builder.identity_pem(pem)
    except (PyreqwestError, ValueError):
        raise SettingsWrong(
            "ESG_API_CLIENT_CERT and ESG_API_CLIENT_CERT_KEY must be PEM files that hold a certificate "
            "and its unencrypted private key."
        ) from None


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsWrong(f"The file that {setting} names cannot be read ({error.strerror}).") from None


def _proxy(url: str) -> ProxyBuilder:
    # Another scheme would be ignored without a word, and calls would go out directly.
    if not url.startswith(("http://", "https://")):
        raise SettingsWrong("ESG_API_PROXY must be an http:// or https:// URL.")
    try:
        return ProxyBuilder.all(url)
    except (PyreqwestError, ValueError):
        raise SettingsWrong("ESG_API_PROXY is not a URL.") from None
