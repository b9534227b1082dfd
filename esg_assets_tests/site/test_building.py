"""The site's files: what is written when, what stays, what a crash leaves; how any web server serves them."""

import hashlib
import http.server
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from esg_assets.core.history import PastReport
from esg_assets.core.page_figures import daily_page
from esg_assets.core.page_places import report_file, version_file
from esg_assets.site import building, files, made_of, rendering, trend_charts
from esg_assets.site.building import build
from esg_assets.site.files import HALF, SiteFolder
from esg_assets.site.made_of import Links
from esg_assets_tests.bucket_servers import moto_s3
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.site.month import nights, publish

NIGHTS = list(nights().values())[-3:]
DAYS = [night.day for night in NIGHTS]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are drawn elsewhere."""
    monkeypatch.setattr(rendering, "day_charts", lambda _: dict.fromkeys(CHARTS, "<svg></svg>"))
    monkeypatch.setattr(trend_charts, "trend_lines", lambda *_: "<svg></svg>")


CHARTS = ("histogram", "scores", "focus", "letters", "failures")


@pytest.fixture
def history() -> MemoryHistory:
    """Two dates."""
    made = MemoryHistory()
    for number, night in enumerate(NIGHTS[:2]):
        publish(made, night, 1, 2 * number + 2)
    return made


def pages(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each page was written, and what is in it."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*.html")
    }


def without_digest(page: bytes) -> bytes:
    """What the last line of a page is a digest of."""
    html, _, last = page.rpartition(b"<!-- sha256 of all before this: ")
    assert last == hashlib.sha256(html).hexdigest().encode() + b" -->\n"
    return html


def changed(before: dict[str, tuple[int, bytes]], now: dict[str, tuple[int, bytes]]) -> set[str]:
    return {name for name, page in now.items() if before.get(name) != page}


LISTS = {
    *("index.html", "latest/index.html"),
    *("trends/30-days.html", "trends/year.html", "trends/everything.html"),
}


def test_what_is_up_to_date_is_left_alone(history: MemoryHistory, tmp_path: Path) -> None:
    assert build(history, tmp_path, Links()).pages == 9
    before = pages(tmp_path)
    assert build(history, tmp_path, Links()).pages == 0
    assert pages(tmp_path) == before


def test_a_new_report_writes_its_pages_and_the_lists_and_no_other(
    history: MemoryHistory, tmp_path: Path
) -> None:
    build(history, tmp_path, Links())
    before = pages(tmp_path)
    publish(history, NIGHTS[2], 1, 6)
    assert build(history, tmp_path, Links()).pages == 7
    own = {report_file(DAYS[2]), version_file(DAYS[2], 1)}
    assert changed(before, pages(tmp_path)) == own | LISTS


def test_a_correction_keeps_the_first_page_but_for_the_line_that_there_is_a_later_one(
    history: MemoryHistory, tmp_path: Path
) -> None:
    build(history, tmp_path, Links())
    before = pages(tmp_path)
    publish(history, NIGHTS[0], 2, 6)
    build(history, tmp_path, Links())
    now = pages(tmp_path)
    first, second = version_file(DAYS[0], 1), version_file(DAYS[0], 2)
    lists = LISTS - {"latest/index.html"}
    assert changed(before, now) == {report_file(DAYS[0]), first, second} | lists
    shown, shows = (without_digest(each[first][1]) for each in (before, now))
    assert shows == shown.replace(rendering.LATER.encode(), rendering.SUPERSEDED.encode())
    assert rendering.SUPERSEDED.encode() in now[first][1]
    assert now[second][1] == now[report_file(DAYS[0])][1]
    publish(history, NIGHTS[0], 3, 8)
    build(history, tmp_path, Links())
    assert pages(tmp_path)[first] == now[first]
    assert rendering.SUPERSEDED.encode() in pages(tmp_path)[second][1]


def test_another_software_makes_every_page_anew_but_those_of_versions(
    history: MemoryHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(history, tmp_path, Links())
    before = pages(tmp_path)
    monkeypatch.setattr(made_of, "digest", lambda: "another")
    monkeypatch.setattr(rendering, "digest", lambda: "another")
    build(history, tmp_path, Links())
    assert changed(before, pages(tmp_path)) == {report_file(day) for day in DAYS[:2]} | LISTS


def test_a_page_that_somebody_lost_or_spoiled_is_made_again(history: MemoryHistory, tmp_path: Path) -> None:
    build(history, tmp_path, Links())
    before = pages(tmp_path)
    (tmp_path / version_file(DAYS[0], 1)).unlink()
    (tmp_path / report_file(DAYS[1])).write_bytes(b"\xff half")
    (tmp_path / "trends" / "year.html").write_text("")
    build(history, tmp_path, Links())
    assert {name: page for name, (_, page) in pages(tmp_path).items()} == {
        name: page for name, (_, page) in before.items()
    }


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda page: page[: len(page) // 2], id="cut off"),
        pytest.param(lambda page: page[:-1], id="short of a byte"),
        pytest.param(lambda page: page[:3_000] + bytes(len(page) - 3_000), id="zeros"),
        pytest.param(
            lambda page: page.replace(b" accounts", b" acc0unts"), id="other text of the same length"
        ),
    ],
)
def test_a_page_that_is_damaged_anywhere_is_made_again(
    history: MemoryHistory, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    publish(history, NIGHTS[1], 2, 6)
    build(history, tmp_path, Links())
    before = {name: page for name, (_, page) in pages(tmp_path).items()}
    spoiled = [*(report_file(day) for day in DAYS[:2]), version_file(DAYS[1], 1), version_file(DAYS[1], 2)]
    spoiled += ["latest/index.html", "trends/year.html", "index.html"]
    for name in spoiled:
        (tmp_path / name).write_bytes(damage(before[name]))
    assert build(history, tmp_path, Links()).pages >= len(spoiled) - 1, "the lists may hold no such text"
    assert {name: page for name, (_, page) in pages(tmp_path).items()} == before


def test_a_build_that_ends_in_the_middle_leaves_the_old_pages_and_the_next_one_goes_on(
    history: MemoryHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(history, tmp_path, Links())
    before = pages(tmp_path)
    publish(history, NIGHTS[2], 1, 6)
    publish(history, NIGHTS[0], 2, 8)
    drawn = []

    def breaking(versions: list[PastReport], details: object) -> object:
        drawn.append(1)
        if len(drawn) == 2:
            raise RuntimeError("power cut")
        return daily_page(versions, details)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(building, "daily_page", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        build(history, tmp_path, Links())
    halfway = pages(tmp_path)
    assert changed(before, halfway) == {report_file(DAYS[2]), version_file(DAYS[2], 1)}
    assert set(before) <= set(halfway)
    monkeypatch.setattr(building, "daily_page", daily_page)
    assert build(history, tmp_path, Links()).waiting == 0
    assert rendering.SUPERSEDED.encode() in pages(tmp_path)[version_file(DAYS[0], 1)][1]


KILLED = """
import sys
from pathlib import Path
from esg_assets.site.files import SiteFolder
site = SiteFolder(Path(sys.argv[1]))
for number in range(10**9):
    site.write("page.html", f"<html>{str(number % 10) * 300_000}</html>")
    if number == 0:
        print("begun", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_page(tmp_path: Path) -> None:
    dice = random.Random(7)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "begun\n"
            time.sleep(dice.uniform(0.005, 0.04))
            writer.send_signal(signal.SIGKILL)
        page = (tmp_path / "page.html").read_bytes()
        assert re.fullmatch(rb"<html>(\d)\1{299999}</html>", without_digest(page))


def test_what_killed_writers_left_is_removed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = SiteFolder(tmp_path)
    site.prepare()
    left = tmp_path / HALF / "left.html"
    left.write_text("half a page")
    site.prepare()
    assert left.exists(), "another writer may be at it"
    monkeypatch.setattr(files, "LEFT_SECONDS", -1.0)
    site.prepare()
    assert not left.exists()


@pytest.fixture
def site(history: MemoryHistory, tmp_path: Path) -> Path:
    """Three dates, one of them corrected."""
    publish(history, NIGHTS[2], 1, 6)
    publish(history, NIGHTS[1], 2, 8)
    build(history, tmp_path / "site", Links())
    return tmp_path / "site"


def crawled(start: str, get: Callable[[str], str]) -> set[str]:
    """Every page that links lead to from a first one; each must be there, and of the same server."""
    found, waiting = set(), [start]
    while waiting:
        url = waiting.pop()
        if url in found:
            continue
        found.add(url)
        html = get(url)
        assert without_digest(html.encode()).rstrip().endswith(b"</html>")
        links = [each for each in re.findall(r'(?:href|src)="([^"]*)"', html) if not each.startswith("data:")]
        assert not [each for each in links if each.startswith(("/", "http"))], "a link that is not relative"
        waiting += [urljoin(url, each).partition("#")[0] for each in links]
    return found


@pytest.fixture
def under_a_path(site: Path, tmp_path: Path) -> Iterator[str]:
    """A web server that knows nothing of the site, which lies below a path of it."""
    shutil.copytree(site, tmp_path / "www" / "firm" / "esg")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    handler = partial(Quiet, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/firm/esg/"
        server.shutdown()


def test_any_web_server_serves_it_below_any_path(site: Path, under_a_path: str) -> None:
    def get(url: str) -> str:
        with urllib.request.urlopen(url) as answer:
            body: bytes = answer.read()
            return body.decode()

    found = crawled(f"{under_a_path}index.html", get)
    assert found == {under_a_path + name for name in pages(site)}


def test_a_bucket_serves_it(site: Path) -> None:
    """An S3 server knows no folders, and no page that stands for one: links name files."""
    for server in moto_s3():
        root = f"{server.endpoint}/{server.bucket}/esg/"
        for name, (_, html) in pages(site).items():
            kind = {"Content-Type": "text/html; charset=utf-8", "x-amz-acl": "public-read"}  # no login here
            requests.put(root + name, data=html, headers=kind, timeout=5).raise_for_status()

        def get(url: str) -> str:
            answer = requests.get(url, timeout=5)
            answer.raise_for_status()
            assert answer.headers["Content-Type"].startswith("text/html")
            return answer.text

        assert crawled(f"{root}index.html", get) == {root + name for name in pages(site)}
