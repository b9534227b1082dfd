"""Settings that are URLs, and other secrets that end in a request: their types and what is accepted.

Each check raises ValueError with what is wanted, never with what it got. How URLs are shown lives in
`esg_assets.settings.masking`.
"""

import re
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, SecretStr

from esg_assets.core.endpoints import is_loopback
from esg_assets.core.otlp_headers import headers_of
from esg_assets.settings.masking import SecretUrl, SecretWebhook


def split_url(text: str) -> SplitResult:
    """`text` parsed; ValueError for one that parsers may understand differently."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise ValueError("a URL without spaces, backslashes and control characters")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - the property is what parses the port
    except ValueError:
        raise ValueError("a URL") from None
    return parts


def _http(text: str, *, plain: Literal["loopback", "anywhere"]) -> str:
    parts = split_url(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an https:// URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL without user and password; credentials have settings of their own")
    if parts.scheme == "http" and plain == "loopback" and not is_loopback(parts.hostname):
        raise ValueError("https; plain http is accepted on loopback only")
    return text


def _endpoint(text: str) -> str:
    url = _http(text, plain="loopback")
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("a URL without query and fragment")
    return url.rstrip("/")


def _link(text: str) -> str:
    return _http(text, plain="anywhere").rstrip("/")


def _telemetry(text: str) -> str:
    return _http(text, plain="anywhere")


def _webhook(value: SecretStr) -> SecretStr:
    _http(value.get_secret_value(), plain="loopback")
    return value


def _push_url(value: SecretStr) -> SecretStr:
    parts = split_url(value.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http:// or https:// URL")
    return value


def _proxy(value: SecretStr) -> SecretStr:
    parts = split_url(value.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("http://HOST:PORT or https://HOST:PORT, with user:password@ where needed")
    return value


def source_kind(url: str) -> Literal["http", "sql", "file"]:
    """Which account source a URL picks; ValueError if none."""
    scheme, separator, _ = url.partition("://")
    wanted = (
        "https://…, an SQLAlchemy URL such as postgresql+psycopg://… or sqlite:///…, or a path, s3:// or "
        "gs:// URL that ends in .csv or .parquet"
    )
    if separator and scheme in {"http", "https"}:
        return "http"
    if not separator or scheme in {"s3", "gs"}:
        if url.lower().endswith((".csv", ".parquet")):
            return "file"
        raise ValueError(wanted)
    if scheme == "file" or not re.fullmatch(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?", scheme):
        raise ValueError(wanted)
    return "sql"


def _accounts_url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if source_kind(text) != "http":
        return value
    return SecretUrl(_endpoint(text))


def _store_url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    scheme, separator, rest = text.partition("://")
    if not separator:
        return value
    if scheme not in {"s3", "gs"} or not re.fullmatch(r"[A-Za-z0-9._\-]+(/[A-Za-z0-9._=/\-]*)?", rest):
        raise ValueError(
            "a folder, s3://bucket/prefix or gs://bucket/prefix, without user, password and query"
        )
    return SecretUrl(text.rstrip("/"))


def _database_url(value: SecretStr) -> SecretStr:
    if not re.match(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?://", value.get_secret_value()):
        raise ValueError("an SQLAlchemy URL such as postgresql+psycopg://… or sqlite:///…")
    return value


def _smtp_url(value: SecretStr) -> SecretStr:
    parts = split_url(value.get_secret_value())
    # An option that nothing reads might be meant to switch verification off, or on.
    options = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname or options:
        raise ValueError("smtp://, smtp+starttls:// or smtps://user:password@host:port")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("both user and password in it, or none")
    if parts.scheme == "smtp" and parts.username is not None and not is_loopback(parts.hostname):
        raise ValueError(
            "smtp+starttls:// or smtps:// for a login; plain, the password can be read on the way"
        )
    return value


def _otlp_headers(value: SecretStr) -> SecretStr:
    headers_of(value.get_secret_value())
    return value


def _one_line(value: SecretStr) -> SecretStr:
    # A line break would end up in a header field, and the refusal of that would quote the secret.
    if re.search(r"[\x00-\x1f\x7f]", value.get_secret_value()):
        raise ValueError("one line without control characters")
    return value


Endpoint = Annotated[str, AfterValidator(_endpoint)]
TelemetryUrl = Annotated[str, AfterValidator(_telemetry)]
Link = Annotated[str, AfterValidator(_link)]
OtlpHeaders = Annotated[SecretStr, AfterValidator(_otlp_headers)]
Token = Annotated[SecretStr, AfterValidator(_one_line)]
AccountsUrl = Annotated[SecretUrl, AfterValidator(_accounts_url)]
ProxyUrl = Annotated[SecretUrl, AfterValidator(_proxy)]
StoreUrl = Annotated[SecretUrl, AfterValidator(_store_url)]
DatabaseUrl = Annotated[SecretUrl, AfterValidator(_database_url)]
SmtpUrl = Annotated[SecretUrl, AfterValidator(_smtp_url)]
PushUrl = Annotated[SecretUrl, AfterValidator(_push_url)]
Webhook = Annotated[SecretWebhook, AfterValidator(_webhook)]
