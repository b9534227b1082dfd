"""OTEL_EXPORTER_OTLP_HEADERS: header fields in one text, as OpenTelemetry's specification writes them."""

import re
from urllib.parse import unquote

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def headers_of(text: str) -> dict[str, str]:
    """Fields of `name=value,name=value` with percent-encoded values.

    Raises:
        ValueError: it is something else, or a value could not stand in a header. The message is what is
            wanted, and quotes nothing.
    """
    found = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, separator, value = item.partition("=")
        plain = unquote(value.strip())
        if (
            not separator
            or not _NAME.fullmatch(name.strip())
            or not (plain.isascii() and plain.isprintable())
        ):
            raise ValueError("name=value,name=value with percent-encoded values")
        found[name.strip()] = plain
    return found
