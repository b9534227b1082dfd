"""Since when something has been so, over looks that know nothing of each other: kept in a bookmark."""

import contextlib
import json
from datetime import datetime, timedelta

from esg_assets.core.alerts.times import parsed
from esg_assets.detection.scene import Surroundings

FORGOTTEN = timedelta(minutes=70)
"""After a longer pause between two looks nothing is known of the time in between: count anew. Somebody who
looks by cron only does so every hour at least."""


class Marks:
    """Names, each with the time since when it was marked at every look.

    Args:
        scene: for the bookmark as it was, and the time.
        bookmark: its name.
    """

    def __init__(self, scene: Surroundings, bookmark: str) -> None:
        self._now = scene.now
        self._marked: dict[str, str] = {}
        self._before: dict[str, str] = {}
        with contextlib.suppress(ValueError):  # nothing is lost with a bookmark but a minute
            kept = json.loads(scene.outbox.bookmark(bookmark) or "{}")
            last = parsed(kept.get("looked"))
            if last is not None and scene.now - last <= FORGOTTEN:
                self._before = dict(kept["since"])

    def since(self, name: str) -> datetime:
        """Mark it now; gives since when it has been marked."""
        since = parsed(self._before.get(name)) or self._now
        self._marked[name] = since.isoformat()
        return since

    def kept(self) -> str:
        """The bookmark to keep: what was marked at this look."""
        return json.dumps({"looked": self._now.isoformat(), "since": self._marked})
