"""TLS of our clients over requests: verified, 1.2 or later, and nothing taken from the environment.

Which URL may be asked is judged in `esg_assets.core.endpoints`; what is asked, in the adapters that use
this. The ESG API's client has its own (`esg_assets.adapters.esg_api.transport`), as it is no requests.
"""

import ssl
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from esg_assets.core.errors import SettingsWrong


def client_context(
    settings: str, ca: Path | None = None, cert: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """A context that checks certificate and host name, and speaks TLS 1.2 or later.

    It trusts the machine's authorities (those of SSL_CERT_FILE and SSL_CERT_DIR, where they are set) and
    those in `ca`. SSLKEYLOGFILE is not read.

    Args:
        settings: prefix of the settings that messages name, such as ESG_API.
        ca: PEM file of authorities that are trusted besides.
        cert: PEM file of a client certificate.
        key: its private key; may also stand in `cert`.

    Raises:
        SettingsWrong: a file cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # create_default_context would read SSLKEYLOGFILE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    try:
        if ca is not None:
            context.load_verify_locations(ca)
    except (OSError, ValueError):
        raise SettingsWrong(f"{settings}_CA_BUNDLE must be a readable PEM file with certificates.") from None
    try:
        if cert is not None:
            # With a callback for the password an encrypted key is refused; without, a terminal is asked.
            context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError):
        raise SettingsWrong(
            f"{settings}_CLIENT_CERT and {settings}_CLIENT_CERT_KEY must be readable PEM files: a "
            "certificate and its unencrypted private key."
        ) from None
    return context


class _TlsAdapter(HTTPAdapter):
    """Connections under a TLS context of our own, to a proxy and through it too."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """What requests calls for direct connections."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """What requests calls for connections through `proxy`."""
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        return super().proxy_manager_for(proxy, **contexts, **options)


class _Session(requests.Session):
    """A session that follows no redirect, nor reads the body of one to find out where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


def verified_session(context: ssl.SSLContext, proxy: str = "") -> requests.Session:
    """A session of requests with `context` under https, and no other way to make a connection.

    Proxies, .netrc, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE of the environment are not read. Redirects are
    not followed. Close it after use.

    Args:
        context: see `client_context`.
        proxy: URL, "" for direct connections.
    """
    session = _Session()
    seal_off(session, context)
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    return session


def seal_off(session: requests.Session, context: ssl.SSLContext) -> None:
    """Make a session that a library has built like one of `verified_session`; redirects are errors in it."""
    session.trust_env = False
    session.max_redirects = 0
    session.mount("https://", _TlsAdapter(context))
