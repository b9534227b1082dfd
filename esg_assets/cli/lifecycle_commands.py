"""`esg-assets report archive|reseal|hold|release|expire`: the life of a report after its publication.

Options, settings and what people see; what they do is in `esg_assets.lifecycle` and below it.
"""

import os
from typing import TYPE_CHECKING

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import OptionalDay, day_of

if TYPE_CHECKING:
    from esg_assets.working_window import Turn


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("report archive", archive)


def archive(day: OptionalDay = None) -> Answer:
    """Re-seal working data older than ESG_WORKING_DAYS to the recipients, and remove it from this host."""
    from esg_assets import composition  # noqa: PLC0415 - slow to import
    from esg_assets.lifecycle import LifecycleStores  # noqa: PLC0415
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415
    from esg_assets.working_window import close_windows  # noqa: PLC0415

    dagster_home()
    settings = load_settings("report archive")
    window, leases = LifecycleStores(settings).window, composition.leases(settings)
    chosen = day_of(day)
    dates = window.dates() if chosen is None else [chosen]
    holder = f"esg-assets report archive (process {os.getpid()})"
    turns = list(close_windows(window, leases, holder, dates))
    done = all(turn.closed is not None for turn in turns)
    shown = [str(turn) for turn in turns] or ["The work store keeps nothing."]
    return Answer({"dates": [_told(turn) for turn in turns]}, shown, status=0 if done else 1)


def _told(turn: "Turn") -> dict[str, object]:
    closed = turn.closed
    return {
        "date": turn.date.isoformat(),
        "version": None if closed is None else closed.version,
        "outcome": "busy" if turn.busy else "failed" if closed is None else closed.outcome.value,
        "objects": 0 if closed is None else closed.objects,
        "until": None if closed is None or closed.until is None else closed.until.isoformat(),
        "fault": turn.fault,
    }
