"""The firm's account system in its several shapes; one URL picks which.

`http`, `sql` and `file` hold the sources. What a list of accounts must be is judged in
`esg_assets.core.account_rows`.
"""

from collections.abc import Callable, Mapping
from datetime import date

from esg_assets.adapters.account_sources.file import SUFFIXES, FileAccountSource
from esg_assets.adapters.account_sources.http import HttpAccountSource
from esg_assets.adapters.account_sources.page_request import PagePolicy, Transport
from esg_assets.adapters.account_sources.remote_file import SCHEMES
from esg_assets.adapters.account_sources.sql import DEFAULT_QUERY, SqlAccountSource, today_in_central_time
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ports import AccountSource, Authorization

__all__ = [
    "FileAccountSource",
    "HttpAccountSource",
    "PagePolicy",
    "SqlAccountSource",
    "Transport",
    "open_account_source",
]


def open_account_source(
    url: str,
    *,
    query: str = DEFAULT_QUERY,
    authorization: Authorization | None = None,
    ca_bundle: str | None = None,
    client_cert: str | tuple[str, str] | None = None,
    proxy: str | None = None,
    storage_options: Mapping[str, str] | None = None,
    policy: PagePolicy | None = None,
    today: Callable[[], date] = today_in_central_time,
) -> AccountSource:
    """The source that ESG_ACCOUNTS_URL names. Nothing is opened or asked yet.

    Args:
        url: `https://…` (plain http on loopback only); a path, `s3://` or `gs://` URL ending in .csv or
            .parquet; or any SQLAlchemy URL.
        query: ESG_ACCOUNTS_QUERY, for SQL.
        authorization: credentials, for HTTP; None sends none.
        ca_bundle: ESG_ACCOUNTS_CA_BUNDLE, for HTTP.
        client_cert: PEM file of certificate and key, or the two files, for HTTP.
        proxy: ESG_API_PROXY, for HTTP.
        storage_options: the AWS_* variables, or all of the environment, for s3:// and gs://.
        policy: bounds, time-outs and retries, for HTTP.
        today: which day `:as_of` is when the accounts of now are asked for, for SQL.

    Raises:
        SettingsWrong: the URL, or what belongs to it, cannot be used.
    """
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("http", "https"):
        return HttpAccountSource(url, authorization, Transport(ca_bundle, client_cert, proxy), policy)
    if scheme in SCHEMES or (not scheme and url.lower().endswith(SUFFIXES)):
        return FileAccountSource(url, storage_options)
    if scheme:
        return SqlAccountSource(url, query, today)
    raise SettingsWrong(
        "ESG_ACCOUNTS_URL names no account source. Wanted: https://…, a SQLAlchemy URL, or a path, s3:// or "
        "gs:// URL that ends in .csv or .parquet."
    )
