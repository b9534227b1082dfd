"""The example proxy in front of Dagster's webserver: what it lets through, and what it stops."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.deploy.proxy import EDITOR, EDITORS, OTHER, VIEWER, VIEWERS, Door, door
from esg_assets_tests.e2e.dagster_ui import JOB, LAUNCH, REPOSITORY, dagster_dev
from esg_assets_tests.e2e.installation import Installation

DAY = "2026-01-06"
PARAMS = {
    "params": {
        "selector": {**REPOSITORY, "jobName": JOB},
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": DAY}]},
    }
}
VERSION = "{ version }"
PAGE = b"__NEXT_DATA__"
"""Is in every page of the UI, and in no answer to a query."""
SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Protocol": "graphql-ws",
}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("proxy")
    with SimulatorServer(Options(accounts=5, auth="none", inactive=0, unrated=0)) as server:
        house = Installation.new(folder / "home", server.url)
        with dagster_dev(house) as ui, door(folder, ui) as made:
            yield made


def launched(proxied: Door) -> list[str]:
    return [run["runId"] for run in proxied.ui.runs(pipelineName=JOB)]


@pytest.mark.parametrize(("host", "login"), [(EDITORS, EDITOR), (VIEWERS, VIEWER)])
def test_the_ui_loads_with_a_login_and_not_without(proxied: Door, host: str, login: str) -> None:
    page = proxied.ask("GET", "/runs", host=host, login=login)
    assert page.status == 200
    assert PAGE in page.body
    assert proxied.ask("GET", "/runs", host=host, login=None).status == 401
    assert proxied.ask("GET", "/runs", host=host, login=f"{login}x").status == 401
    assert proxied.post(VERSION, {}, host=host, login=None).status == 401
    assert proxied.post(VERSION, {}, host=host, login=login).data["version"]


def test_a_viewers_login_does_not_open_the_editors_site(proxied: Door) -> None:
    assert proxied.ask("GET", "/", host=EDITORS, login=VIEWER).status == 401
    assert proxied.post(LAUNCH, PARAMS, host=EDITORS, login=VIEWER).status == 401


def test_an_editor_launches_a_run_that_makes_the_report(proxied: Door) -> None:
    answer = proxied.post(LAUNCH, PARAMS)
    assert answer.status == 200, answer.body
    told = answer.data["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess", told
    assert proxied.ui.ended(told["run"]["runId"]) == "SUCCESS"


def test_a_viewer_cannot_launch_a_run(proxied: Door) -> None:
    before = launched(proxied)
    answer = proxied.post(LAUNCH, PARAMS, host=VIEWERS, login=VIEWER)
    assert answer.data["launchRun"]["__typename"] == "UnauthorizedError"
    assert launched(proxied) == before


@pytest.mark.parametrize(
    "path",
    [
        "/graphql",
        "/graph%71l",
        "//graphql",
        "/./graphql",
        "/x/../graphql",
        "/GRAPHQL",
        "/graphql/",
        "/graphql;x",
    ],
)
def test_a_launch_by_get_is_refused_also_with_a_login(proxied: Door, path: str) -> None:
    # On the bare webserver it works: pipeline/test_run_config_attacks.py.
    before = launched(proxied)
    query = urlencode({"query": LAUNCH, "variables": json.dumps(PARAMS)})
    for extra in ({}, {"Origin": proxied.origin(EDITORS)}, {"Origin": "https://attacker.example"}):
        answer = proxied.ask("GET", f"{path}?{query}", **extra)
        assert answer.status >= 400 or PAGE in answer.body
    assert launched(proxied) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "text/plain; application/json"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/graphql"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": f"https://{VIEWERS}"},
        {"Origin": ""},
    ],
    ids=lambda changed: " ".join(f"{name} {value}" for name, value in changed.items()),
)
def test_a_post_that_another_site_could_make_is_refused(proxied: Door, changed: dict[str, str]) -> None:
    before = launched(proxied)
    answer = proxied.post(LAUNCH, PARAMS, **changed)
    assert answer.status == 403
    assert launched(proxied) == before


@pytest.mark.parametrize("host", [OTHER, "127.0.0.1", "localhost", "attacker.example"])
def test_a_request_for_another_host_meets_nothing(proxied: Door, host: str) -> None:
    name = OTHER if host == OTHER else EDITORS  # a name in TLS that the server has a certificate for
    origin = proxied.origin(host)
    answer = proxied.post(VERSION, {}, host=host, server_name=name, Origin=origin)
    assert answer.status == 421
    assert proxied.ask("GET", "/", host=host, server_name=name).status == 421


@pytest.mark.parametrize(
    "path",
    ["/report_asset_materialization/esg_ratings", "/report_asset_check/esg_ratings?check_name=x&passed=true"],
)
def test_events_cannot_be_written_past_graphql(proxied: Door, path: str) -> None:
    origin = proxied.origin(EDITORS)
    for kind in ("application/json", "text/plain"):
        answer = proxied.ask("POST", path, body="{}", Origin=origin, Content_Type=kind)
        assert answer.status == 403


def test_subscriptions_come_through_from_the_sites_own_pages_only(proxied: Door) -> None:
    assert proxied.ask("GET", "/graphql", Origin=proxied.origin(EDITORS), **SOCKET).status == 101
    for origin in ("https://attacker.example", proxied.origin(VIEWERS), "null"):
        assert proxied.ask("GET", "/graphql", Origin=origin, **SOCKET).status == 403
    assert proxied.ask("GET", "/graphql", **SOCKET).status == 403
    assert proxied.ask("GET", "/graphql", login=None, Origin=proxied.origin(EDITORS), **SOCKET).status == 401


def test_a_body_that_is_too_large_is_refused(proxied: Door) -> None:
    assert proxied.post(VERSION + " " * (1 << 20), {}).status == 413


def test_every_answer_carries_the_headers_that_protect_a_browser(proxied: Door) -> None:
    for answer in (
        proxied.ask("GET", "/runs"),
        proxied.ask("GET", "/graphql"),
        proxied.ask("GET", "/", login=None),
    ):
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Server" not in answer.headers


def test_plain_http_is_not_spoken(proxied: Door) -> None:
    with socket.create_connection(("127.0.0.1", proxied.port), timeout=10) as plain:
        plain.sendall(f"GET / HTTP/1.1\r\nHost: {EDITORS}\r\nConnection: close\r\n\r\n".encode())
        assert plain.recv(100).startswith(b"HTTP/1.0 400")
