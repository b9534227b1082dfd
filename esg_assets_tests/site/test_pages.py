"""Every kind of page in Debian's Chromium: how it fits, what it asks for, and whether all can read it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from esg_assets.core.page_places import report_file, version_file
from esg_assets.site import building
from esg_assets.site.building import Built, build
from esg_assets.site.files import SiteFolder
from esg_assets.site.made_of import Links
from esg_assets_tests.site import extremes
from esg_assets_tests.site.browser import WIDTHS, chromium
from esg_assets_tests.site.month import CORRECTED, FIRST, LAST, PARTIAL, month

LINKS = Links("https://dagster.example.com", "https://wiki.example.com/esg")
KINDS = {
    "index": "index.html",
    "first": report_file(FIRST),
    "partial": report_file(PARTIAL),
    "corrected": report_file(CORRECTED),
    "older": version_file(CORRECTED, 1),
    "latest": "latest/index.html",
    "trend": "trends/30-days.html",
    "crowded": f"reports/{LAST}/crowded.html",
    "decade": "trends/decade.html",
}
BYTES = 250_000
MEDIA: tuple[Literal["screen", "print"], ...] = ("screen", "print")
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month's site with the pages that are looked at; the others are made the same way."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    times = iter([0.0, *[1e9] * 100])
    built = build(month(), folder, LINKS, seconds=1, clock=lambda: next(times))
    assert built == Built(folder, pages=7, reports=30, waiting=29, latest=LAST)
    made = SiteFolder(folder)
    for day in (FIRST, PARTIAL, CORRECTED):
        newest = month().latest(day)
        assert newest is not None
        building.write_day(made, month(), newest, LINKS)
    extremes.write(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def opened(browser: Browser, site: Path, kind: str, width: int, scheme: Scheme) -> Page:
    """A page, which must ask for nothing but itself and log nothing, not even that its policy stopped it."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    url = (site / KINDS[kind]).as_uri()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(url)
    assert [each for each in asked if not each.startswith("data:,")] == [url]
    return page


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_fits_every_width_in_light_dark_and_print(browser: Browser, site: Path, kind: str) -> None:
    page = opened(browser, site, kind, 1440, "light")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for media in MEDIA:
            page.emulate_media(media=media)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, media)
    page.close()


@pytest.mark.parametrize(
    ("kind", "scheme"), [*((kind, "light") for kind in KINDS), ("partial", "dark"), ("trend", "dark")]
)
def test_axe_finds_nothing_that_keeps_anybody_from_reading(
    browser: Browser, site: Path, kind: str, scheme: Scheme
) -> None:
    # axe is put into the page, which the page's own policy would refuse.
    context = browser.new_context(
        viewport={"width": 375, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto((site / KINDS[kind]).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_charts_follow_the_reader_s_colours(browser: Browser, site: Path) -> None:
    bar = "getComputedStyle(document.querySelector('svg [fill=\"var(--bar)\"]')).fill"
    found = set()
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        page = opened(browser, site, "latest", 768, scheme)
        found.add(page.evaluate(bar))
        page.close()
    assert found == {"rgb(0, 102, 159)", "rgb(93, 179, 234)"}


def test_the_first_heading_says_what_the_report_is_worth(browser: Browser, site: Path) -> None:
    told = {}
    for kind in ("partial", "latest", "corrected"):
        page = opened(browser, site, kind, 768, "light")
        told[kind] = page.locator("main").inner_text()
        heading = page.locator("h1, h2, h3").first.inner_text()
        assert told[kind].startswith(heading)
        page.close()
    assert told["partial"].startswith("PARTIAL: ESG report of 19 November 2026")
    assert told["latest"].startswith("COMPLETE: ESG report of 24 November 2026")
    assert "Version 2 is a correction: provider mended its governance data." in told["corrected"]


def test_every_link_within_the_site_leads_to_a_page(browser: Browser, site: Path) -> None:
    for kind in ("latest", "corrected", "trend"):
        page = opened(browser, site, kind, 768, "light")
        for link in page.locator("nav a").all():
            target = site / KINDS[kind]
            assert (target.parent / str(link.get_attribute("href"))).is_file()
        page.close()
    page = opened(browser, site, "index", 768, "light")
    days = [str(link.get_attribute("href")) for link in page.locator(".days a").all()]
    page.close()
    assert days == [report_file(LAST)], "the pages of other days were not there when it was made"


def test_an_older_version_keeps_its_page_and_says_that_it_is_superseded(browser: Browser, site: Path) -> None:
    page = opened(browser, site, "older", 768, "light")
    assert page.locator("main").inner_text().startswith("SUPERSEDED: a correction of this report was")
    page.get_by_role("link", name="Its newest version").click()
    assert page.url == (site / report_file(CORRECTED)).as_uri()
    page.get_by_role("link", name="Version 1", exact=True).click()
    assert page.url == (site / version_file(CORRECTED, 1)).as_uri()
    page.close()
    newest = (site / version_file(CORRECTED, 2)).read_bytes()
    assert newest == (site / report_file(CORRECTED)).read_bytes()
    assert b"SUPERSEDED" not in newest


def test_a_table_stands_behind_every_chart(browser: Browser, site: Path) -> None:
    for kind in ("latest", "trend"):
        page = opened(browser, site, kind, 768, "light")
        charts = page.locator("section:has(svg)")
        assert charts.count() >= 5
        for chart in charts.all():
            assert chart.locator("details table tbody tr").count() >= 1
        page.close()


def test_pages_are_small_have_no_script_and_a_strict_policy(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) == 16
    for page in pages:
        html = page.read_text("utf-8")
        assert len(html.encode()) < BYTES
        assert "<script" not in html
        assert "default-src 'none'; style-src 'sha256-" in html
        assert "#010101" not in html
        assert "#040404" not in html


def test_pages_are_for_nobody_else_on_the_host_unless_the_folder_is(site: Path, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in site.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [site, *site.rglob("*")] if path.is_dir()} == {0o700}
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o750)
    SiteFolder(shared).write("reports/2026-01-15/index.html", "page")
    page = shared / "reports" / "2026-01-15" / "index.html"
    assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o640, 0o750)
    assert [each.name for each in page.parent.iterdir()] == ["index.html"]
