"""Credentials of an HTTP client: the kinds of ESG_API_AUTH and ESG_ACCOUNTS_AUTH.

Each implements the port `Authorization`. Mutual TLS carries its credentials in the connection, so
it goes with `NoAuthorization`. What OAuth 2.0 needs is imported when it is asked for: requests alone
costs as much as 300 calls.
"""

import importlib
from typing import TYPE_CHECKING

from esg_assets.adapters.authorization.fixed import ApiKey, Bearer, NoAuthorization

if TYPE_CHECKING:
    from esg_assets.adapters.authorization.oauth2 import OAuth2ClientCredentials
    from esg_assets.adapters.authorization.token_endpoint import TokenEndpoint

__all__ = ["ApiKey", "Bearer", "NoAuthorization", "OAuth2ClientCredentials", "TokenEndpoint"]

_LATER = {"OAuth2ClientCredentials": "oauth2", "TokenEndpoint": "token_endpoint"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
