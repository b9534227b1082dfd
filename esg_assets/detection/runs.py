"""The runs that there is something new of: of every job, backfills' own and those by hand included.

Runs are found by when they changed last, never by a cursor over events: with SQLite events are kept
run by run, and with PostgreSQL a late writer would be skipped. What was seen before is seen again for
two minutes; it counts once. A check is evaluated before its run changes, so runs that go on are looked
at every time.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg

from esg_assets.core.alerts.punctuality import made_up_for
from esg_assets.core.alerts.times import parsed
from esg_assets.detection import endings, evaluations, forecast
from esg_assets.detection.faults import fault
from esg_assets.detection.marks import Marks
from esg_assets.detection.run_record import Looked, as_utc, looked_at
from esg_assets.detection.scene import Found, Scene, Seen
from esg_assets.schedules import CATCH_UP_TAG

BOOKMARK = "detection.runs"
OVERLAP = timedelta(seconds=120)
FIRST_LOOK = timedelta(hours=24)
"""How far the very first look goes back: what failed before there were alerts is no news."""

MOST = 200
"""Runs at one look, oldest change first; the next look goes on from there."""

_GOING_ON = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def look(scene: Scene) -> Found:
    """What every run with news says."""
    records, bookmark = _records(scene)
    marks = Marks(scene, forecast.BOOKMARK)
    seen: list[Seen] = []
    faults: list[str] = []
    for record in records:
        try:
            seen += _of_run(scene, looked_at(scene.instance, record), marks)
        except Exception as error:  # noqa: BLE001  # one run that cannot be read must not hide all others
            faults.append(fault(f"looking at run {record.dagster_run.run_id}", error))
            seen += endings.of_status_alone(scene, Looked(record))
    bookmarks = {BOOKMARK: bookmark.isoformat(), forecast.BOOKMARK: marks.kept()}
    return Found(seen, bookmarks, len(records), faults)


def _records(scene: Scene) -> tuple[list[dg.RunRecord], datetime]:
    """Runs to look at, and where the next look begins."""
    since = parsed(scene.outbox.bookmark(BOOKMARK)) or scene.now - FIRST_LOOK
    changed = scene.instance.get_run_records(
        dg.RunsFilter(updated_after=since - OVERLAP),
        limit=MOST,
        order_by="update_timestamp",
        ascending=True,
    )
    going_on = scene.instance.get_run_records(dg.RunsFilter(statuses=_GOING_ON))
    bookmark = scene.now
    if len(changed) == MOST:
        # Exactly from there on, without the overlap: that follows with the look that reaches the end.
        bookmark = as_utc(changed[-1].update_timestamp) + OVERLAP - timedelta(milliseconds=1)
    each = {record.dagster_run.run_id: record for record in [*changed, *going_on]}
    return list(each.values()), bookmark


def _of_run(scene: Scene, looked: Looked, marks: Marks) -> Iterator[Seen]:
    if looked.days is not None and looked.run.tags.get(CATCH_UP_TAG):
        yield made_up_for(looked.days[0], as_utc(looked.record.create_timestamp), looked.run_id)
    yield from evaluations.look(scene, looked)
    yield from endings.look(scene, looked)
    late = forecast.look(scene, looked, marks)
    if late is not None:
        yield late
