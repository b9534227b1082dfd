"""One look at everything: each detector for itself, and what they saw recorded together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import dagster as dg

from esg_assets.core.alerts.incidents import Incident, Observation, Recovery
from esg_assets.core.alerts.kinds import Family
from esg_assets.core.alerts.ports import Outbox
from esg_assets.core.alerts.routes import Routes
from esg_assets.core.ports import History
from esg_assets.detection import dates, machinery, ready, runs
from esg_assets.detection.faults import fault
from esg_assets.detection.scene import Found, Scene, Seen, Surroundings
from esg_assets.settings import Settings

_DETECTORS: Mapping[str, Callable[[Scene], Found]] = {
    "the machinery": machinery.look,
    "the runs": runs.look,
    "the dates": dates.look,
    "what is ready": ready.look,
}


@dataclass(frozen=True)
class Detected:
    """What one look came to.

    Attributes:
        runs: runs that were looked at.
        unwell, well: observations and recoveries, those included that count for nothing because they
            were recorded before; a notice, such as of a publication, is neither.
        changed: incidents that changed.
        faults: what could not be looked at, in words of ours; the rest was recorded all the same.
    """

    runs: int
    unwell: int
    well: int
    changed: Sequence[Incident]
    faults: Sequence[str]

    def __str__(self) -> str:
        ended = sum(
            one.resolved_at is not None and one.kind.family is not Family.NOTICE for one in self.changed
        )
        text = (
            f"runs looked at: {self.runs:,}; seen unwell: {self.unwell:,}, well: {self.well:,}; "
            f"incidents changed: {len(self.changed):,}, ended: {ended:,}"
        )
        return "; ".join([text, *self.faults])


def detect(
    instance: dg.DagsterInstance,
    history: History,
    outbox: Outbox,
    routes: Routes,
    settings: Settings,
    now: datetime,
    *,
    from_daemon: bool = False,
) -> Detected:
    """Look at everything, and record what is wrong and what is well again. Sends nothing.

    Looking twice changes nothing, and two processes may look at once.

    Args:
        instance: Dagster's.
        history: what was published.
        outbox: where it is recorded.
        routes: for the messages that are queued.
        settings: loaded tolerantly: wrong ones keep nobody from looking.
        now: the time, with a zone.
        from_daemon: whether the daemon itself is looking.

    Raises:
        StoreUnavailable: the outbox's database does not answer; nothing was recorded.
    """
    scene = Scene(instance, outbox, now, history, settings, from_daemon=from_daemon)
    looks = [(name, partial(_with_head, look, scene)) for name, look in _DETECTORS.items()]
    return _recorded(scene, looks, routes)


def watch_detection(instance: dg.DagsterInstance, outbox: Outbox, routes: Routes, now: datetime) -> Detected:
    """Look whether the sensor that calls `detect` goes round: for the sensor that delivers.

    So each of the two has one that looks at it. Arguments and errors are those of `detect`.
    """
    around = Surroundings(instance, outbox, now, from_daemon=True)
    return _recorded(around, [("the detection", partial(machinery.look_at_detection, around))], routes)


def _with_head(look: Callable[[Scene], Found], scene: Scene) -> Found:
    """What a detector found, each with the head of the chain: a mail that is kept tells of a cut-off one."""
    found, head = look(scene), scene.head
    if head is None:
        return found
    told = [replace(one, facts={"head": str(head), **one.facts}) for one in found.seen]
    return replace(found, seen=told)


def _recorded(
    around: Surroundings, looks: Iterable[tuple[str, Callable[[], Found]]], routes: Routes
) -> Detected:
    seen: list[Seen] = []
    bookmarks: dict[str, str] = {}
    faults: list[str] = []
    looked_at = 0
    for name, look in looks:
        try:
            found = look()
        except Exception as error:  # noqa: BLE001  # what one detector cannot see the others still tell
            faults.append(fault(f"looking at {name}", error))
            continue
        seen += found.seen
        bookmarks |= found.bookmarks
        faults += found.faults
        looked_at += found.looked_at
    changed = around.outbox.record(seen, routes, around.now)
    # Only now: what was not recorded must be seen again.
    for bookmark, value in bookmarks.items():
        around.outbox.keep_bookmark(bookmark, value)
    unwell = sum(isinstance(one, Observation) and one.kind.family is not Family.NOTICE for one in seen)
    well = sum(isinstance(one, Recovery) for one in seen)
    return Detected(looked_at, unwell, well, tuple(changed), tuple(faults))
