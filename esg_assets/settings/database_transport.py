"""Whether a database URL leads to PostgreSQL by verified TLS, and nowhere else; what prod wants of it.

libpq verifies nothing unless it is told to (its default, sslmode=prefer, even goes on without TLS), and
takes from its own variables whatever the URL does not say.
"""

from collections.abc import Mapping, Sequence

from esg_assets.core.endpoints import is_loopback

_DRIVERS = frozenset({"", "psycopg", "psycopg2"})
"""Those that hand the URL's options to libpq; others take TLS settings that no URL can hold."""

_GOOD_VERSIONS = frozenset({"TLSv1.2", "TLSv1.3"})


LIBPQ_VARIABLES: Mapping[str, str] = {
    "PGSERVICE": "service",
    "PGUSER": "user",
    "PGCHANNELBINDING": "channel_binding",
    "PGDATABASE": "dbname",
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGOPTIONS": "options",
    "PGSSLMODE": "sslmode",
    "PGSSLNEGOTIATION": "sslnegotiation",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
    "PGSSLCERTMODE": "sslcertmode",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCRL": "sslcrl",
    "PGSSLCRLDIR": "sslcrldir",
    "PGSSLSNI": "sslsni",
    "PGGSSENCMODE": "gssencmode",
}
"""Variables that change where libpq connects, as whom, or what it verifies, and the options they stand for.

Not here: those of passwords (shown to a verified server alone) and those that only want more of a server."""


def libpq_variables(text: str, environ: Mapping[str, str]) -> list[str]:
    """The variables of LIBPQ_VARIABLES that would change a connection to this URL, by name.

    [] where it leads to no PostgreSQL, or is no URL (that is told elsewhere).
    """
    present = [name for name in LIBPQ_VARIABLES if environ.get(name)]
    if not present or not text.lower().startswith("postgres"):
        return []
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - slow to import, and only a set variable asks
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return []
    hosts = [*([url.host] if url.host else []), *url.normalized_query.get("host", ())]
    told = set(url.normalized_query)
    told |= {"host"} if hosts else set()
    told |= {"user"} if url.username else set()
    told |= {"dbname"} if url.database else set()
    told |= {"port"} if url.port or any(":" in host for host in hosts) else set()
    return [name for name in present if LIBPQ_VARIABLES[name] not in told]


def leads_away(text: str, environ: Mapping[str, str]) -> str:
    """The variable of libpq that leads a URL of this machine to another one, "" if none does."""
    effective = libpq_variables(text, environ)
    if "PGHOSTADDR" in effective and not all(map(is_loopback, environ["PGHOSTADDR"].split(","))):
        return "PGHOSTADDR"
    return "PGSERVICE" if "PGSERVICE" in effective else ""


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
    return _wanted_options(url.host, url.normalized_query)


def _wanted_options(host: str | None, query: Mapping[str, Sequence[str]]) -> str:
    if not set(query.get("ssl_min_protocol_version", ())) <= _GOOD_VERSIONS:
        return "ssl_min_protocol_version=TLSv1.2 or TLSv1.3, or none"
    if "sslkeylogfile" in query:
        return "no sslkeylogfile, which writes down what opens the connection"
    if not set(query.get("gssencmode", ())) <= {"disable"}:
        return "no gssencmode but disable: TLS would not be used"
    if _is_socket(host, query) or tuple(query.get("sslmode", ())) == ("verify-full",):
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
