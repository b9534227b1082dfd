"""Pictures of Dagster's UI over a week of reports: `python -m esg_assets_tests.e2e.ui_pictures FOLDER`.

For the documents, and for looking at what a change of descriptions, metadata or links does there. The
browser and its options are those of the tests of pages.
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page

from esg_assets.core.central_time import central_date
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.dagster_ui import MATERIALIZED, DagsterDev, dagster_dev
from esg_assets_tests.e2e.installation import Installation
from esg_assets_tests.site.browser import chromium

ACCOUNTS = 1_200
FAULTS = ("", "", "", "", "422=0.004/sticky", "422=0.08/sticky", "422=0.02/sticky")
"""Of the nights, oldest first: one is partial, and the last warns."""

LINKS = {
    "ESG_SITE_URL": "https://esg.example.com",
    "ESG_RUNBOOK_URL": "https://wiki.example.com/esg-report",
    "ESG_SOURCE_URL": "https://git.example.com/esg_assets/blob/main",
    "ESG_ALERT_EMAIL_DEV": "esg-pipeline@example.com",
}
WIDTH, HEIGHT = 1440, 1000
SETTLES_MS = 6_000
"""The UI asks for one thing after the other, and draws plots with a movement."""


def open_chart(page: Page, url: str, day: date) -> None:
    """Open the chart of a day, as a reader does on the partition's page."""
    page.goto(f"{url}/assets/daily_summary?view=partitions&partition={day}")
    row = page.locator("tr", has=page.get_by_text("chart", exact=True))
    row.get_by_text("[Show Markdown]").click()
    page.locator("img[src^='data:image/svg+xml']").wait_for()


def open_plots(page: Page, url: str, asset: str) -> None:
    """Open an asset's numbers over its partitions."""
    page.goto(f"{url}/assets/{asset}?view=overview")
    page.get_by_text("Plots", exact=True).click()
    page.locator("canvas").first.wait_for()


def main(folder: Path) -> None:
    """Write one PNG for each view to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    last = central_date(datetime.now(UTC))  # the UI plots the newest partitions only
    days = [last - timedelta(days=n) for n in reversed(range(len(FAULTS)))]
    with (
        tempfile.TemporaryDirectory() as home,
        SimulatorServer(Options(accounts=ACCOUNTS, auth="none", inactive=0, unrated=0.03)) as server,
    ):
        house = Installation.new(
            Path(home, "home"), server.url, ESG_SITE_FOLDER=str(Path(home, "site")), **LINKS
        )
        with dagster_dev(house) as ui, chromium() as browser:
            for day, faults in zip(days, FAULTS, strict=True):
                server.order_faults(faults)
                assert ui.ended(ui.launch(day.isoformat())) == "SUCCESS", day
            site = {"path": ["esg_site"]}
            ui.wait_for(lambda: ui.ask(MATERIALIZED, key=site)["assetNodeOrError"]["assetMaterializations"])
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            _take(page, ui, folder, days)


def _take(page: Page, ui: DagsterDev, folder: Path, days: Sequence[date]) -> None:
    def shot(name: str, high: int = HEIGHT, wide: int = WIDTH) -> None:
        page.set_viewport_size({"width": wide, "height": high})
        page.wait_for_timeout(SETTLES_MS)
        page.screenshot(path=folder / f"{name}.png")
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    for name, path in {
        "catalog": "assets",
        "report": "assets/encrypted_report_csv?view=overview",
        "site": "assets/esg_site?view=overview",
        "check": "assets/esg_ratings?view=checks&checkDetail=failure_rate",
        "events": "assets/encrypted_report_csv?view=events",
        "job": "locations/esg_assets/jobs/nightly_esg_report",
        "automation": "automation",
    }.items():
        page.goto(f"{ui.url}/{path}")
        shot(name)
    page.set_viewport_size({"width": 2_600, "height": 900})  # where boxes have room for what is in them
    page.goto(f"{ui.url}/asset-groups")
    shot("lineage", 900, 2_600)
    open_chart(page, ui.url, days[-2])
    shot("chart")
    for asset in ("daily_summary", "esg_ratings"):
        open_plots(page, ui.url, asset)
        shot(f"plots_{asset}", 2_400)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
