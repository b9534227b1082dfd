"""The readers' pages in Dagster and on the command line: made after a publication, told of, shown."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import dagster as dg
import pytest

from esg_assets.adapters.database.history import SqlHistory
from esg_assets.cli import main as cli
from esg_assets.core.errors import StoreUnavailable
from esg_assets.settings import load_settings
from esg_assets.site_upkeep import bring_up_to_date, report_pages_sensor
from esg_assets_tests.site.month import LAST, nights, publish


@pytest.fixture
def site(esg_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two published reports, and the folder that its pages go to."""
    folder = esg_home / "pages"
    monkeypatch.setenv("ESG_SITE_FOLDER", str(folder))
    history = SqlHistory(f"sqlite:///{esg_home}/history.sqlite")
    for number, night in enumerate(list(nights().values())[-2:]):
        publish(history, night, 1, 2 * number + 2)
    return folder


def tick(home: Path, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    resources = {
        "history": SqlHistory(f"sqlite:///{home}/history.sqlite"),
        "settings": load_settings(tolerant=True),
    }
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context,
    ):
        found = report_pages_sensor(context)
    assert isinstance(found, dg.SensorResult | dg.SkipReason)
    return found


def test_the_sensor_makes_pages_once_for_what_was_published_and_tells_dagster(
    site: Path, esg_home: Path
) -> None:
    first = tick(esg_home, None)
    assert isinstance(first, dg.SensorResult)
    assert str(first.skip_reason) == "SkipReason(skip_message='wrote 9 pages')"
    (made,) = first.asset_events
    assert isinstance(made, dg.AssetMaterialization)
    assert made.asset_key == dg.AssetKey("esg_site")
    assert made.metadata["latest"] == dg.MetadataValue.path(str(site / "reports" / str(LAST) / "index.html"))
    assert (site / "latest" / "index.html").is_file()
    again = tick(esg_home, first.cursor)
    assert isinstance(again, dg.SkipReason)
    assert again.skip_message == "every page is up to date"


def test_a_page_that_can_not_be_written_fails_the_tick_and_says_what_to_do(site: Path) -> None:
    site.write_text("in the way")
    with pytest.raises(
        StoreUnavailable,
        match=r"Writing the page .*Give the site's folder, .*\(ESG_SITE_FOLDER\), .*site build",
    ):
        bring_up_to_date()


@pytest.mark.usefixtures("site")
def test_a_process_of_pages_that_takes_too_long_is_ended() -> None:
    with pytest.raises(StoreUnavailable, match="took more than 0 s and was ended"):
        bring_up_to_date(limit=0.01)


def test_the_command_builds_what_is_out_of_date_and_answers_as_promised(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["site", "build", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(site), "pages": 9}
    before = (site / "reports" / str(LAST) / "index.html").stat().st_mtime_ns
    assert cli.run(["site", "build"]) == 0
    assert "0 pages written; 2 reports." in capsys.readouterr().out
    assert (site / "reports" / str(LAST) / "index.html").stat().st_mtime_ns == before
    (site / "trends" / "year.html").unlink()
    assert cli.run(["site", "build"]) == 0
    assert "1 page written; 2 reports." in capsys.readouterr().out


@pytest.fixture
def served(site: Path, esg_home: Path) -> Iterator[str]:
    assert cli.run(["site", "build"]) == 0
    program = str(Path(sys.executable).with_name("esg-assets"))
    command = [program, "site", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=esg_home, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()
    assert process.returncode == 0


def test_pages_are_shown_on_loopback_and_no_folder_is_listed(served: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", served)
    with urllib.request.urlopen(served) as page:
        assert "ESG reports" in page.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served}reports/")


def asked(url: str, **headers: str) -> tuple[int, Message]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, error.headers


def test_every_answer_has_headers_that_keep_other_sites_out(served: str) -> None:
    for path, status in (("", 200), ("reports/", 404), ("nothing.html", 404)):
        found, headers = asked(served + path)
        assert found == status
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"].strip() == "esg_assets"


def test_another_host_and_hidden_files_are_refused(served: str, site: Path) -> None:
    assert asked(served, Host="firm.example")[0] == 421
    (site / ".half" / "left.html").write_text("half a page")
    assert asked(f"{served}.half/left.html")[0] == 404
    assert asked(f"{served}latest/%2e%2e/.half/left.html")[0] == 404
    port = int(served.split(":")[2].strip("/"))
    with pytest.raises(ConnectionRefusedError):  # a server that listens everywhere would answer there too
        socket.create_connection(("127.0.0.2", port)).close()


def test_without_a_site_the_commands_say_so_and_the_sensor_rests(
    esg_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["site", "build"]) == 2
    assert "ESG_SITE_FOLDER holds none" in capsys.readouterr().err
    resting = tick(esg_home, None)
    assert isinstance(resting, dg.SkipReason)
    assert resting.skip_message == "ESG_SITE_FOLDER is none: no pages are kept"
