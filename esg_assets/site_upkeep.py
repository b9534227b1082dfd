"""Keeping the readers' pages up to date: a sensor for what Dagster runs, a call for the command line.

Neither is part of a run: a report is published whether or not its page can be made. A sensor that fails
tells of it by its silence (`esg_assets.detection.machinery`).
"""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from esg_assets import links, site_process
from esg_assets.core.errors import StoreUnavailable
from esg_assets.core.page_places import report_file
from esg_assets.core.ports import History
from esg_assets.settings import Settings
from esg_assets.settings.operation import NO_SITE

NAME = "report_pages_sensor"
ASSET = "esg_site"
TICK_SECONDS = 20.0
"""After so many a tick begins no further page: Dagster ends a tick after 60 s."""

LIMIT_SECONDS = 50.0
LOOK_BACK = timedelta(days=3)
"""A change of what was recorded in this time shows that pages are out of date."""


def is_kept(settings: Settings) -> bool:
    """Whether there is a site at all (ESG_SITE_FOLDER)."""
    return settings.site_folder != NO_SITE


def bring_up_to_date(seconds: float | None = TICK_SECONDS, limit: float = LIMIT_SECONDS) -> dict[str, Any]:
    """Make the pages that are out of date, in a process of its own, by the settings of this environment.

    Args:
        seconds: after so many it begins no further page; None: until all are made.
        limit: it is killed after so many more.

    Returns:
        What `esg_assets.site_process.build` gives.

    Raises:
        StoreUnavailable: it failed; the message says why.
    """
    command = [sys.executable, "-m", "esg_assets.site_process", *([] if seconds is None else [str(seconds)])]
    wait = None if seconds is None else limit
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=wait, check=False)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired:
        raise StoreUnavailable(
            f"Making the readers' pages took more than {limit:.0f} s and was ended; what was written is "
            "whole. `esg-assets site build` makes the rest."
        ) from None
    if done.returncode:
        # What the process itself says is ours; a traceback may hold anything.
        said = done.returncode == site_process.SAID_WHY
        why = done.stderr.strip() if said else f"exit status {done.returncode}."
        raise StoreUnavailable(
            f"Making the readers' pages failed: {why} `esg-assets site build` tries again."
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def site_asset(settings: Settings) -> dg.AssetSpec:
    """The site as an external asset: where people look is where lineage ends."""
    # A browser follows no link from a page of the web to a file.
    folder = {"folder": dg.MetadataValue.path(settings.site_folder)}
    return dg.AssetSpec(
        ASSET,
        deps=["daily_summary"],
        description=(
            "The readers' pages: one for each report, every date, and trends. Static files without "
            f"JavaScript, kept up to date by {NAME} and by `esg-assets run`; any web server "
            "with a login can serve them."
        ),
        kinds={"html"},
        tags={"data": "aggregates"},
        metadata=folder if is_kept(settings) else {},
    )


@dg.sensor(
    name=NAME,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the readers' pages after each publication, and tells Dagster of the new ones.",
)
def report_pages_sensor(
    context: dg.SensorEvaluationContext,
    history: dg.ResourceParam[History],
    settings: dg.ResourceParam[Settings],
) -> dg.SensorResult | dg.SkipReason:
    """Launches nothing; its cursor stands for what the pages were made of."""
    if not is_kept(settings):
        return dg.SkipReason("ESG_SITE_FOLDER is none: no pages are kept")
    now = made_of(history, datetime.now(UTC))
    if now == context.cursor:
        return dg.SkipReason("every page is up to date")
    built = bring_up_to_date()
    if built["latest"] is None:
        return dg.SensorResult(skip_reason="nothing is published yet", cursor=now)
    waiting = f", {built['waiting']} more wait for the next tick" if built["waiting"] else ""
    made = dg.AssetMaterialization(
        ASSET,
        metadata={
            "pages": built["pages"],
            "reports": built["reports"],
            "latest": _page(settings, built["path"], built["latest"]),
        },
    )
    return dg.SensorResult(
        skip_reason=f"wrote {built['pages']} pages{waiting}",
        asset_events=[made],
        cursor=context.cursor if built["waiting"] else now,
    )


def _page(settings: Settings, folder: str, day: str) -> dg.UrlMetadataValue | dg.PathMetadataValue:
    """Where the page of a report is: served, or as a file, which no link leads to from the UI."""
    if settings.site_url:
        return dg.MetadataValue.url(links.page_of(settings.site_url, date.fromisoformat(day)))
    return dg.MetadataValue.path(str(Path(folder) / report_file(date.fromisoformat(day))))


def made_of(history: History, now: datetime) -> str:
    """Changes when a page is out of date: with what was published, its details, and the software."""
    from esg_assets.site.made_of import digest  # noqa: PLC0415 - reads files

    recorded = history.recorded_since(now - LOOK_BACK)
    known = [
        f"{past.published.head_sha256} {history.details(past.published) is not None}" for past in recorded
    ]
    return hashlib.sha256("\n".join([digest(), *sorted(known)]).encode()).hexdigest()[:16]
