"""Pictures of every kind of page, to be looked at, and those of the documents.

    python -m esg_assets_tests.site.pictures FOLDER            of a month that is made up
    python -m esg_assets_tests.site.pictures FOLDER --site S   of a site that is there (see `real_month`)

FOLDER gets each kind in every width and scheme, as PNG and on paper, and `docs` with what docs/images has.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser

from esg_assets.site.building import build
from esg_assets.site.files import SiteFolder
from esg_assets.site.made_of import Links
from esg_assets_tests.site.browser import WIDTHS, chromium
from esg_assets_tests.site.month import month

DOCUMENTS = {
    "report_page": ("latest", 1055),
    "partial_page": ("partial", 700),
    "trends_page": ("trend", 1100),
    "index_page": ("index", 0),
}
"""Pictures of the documents: of which kind, and how much of it from the top in pixels; 0 for all."""

DOCUMENT_WIDTH = 1100


def kinds(site: Path) -> dict[str, str]:
    """One page of each kind that the site has."""
    found = {
        "index": "index.html",
        "latest": "latest/index.html",
        "trend": "trends/30-days.html",
        "year": "trends/year.html",
        "everything": "trends/everything.html",
    }
    folder = SiteFolder(site)
    for day in sorted(path.name for path in (site / "reports").iterdir()):
        page = f"reports/{day}/index.html"
        found.setdefault("first", page)
        if folder.state(page) == "partial":
            found["partial"] = page
        if (site / f"reports/{day}/v2.html").exists():
            found |= {"corrected": page, "older": f"reports/{day}/v1.html"}
    return found


def all_of(browser: Browser, site: Path, folder: Path, pages: Mapping[str, str]) -> None:
    """Every page in every width and scheme, and on paper."""
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            for name, file in pages.items():
                page = context.new_page()
                page.goto((site / file).as_uri())
                page.screenshot(path=folder / f"{name}_{scheme}_{width}.png", full_page=True)
                page.close()
            context.close()
    page = browser.new_page()
    for name, file in pages.items():
        page.goto((site / file).as_uri())
        page.pdf(path=folder / f"{name}.pdf", format="A4")
    page.close()


def of_documents(browser: Browser, site: Path, folder: Path, pages: Mapping[str, str]) -> None:
    """What the documents show: the upper part of pages."""
    folder.mkdir(exist_ok=True)
    for name, (kind, height) in DOCUMENTS.items():
        size = {"width": DOCUMENT_WIDTH, "height": height or 900}
        page = browser.new_page(viewport=size)  # type: ignore[arg-type]  # a ViewportSize
        page.goto((site / pages[kind]).as_uri())
        page.screenshot(path=folder / f"{name}.png", full_page=not height)
        page.close()


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--site", type=Path)
    given = parser.parse_args()
    folder, site = given.folder.absolute(), given.site and given.site.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if site is None:
        site = folder / "site"
        build(month(), site, Links("https://dagster.example.com", "https://wiki.example.com/esg"))
    pages = kinds(site)
    with chromium() as browser:
        all_of(browser, site, folder, pages)
        of_documents(browser, site, folder / "docs", pages)


if __name__ == "__main__":
    main()
