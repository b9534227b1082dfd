"""Whether a database URL leads to PostgreSQL by verified TLS; what ESG_ENV=prod wants of it.

libpq verifies nothing unless it is told to (its default, sslmode=prefer, even goes on without TLS).
"""

from collections.abc import Mapping, Sequence

_DRIVERS = frozenset({"", "psycopg", "psycopg2"})
"""Those that hand the URL's options to libpq; others take TLS settings that no URL can hold."""

_GOOD_VERSIONS = frozenset({"TLSv1.2", "TLSv1.3"})


def unverified_postgresql(text: str) -> str:
    """What is wanted of this URL so that PostgreSQL is reached by verified TLS; "" if nothing is.

    A socket of this machine (`host=/folder`) is as good. A URL of another database is none of this
    module's business.
    """
    if not text.lower().startswith("postgres"):
        return ""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - slow to import, and only prod asks
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return "a URL that can be read"
    if url.drivername.partition("+")[2] not in _DRIVERS:
        return "postgresql+psycopg://, whose TLS the URL can set"
    query = url.normalized_query
    if not set(query.get("ssl_min_protocol_version", ())) <= _GOOD_VERSIONS:
        return "ssl_min_protocol_version=TLSv1.2 or TLSv1.3, or none"
    if _is_socket(url.host, query) or tuple(query.get("sslmode", ())) == ("verify-full",):
        return ""
    return (
        "sslmode=verify-full in it, once (with sslrootcert=FILE for a firm's own authority), or a socket of"
        " this machine (host=/folder)"
    )


def _is_socket(host: str | None, query: Mapping[str, Sequence[str]]) -> bool:
    # A service or an address leads elsewhere whatever the host is.
    if "service" in query or "hostaddr" in query:
        return False
    named = [*([host] if host else []), *query.get("host", ())]
    hosts = [one for name in named for one in name.split(",")]
    return bool(hosts) and all(one.startswith("/") for one in hosts)
