"""Credentials of an HTTP client: the kinds of ESG_API_AUTH and ESG_ACCOUNTS_AUTH.

Each implements the port `Authorization`. Mutual TLS carries its credentials in the connection, so
it goes with `NoAuthorization`.
"""

from esg_assets.adapters.authorization.fixed import ApiKey, Bearer, NoAuthorization
from esg_assets.adapters.authorization.oauth2 import OAuth2ClientCredentials
from esg_assets.adapters.authorization.token_endpoint import TokenEndpoint

__all__ = ["ApiKey", "Bearer", "NoAuthorization", "OAuth2ClientCredentials", "TokenEndpoint"]
