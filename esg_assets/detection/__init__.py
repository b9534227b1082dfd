"""Detection: looking at the world, and writing what is wrong and what is well again to the outbox.

    runs       which runs there is something new of, and what they say: `endings`, `evaluations`, `forecast`
    dates      reports that are published, missing, late, given up
    machinery  sensors, schedules, daemons, the outbox itself

`detect` asks them one after the other and records what they found; `sensor` calls it from Dagster,
`esg-assets alerts flush` from anywhere. Nothing here sends anything, and nothing here decides what
becomes of an incident: that is `esg_assets.core.alerts`.
"""

from esg_assets.detection.looking import Detected, detect, watch_detection

__all__ = ["Detected", "detect", "watch_detection"]
