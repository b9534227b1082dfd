"""`esg-assets keys rotate`: a new working key, what is kept re-sealed with it, and the old one removed.

In that order, so that a rotation that broke off at any moment is finished by running it again and
everything opens meanwhile. No run may be under way: it would go on sealing with the key it has loaded.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from esg_assets import stale_runs
from esg_assets.core.errors import LeaseBusy, Refused
from esg_assets.core.ports import Leases
from esg_assets.instances import opened_instance
from esg_assets.lifecycle import LifecycleStores
from esg_assets.run_lease import KEY_GATE
from esg_assets.settings import Settings
from esg_assets.working_window import ARCHIVE

Progress = Callable[[dt.date, int], None]
"""Told after each date: the date, and how many of its objects were sealed anew."""

_ALIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""What may have loaded a key. A queued run has not: it will load the new one."""


@dataclass(frozen=True)
class Rotation:
    """What a rotation did.

    Attributes:
        made: a new key was made now; False when an earlier rotation was finished, or the key is in a KMS.
        resealed: objects sealed anew, by date.
        objects: how many objects are kept, all of them sealed with the current key.
        removed: key files that were removed.
    """

    made: bool
    resealed: dict[dt.date, int]
    objects: int
    removed: tuple[Path, ...]


def rotate(settings: Settings, leases: Leases, told: Progress = lambda _date, _count: None) -> Rotation:
    """Rotate the working key.

    Raises:
        Refused: a run or another rotation is under way; nothing was changed, or (when a run began in the
            middle) everything opens and another call finishes. Or `prod` keeps no records in such a bucket.
        Tampered: something that is kept does not open. The former keys stay.
    """
    stores = LifecycleStores.guarded(settings)
    with _nobody_else(leases) as check_runs:
        check_runs("Nothing was changed.")
        path = None if settings.working_key is None else settings.working_key.path
        made = path is not None and _make_key(path)
        resealed, objects = _reseal(stores, leases, told)
        check_runs("Everything is sealed with the new key, and the old one is kept; run this again.")
        removed = () if path is None else _remove(_former_files(path))
    return Rotation(made, resealed, objects, removed)


@contextmanager
def _nobody_else(leases: Leases) -> Iterator[Callable[[str], None]]:
    """Keep runs and archiving from beginning; gives what refuses when a run has the old key."""
    holder = f"esg-assets keys rotate (process {os.getpid()})"
    with ExitStack() as held:
        for name, what in ((KEY_GATE, "a run begins, or another rotation"), (ARCHIVE, "archiving")):
            try:
                held.enter_context(leases.hold(name, holder))
            except LeaseBusy as busy:
                raise Refused(
                    f"Rotating the working key: {what} is under way ({busy}). Nothing was changed; run this "
                    "again when it has ended."
                ) from None
        instance = held.enter_context(opened_instance(leases))

        def check_runs(then: str) -> None:
            stale_runs.sweep(instance, leases, by="esg-assets keys rotate")
            runs = instance.get_runs(dg.RunsFilter(statuses=_ALIVE))
            if runs:
                shown = ", ".join(_shown(run) for run in runs[:3])
                raise Refused(
                    f"Rotating the working key: {len(runs)} runs are under way ({shown}) and may seal with "
                    f"the key they have loaded. {then} Wait for them, or terminate them."
                )

        yield check_runs


def _reseal(stores: LifecycleStores, leases: Leases, told: Progress) -> tuple[dict[dt.date, int], int]:
    """Every object with another key than the current one; and how many there are in all."""
    rekeying, holder = stores.rekeying, f"esg-assets keys rotate (process {os.getpid()})"
    resealed: dict[dt.date, int] = {}
    objects = 0
    for date in rekeying.dates():
        try:
            with leases.hold(stale_runs.lease_name(date), holder, wait_seconds=2.0):
                names = rekeying.outdated(date)
                for name in names:
                    rekeying.reseal(name)
                rekeying.finish(date)
        except LeaseBusy as busy:
            raise Refused(
                f"Rotating the working key: the date {date} is being worked on ({busy}). What was re-sealed "
                "so far and what was not both open; run this again."
            ) from None
        objects += len(stores.kept.names(date))
        if names:
            resealed[date] = len(names)
            told(date, len(names))
    return resealed, objects


def _make_key(path: Path) -> bool:
    """Make a new key unless an earlier rotation has done that; whether it was made."""
    from esg_assets.adapters.keys import load_working_key, replace_working_key  # noqa: PLC0415 - slow to import

    former = _former_files(path)
    # A former key that is the current one too: broken off before the new one was in its place.
    if former and load_working_key(former[-1]) != load_working_key(path):
        return False
    replace_working_key(path)
    return True


def _former_files(path: Path) -> Sequence[Path]:
    from esg_assets.adapters.keys import former_key_files  # noqa: PLC0415 - slow to import

    return former_key_files(path)


def _remove(files: Sequence[Path]) -> tuple[Path, ...]:
    from esg_assets.adapters.keys.key_files import sync_folder  # noqa: PLC0415 - slow to import

    for file in files:
        file.unlink(missing_ok=True)
        sync_folder(file.parent)
    return tuple(files)


def _shown(run: dg.DagsterRun) -> str:
    date = run.tags.get(stale_runs.PARTITION_TAG, "")
    return f"{run.run_id[:8]} of {date}" if date else f"{run.run_id[:8]} of {run.job_name}"
