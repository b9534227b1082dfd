"""From settings to the credentials and the proxy that both APIs are called with.

Part of `esg_assets.composition`, which is the one that others ask.
"""

from typing import Literal

from esg_assets.core.ports import Authorization
from esg_assets.settings import Settings


def authorization(settings: Settings, api: Literal["api", "accounts"], mapping: str) -> Authorization:
    """ESG_API_AUTH or ESG_ACCOUNTS_AUTH, with the settings that go with it.

    Args:
        settings: as loaded.
        api: which of the two.
        mapping: ESG_API_MAPPING's canonical text, which can name parameters of the token request.
    """
    from esg_assets.adapters.authorization import ApiKey, Bearer, NoAuthorization  # noqa: PLC0415 - when built

    kind = getattr(settings, f"{api}_auth")
    if kind == "oauth2":
        return _oauth2(settings, api, mapping)
    if kind == "api_key":
        return ApiKey(_text(settings, "api_key" if api == "api" else "accounts_api_key"))
    if kind == "bearer":
        return Bearer(_text(settings, "api_bearer_token" if api == "api" else "accounts_token"))
    return NoAuthorization()


def proxy(settings: Settings) -> str:
    """ESG_API_PROXY, "" for none."""
    return "" if settings.api_proxy is None else settings.api_proxy.get_secret_value()


def _oauth2(settings: Settings, api: Literal["api", "accounts"], mapping: str) -> Authorization:
    from esg_assets.adapters.authorization import OAuth2ClientCredentials, TokenEndpoint  # noqa: PLC0415 - as above
    from esg_assets.adapters.esg_api.mapping import token_parameters  # noqa: PLC0415 - as above

    endpoint = TokenEndpoint(
        _text(settings, f"{api}_token_url"),
        _text(settings, f"{api}_client_id"),
        _text(settings, f"{api}_client_secret"),
        _text(settings, "api_scope") if api == "api" else "",
        _text(settings, "api_audience") if api == "api" else "",
        parameters=token_parameters(mapping) if api == "api" else {},
        settings=f"ESG_{api.upper()}",
        ca_bundle=getattr(settings, f"{api}_ca_bundle"),
        client_cert=getattr(settings, f"{api}_client_cert"),
        client_key=getattr(settings, f"{api}_client_cert_key"),
        proxy=proxy(settings),
    )
    return OAuth2ClientCredentials(endpoint, call_seconds=settings.api_timeout_seconds)


def _text(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return "" if value is None else str(getattr(value, "get_secret_value", lambda: value)())
