"""Header fields that hold a secret: which texts may stand in one, and how they are shown (not)."""


class SecretFields(dict[str, str]):
    """Header fields that show their names only, wherever they are printed."""

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: ***' for name in self)}}}"

    __str__ = __repr__


def bearer(token: str) -> SecretFields:
    """The Authorization field of RFC 6750."""
    return SecretFields({"Authorization": f"Bearer {token}"})


def is_field_value(text: str) -> bool:
    """Whether `text` is visible ASCII: anything else could end the field and begin another."""
    return bool(text) and all("!" <= character <= "~" for character in text)
