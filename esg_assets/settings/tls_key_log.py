"""SSLKEYLOGFILE kept from boto3, which would have what opens its TLS connections written to that file.

Our other clients make their TLS contexts by themselves and do not read it; ESG_ENV=prod refuses it
(`esg_assets.settings.guards`).
"""

import contextlib
import os
import threading
from collections.abc import Iterator

_VARIABLE = "SSLKEYLOGFILE"
_LOCK = threading.Lock()


@contextlib.contextmanager
def keys_unwritten() -> Iterator[None]:
    """A block in which clients of boto3 are made: they read the variable then, and never again."""
    with _LOCK:  # two that take it away and put it back would get in each other's way
        kept = os.environ.pop(_VARIABLE, None)
        try:
            yield
        finally:
            if kept is not None:
                os.environ[_VARIABLE] = kept
