"""Dates: reports that were published, those that are missing after their deadline, those given up.

What follows from a date's state is `esg_assets.core.alerts.punctuality`; here it is gathered.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from esg_assets import schedules
from esg_assets.core.alerts import punctuality
from esg_assets.core.alerts.kinds import GIVEN_UP, REPORT_LATE
from esg_assets.core.alerts.punctuality import deadline_of
from esg_assets.core.alerts.times import parsed
from esg_assets.detection.scene import Found, Scene, Seen

RECORDED, SERVICE = "detection.recorded", "detection.in_service_since"
OVERLAP = timedelta(hours=1)
"""Hosts that publish may have a clock of their own."""

FIRST_LOOK = timedelta(hours=24)


def look(scene: Scene) -> Found:
    """What every date says."""
    since = _in_service_since(scene)
    bookmarks = {RECORDED: scene.now.isoformat(), **({} if since is None else {SERVICE: since.isoformat()})}
    seen = list(_published(scene, since))
    if since is not None:
        seen += _missing(scene, since)
    if scene.scheduled:
        seen += _tried_too_often(scene)
    return Found(seen, bookmarks)


def _in_service_since(scene: Scene) -> date | None:
    """As it was decided once, so that a backfill of old dates makes no gap a fault."""
    kept = scene.outbox.bookmark(SERVICE)
    if kept:
        return date.fromisoformat(kept)
    lately = scene.history.published_dates(scene.today - timedelta(days=punctuality.SERVICE_DAYS))
    return punctuality.in_service_since(
        scene.now,
        scene.settings.report_deadline,
        published_lately=any(day < scene.today for day in lately),
        scheduled=scene.scheduled,
    )


def _published(scene: Scene, since: date | None) -> Iterator[Seen]:
    kept = parsed(scene.outbox.bookmark(RECORDED))
    begin = scene.now - FIRST_LOOK if kept is None else kept - OVERLAP
    for past in scene.history.recorded_since(begin):
        yield from punctuality.publication(past, scene.settings.report_deadline, since)


def _missing(scene: Scene, since: date) -> Iterator[Seen]:
    clock = scene.settings.report_deadline
    days = punctuality.expected(scene.now, clock, since=since, first=scene.settings.first_date)
    if not days:
        return
    published = set(scene.history.published_dates(days[0]))
    oldest_wanted = scene.today - timedelta(days=scene.settings.catchup_days)
    for day in days:
        if day in published:
            continue
        new = not scene.is_known(day, REPORT_LATE.name)
        if new:
            yield punctuality.missing(day, clock, scene.prospects(day))
        if (
            day < oldest_wanted
            and not scene.is_known(day, GIVEN_UP.name)
            and not scene.state_of(day).under_way
        ):
            # Found missing only now that it is too old: then that is what there is to tell, once.
            at = deadline_of(day, clock) if new else scene.now
            yield punctuality.given_up(day, at, scene.prospects(day))


def _tried_too_often(scene: Scene) -> Iterator[Seen]:
    due = schedules.due_at(scene.today, scene.instance, scene.history, scene.settings)
    for day in due.given_up:
        if not scene.is_known(day, GIVEN_UP.name):
            yield punctuality.given_up(day, scene.now, scene.prospects(day))
