"""One way to write a JSON value as bytes, so that a digest or a signature means one thing.

RFC 8785 (JSON Canonicalization Scheme) for the values we use: objects with ASCII names, arrays,
strings, integers within 2**53, booleans and null; no fractions. What the bytes mean lives elsewhere.
"""

import json
from typing import Any

_LARGEST = 2**53 - 1


def dumps(value: object) -> bytes:
    """`value` as canonical JSON.

    Raises:
        ValueError: it holds a fraction, an integer beyond 2**53, a name that is not ASCII, a text
            that is not Unicode, or something that JSON has no form for.
    """
    _require_plain(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def loads(data: bytes) -> Any:
    """The value of canonical JSON bytes.

    Raises:
        ValueError: these are not the bytes `dumps` makes of any value (so a duplicate name, another
            order, a space or a byte order mark is refused too).
    """
    try:
        value = json.loads(data.decode())
        same = dumps(value) == data
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not same:
        raise ValueError("not canonical JSON")
    return value


def _require_plain(value: object) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("a name is not ASCII text")
            _require_plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _require_plain(item)
    elif type(value) is int:
        if abs(value) > _LARGEST:
            raise ValueError("an integer is beyond 2**53")
    elif value is not None and not isinstance(value, str | bool):
        raise ValueError(f"{type(value).__name__} has no canonical form")
