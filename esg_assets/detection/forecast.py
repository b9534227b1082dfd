"""The forecast: a run that asks for the ratings of a date, and will not be done by its deadline.

While it asks, a run keeps its expected end in a tag (`esg_assets.asking`). An estimate wavers, above all
in the first seconds, so it counts only when it has been late for a minute.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from esg_assets.asking import EXPECTED_END_TAG
from esg_assets.core.alerts.incidents import Observation
from esg_assets.core.alerts.punctuality import deadline_of, will_be_late
from esg_assets.core.alerts.times import parsed
from esg_assets.detection.marks import Marks
from esg_assets.detection.run_record import Looked
from esg_assets.detection.scene import Scene

BOOKMARK = "detection.forecast"
PERSISTS = timedelta(seconds=60)
SEALING = timedelta(seconds=60)
"""From the last rating to the published report: sealing, reading back, signing."""


def look(scene: Scene, looked: Looked, marks: Marks) -> Observation | None:
    """What is to be told of a run that goes on; None for nothing."""
    expected, days = parsed(looked.run.tags.get(EXPECTED_END_TAG)), looked.days
    if looked.run.status is not dg.DagsterRunStatus.STARTED or expected is None or days is None:
        return None
    day, clock = days[0], scene.settings.report_deadline
    deadline = deadline_of(day, clock)
    end = max(expected.astimezone(UTC), scene.now) + SEALING
    if scene.now >= deadline or end <= deadline:
        return None
    since = marks.since(looked.run_id)
    if scene.now - since < min(PERSISTS, (deadline - scene.now) / 2) or _published(scene, looked):
        return None
    return will_be_late(day, clock, _whole_seconds(end), scene.now, looked.run_id)


def _published(scene: Scene, looked: Looked) -> bool:
    return looked.days is not None and scene.history.latest(looked.days[0]) is not None


def _whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
