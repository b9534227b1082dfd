"""A sealed summary read again as it streams; writing it is `esg_assets.core.summary`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from esg_assets.core.errors import Tampered

_FAILED = b',\n  "failed_accounts": ['


def without_accounts(chunks: Iterable[bytes]) -> dict[str, Any]:
    """All of a summary but the failed accounts, which are read past and not kept.

    Raises:
        Tampered: this is no summary of ours.
    """
    head, ended = bytearray(), False
    for chunk in chunks:
        if ended:
            continue  # it is believed only when it was read to its end
        head += chunk
        if (at := head.find(_FAILED, max(0, len(head) - len(chunk) - len(_FAILED)))) >= 0:
            del head[at:]
            ended = True
    try:
        found = json.loads(bytes(head) + b"\n}")
    except ValueError:
        found = None
    if not ended or not isinstance(found, dict):
        raise Tampered("Reading a summary: this is none of ours. Nothing of it is shown.")
    return found


def methodology_versions(summary: Mapping[str, Any]) -> dict[str, int]:
    """Rated accounts by version of the provider's methodology, "" where none is stated; {} if not counted."""
    return {
        str(name): int(count) for name, count in summary["figures"].get("methodology_versions", {}).items()
    }
