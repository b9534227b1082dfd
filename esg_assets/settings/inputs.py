"""Settings of the two systems that are asked: the account system and the ESG API."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from esg_assets.settings.urls import AccountsUrl, Endpoint, ProxyUrl, Token
from esg_assets.settings.values import (
    AccountsMapping,
    Auth,
    Count,
    Days,
    IsoDate,
    Metrics,
    PemFile,
    Positive,
    Text,
    Yaml,
)


def _credential(description: str) -> Any:
    return Field(default=None, description=description)


class AccountSystem(BaseModel):
    """The firm's account system."""

    accounts_url: AccountsUrl | None = Field(
        default=None,
        description="one URL picks the source: `https://…` (base URL; the client adds `/v1/accounts`; plain"
        " http on loopback only); `postgresql+psycopg://…`, `sqlite:///…` or any SQLAlchemy URL; a path or an"
        " `s3://` or `gs://` URL that ends in `.csv` or `.parquet`",
    )
    accounts_query: Text = Field(
        default="SELECT * FROM active_accounts",
        description="SQL that returns the columns; a query with `:as_of` serves past dates, one without"
        " serves today's only",
    )
    accounts_mapping: AccountsMapping | None = Field(
        default=None,
        description="source field → ours, and which status values mean active: a `.yaml` file or inline YAML,"
        " such as `{fields: {acct_no: account_id}, active: [OPEN]}`",
        json_schema_extra={"shown_default": "our names"},
    )
    accounts_auth: Auth = Field(
        default="none",
        description="`oauth2`, `api_key`, `bearer`, `mtls` or `none`: how the HTTP source is signed in to",
    )
    accounts_token: Token | None = _credential("bearer token of the HTTP source")
    accounts_api_key: Token | None = _credential("API key of the HTTP source")
    accounts_token_url: Endpoint | None = _credential("OAuth 2.0 token endpoint of the HTTP source")
    accounts_client_id: Text | None = _credential("OAuth 2.0 client of the HTTP source")
    accounts_client_secret: Token | None = _credential("its secret")
    accounts_ca_bundle: PemFile | None = _credential("PEM file: a firm's own CA for the HTTP source")
    accounts_client_cert: PemFile | None = _credential("PEM file: client certificate for mutual TLS")
    accounts_client_cert_key: PemFile | None = _credential("PEM file: its private key")


class EsgApi(BaseModel):
    """The external ESG Portfolio Analysis API."""

    api_url: Endpoint | None = Field(default=None, description="base URL; plain http only on loopback")
    api_auth: Auth = Field(default="oauth2", description="`oauth2`, `api_key`, `bearer`, `mtls` or `none`")
    api_token_url: Endpoint | None = _credential("OAuth 2.0 token endpoint")
    api_client_id: Text | None = _credential("OAuth 2.0 client")
    api_client_secret: Token | None = _credential("its secret")
    api_scope: Text | None = _credential("OAuth 2.0 scope, where one is wanted")
    api_audience: Text | None = _credential("OAuth 2.0 audience, where one is wanted")
    api_key: Token | None = _credential("for ESG_API_AUTH=api_key")
    api_bearer_token: Token | None = _credential("for ESG_API_AUTH=bearer")
    api_client_cert: PemFile | None = _credential("PEM file: client certificate for mutual TLS")
    api_client_cert_key: PemFile | None = _credential("PEM file: its private key")
    api_ca_bundle: PemFile | None = _credential("PEM file: a firm's own CA")
    api_proxy: ProxyUrl | None = _credential("proxy for both APIs; the system's proxy variables are not read")
    api_rate_limit: Positive = Field(
        default=50, description="calls per second that the provider allows in total; never exceeded"
    )
    api_burst: Count = Field(default=1, description="calls it allows at once")
    api_concurrency: Count = Field(default=64, description="calls in flight at most")
    api_timeout_seconds: Positive = Field(default=30, description="for one whole call, connect to last byte")
    api_max_attempts: Count = Field(default=5, description="tries of one account in one run")
    api_max_retry_after_seconds: Positive = Field(
        default=900, description="a longer Retry-After is treated as this"
    )
    api_outage_seconds: Positive = Field(
        default=1800, description="after this long without a good answer the run ends with what it has"
    )
    api_accounts_per_call: Count = Field(default=1, description="above 1 uses the several-accounts endpoint")
    api_mapping: Yaml | None = Field(
        default=None,
        description="for a provider with another shape, a `.yaml` file or inline YAML: request (method, path,"
        " query and body template) and reply (our field → JMESPath, scale, direction)",
        json_schema_extra={"shown_default": "our shape"},
    )
    metrics: Metrics = Field(
        default=(),
        description="further metrics asked for, `name:unit:higher|lower`, comma-separated, names"
        " `[a-z][a-z0-9_]{0,62}`; others that the provider sends are dropped",
    )
    as_of_lag_days: Days = Field(
        default=1,
        description="the report dated D asks both systems as of D minus this many days: the last complete"
        " day",
    )
    max_rating_age_days: Days = Field(default=366, description="older ratings are counted and warned about")
    first_date: IsoDate = Field(default=date(2026, 1, 1), description="first partition")
