"""Links in Dagster's UI: to the page of a report, to the runbook, by ESG_SITE_URL and ESG_RUNBOOK_URL.

Without a URL the runbook's place in the project's documents is told as text. Links of alerts are put
together in `esg_assets.core.alerts.wording`.
"""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from esg_assets.core.alerts.kinds import kind_of_check
from esg_assets.core.alerts.wording import Places
from esg_assets.core.page_places import INDEX, report_file

Links = Mapping[str, dg.UrlMetadataValue | dg.TextMetadataValue]

RUNBOOK = "docs/operations.md"
"""Where the project's own runbook is."""


def pages_of(places: Places, day: date | None = None) -> Links:
    """The page of a report, or the index of all; nothing where no site is served."""
    if not places.site:
        return {}
    return {"page": dg.MetadataValue.url(page_of(places.site, day))}


def page_of(site: str, day: date | None) -> str:
    """The URL of a report's page below the site's, or of the index."""
    return f"{site}/{INDEX if day is None else report_file(day)}"


def runbook_of(places: Places, check: str = "") -> Links:
    """The runbook, or its section on a check that failed."""
    section = f"#{kind_of_check(check)[0].anchor}" if check else ""
    if places.runbook:
        return {"runbook": dg.MetadataValue.url(places.runbook + section)}
    return {"runbook": dg.MetadataValue.text(RUNBOOK + section)}


def of_materialization(places: Places, day: date) -> Links:
    """What goes with the partition of that day."""
    return {**pages_of(places, day), **runbook_of(places)}
