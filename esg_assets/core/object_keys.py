"""Which names objects in a store may have: one rule for every store, checked before any of them acts.

Names are made by our own code from dates, numbers and random parts; never from an account's data.
"""

import re

from esg_assets.core.errors import Refused

_SEGMENT = re.compile(r"[A-Za-z0-9._=-]{1,255}")
MAX_KEY_LENGTH = 900
"""Characters of a whole key: S3 takes 1,024 bytes, of which the bucket's prefix needs some."""


def check_key(key: str) -> str:
    """Return `key` if it may name an object.

    Raises:
        Refused: it may not. The message does not repeat the key: a wrong one can hold anything.
    """
    if len(key) > MAX_KEY_LENGTH or not all(map(is_segment, key.split("/"))):
        raise Refused(
            "This is no name for an object in a store: wanted are segments of letters, digits and "
            f"'._=-' with '/' between them, none of them '.' or '..', at most {MAX_KEY_LENGTH} characters."
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it names a folder: '' or a key with '/' after it. Raises Refused."""
    if prefix:
        check_key(prefix.removesuffix("/"))
        if not prefix.endswith("/"):
            raise Refused("Keys are listed below a folder: its name must end with '/'.")
    return prefix


def is_segment(name: str) -> bool:
    """Whether `name` can stand between the '/' of a key."""
    return _SEGMENT.fullmatch(name) is not None and name not in {".", ".."}
