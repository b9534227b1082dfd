"""The secrets that this process has read: for whoever keeps them out of logs, and for nobody else.

They are kept because a log line must be redacted wherever it comes from, also from a library that
knows nothing of settings. What redaction does with them is `esg_assets.core.redaction`.
"""

import threading
from collections.abc import Iterable

_known: set[str] = set()
_lock = threading.Lock()


def remember(secrets: Iterable[str]) -> None:
    """Add values of secret settings, also such as turned out to be wrong."""
    with _lock:
        _known.update(filter(None, secrets))


def known() -> frozenset[str]:
    """Every value remembered so far."""
    with _lock:
        return frozenset(_known)
