"""Versions whose figures are kept: their readers can be told.

Later than the publication itself, since figures, checks and changes are recorded at the end of its run. A run
that died before that is finished by a later one, so a version is looked for until its figures are there.
"""

from datetime import timedelta

from esg_assets.core.alerts import punctuality
from esg_assets.core.alerts.times import parsed
from esg_assets.core.central_time import central_date
from esg_assets.core.history import PastReport
from esg_assets.detection.run_record import RANGE_START
from esg_assets.detection.scene import Found, Scene
from esg_assets.stale_runs import BACKFILL_TAG

BOOKMARK = "detection.ready"
OVERLAP = timedelta(hours=1)
"""Hosts that publish may have a clock of their own."""

FIRST_LOOK = timedelta(hours=24)
LONGEST_WAIT = timedelta(days=3)
"""A version without figures for so long was recorded from the chain alone, as in a new database."""

DAGSTERS_BACKFILL = "dagster/backfill"


def look(scene: Scene) -> Found:
    """What is ready since the last look; the bookmark stays where a version still waits for its figures."""
    kept = parsed(scene.outbox.bookmark(BOOKMARK))
    begin = scene.now - FIRST_LOOK if kept is None else kept - OVERLAP
    seen, waiting = [], scene.now
    for past in scene.history.recorded_since(begin):
        if not _is_wanted(scene, past):
            continue
        if scene.history.details(past.published) is None:
            waiting = min(waiting, past.recorded_at)
        else:
            seen.append(punctuality.ready(past))
    return Found(seen, {BOOKMARK: max(waiting, scene.now - LONGEST_WAIT).isoformat()})


def _is_wanted(scene: Scene, past: PastReport) -> bool:
    """Whether readers wait for it: not for the first version of an old date that a backfill made."""
    report = past.published
    oldest = central_date(past.recorded_at) - timedelta(days=scene.settings.catchup_days)
    if report.version > 1 or report.report_date >= oldest:
        return True
    run = scene.instance.get_run_by_id(report.run_id)
    return run is None or not {BACKFILL_TAG, DAGSTERS_BACKFILL, RANGE_START} & run.tags.keys()
