"""Credentials that stay as they are: a key, a token, or none."""

from collections.abc import Mapping

from esg_assets.adapters.authorization.header_fields import SecretFields, bearer, is_field_value
from esg_assets.core.errors import SettingsWrong


class NoAuthorization:
    """No header field: `none` on loopback, or `mtls`, where the connection proves who asks."""

    def headers(self) -> Mapping[str, str]:
        """No header fields."""
        return {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002  # the port's
        """There is nothing to renew."""
        return False

    def __repr__(self) -> str:
        return "NoAuthorization()"


class ApiKey:
    """A fixed key in the X-API-Key field."""

    def __init__(self, key: str) -> None:
        self._headers = SecretFields({"X-API-Key": _checked(key, "API key")})

    def headers(self) -> Mapping[str, str]:
        """The X-API-Key field."""
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002  # the port's
        """A fixed key cannot be renewed."""
        return False

    def __repr__(self) -> str:
        return "ApiKey(***)"


class Bearer:
    """A fixed bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._headers = bearer(_checked(token, "bearer token"))

    def headers(self) -> Mapping[str, str]:
        """The Authorization field."""
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002  # the port's
        """A fixed token cannot be renewed."""
        return False

    def __repr__(self) -> str:
        return "Bearer(***)"


def _checked(text: str, what: str) -> str:
    if not is_field_value(text):
        raise SettingsWrong(
            f"The {what} must be printable ASCII without spaces, and the one given (length {len(text)}) "
            "is not: look for a line break or a space in it."
        )
    return text
