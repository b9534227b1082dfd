"""Pictures of every kind of page, to be looked at: `python -m esg_assets_tests.site.pictures FOLDER`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from esg_assets.site.building import build, report_file
from esg_assets.site.made_of import Links
from esg_assets_tests.site.browser import CHROMIUM, OPTIONS, WIDTHS
from esg_assets_tests.site.month import CORRECTED, FIRST, LAST, PARTIAL, month

PAGES = {
    "index": "index.html",
    "latest": "latest/index.html",
    "first": report_file(FIRST),
    "partial": report_file(PARTIAL),
    "corrected": report_file(CORRECTED),
    "day": report_file(LAST),
    "trend": "trends/30-days.html",
}


def main(folder: Path) -> None:
    """Write a picture of every page in every width and scheme, and on paper."""
    site = folder / "site"
    build(month(), site, Links("https://dagster.example.com", "https://wiki.example.com/esg"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                for name, file in PAGES.items():
                    page = context.new_page()
                    page.goto((site / file).as_uri())
                    page.screenshot(path=folder / f"{name}_{scheme}_{width}.png", full_page=True)
                    page.close()
                context.close()
        page = browser.new_page()
        for name, file in PAGES.items():
            page.goto((site / file).as_uri())
            page.pdf(path=folder / f"{name}.pdf", format="A4")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
