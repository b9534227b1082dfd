"""`esg-assets metrics push` to a real Pushgateway, and to gateways that refuse or are gone."""

import base64
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from prometheus_client import CollectorRegistry

from esg_assets import exporter
from esg_assets.adapters import metrics_gateway
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.cli import main as cli
from esg_assets.core.errors import ChannelRefused, ChannelUnavailable
from esg_assets.core.history import RunRecord
from esg_assets_tests.monitoring.monitors import pushgateway
from esg_assets_tests.pipeline.house import home_in_force
from esg_assets_tests.servers import free_ports

NOW = datetime.now(UTC)
RUN = RunRecord("run", NOW.date(), "failed", NOW, NOW)


@pytest.fixture(scope="module")
def gateway(programs: Mapping[str, Path]) -> Iterator[str]:
    with pushgateway(programs["prometheus-pushgateway"]) as url:
        yield url


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a failed run in its history."""
    with home_in_force(tmp_path) as made:
        SqlHistory(f"sqlite:///{made}/history.sqlite").record_run(RUN)
        (made / "dagster.yaml").touch()
        yield made


def kept(gateway: str) -> list[str]:
    """What the gateway holds of ours."""
    return [
        line
        for line in requests.get(f"{gateway}/metrics", timeout=10).text.splitlines()
        if line.startswith("esg_")
    ]


def test_everything_is_one_group_of_the_environment_and_what_is_no_more_goes(
    gateway: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ESG_METRICS_PUSH_URL", gateway)
    monkeypatch.setenv("ESG_DATABASE_URL", f"sqlite:///{home}/history.sqlite")
    assert cli.run(["metrics", "push"]) == 0
    assert capsys.readouterr().out == "Every metric was pushed.\n"
    found = kept(gateway)
    assert {line.partition("{")[0] for line in found} >= {
        "esg_up",
        "esg_runs_total",
        "esg_last_run_end_timestamp_seconds",
    }
    assert all('env="dev"' in line and 'job="esg_assets"' in line for line in found)

    # The last run is forgotten: its metrics must not stand in the gateway for ever.
    other = home / "other.sqlite"
    SqlHistory(f"sqlite:///{other}")
    monkeypatch.setenv("ESG_DATABASE_URL", f"sqlite:///{other}")
    assert cli.run(["metrics", "push"]) == 0
    assert not [line for line in kept(gateway) if line.startswith("esg_last_run_end")]


def test_of_a_source_that_does_not_answer_the_gateway_keeps_what_it_said(
    gateway: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exporter, "BUSY_SECONDS", 0.05)
    monkeypatch.setenv("ESG_METRICS_PUSH_URL", gateway)
    monkeypatch.setenv("ESG_DATABASE_URL", f"sqlite:///{home}/history.sqlite")
    assert cli.run(["metrics", "push"]) == 0
    locked = sqlite3.connect(home / "history.sqlite", isolation_level=None)
    locked.execute("PRAGMA locking_mode=EXCLUSIVE")
    locked.execute("BEGIN EXCLUSIVE")
    try:
        capsys.readouterr()
        assert cli.run(["metrics", "push"]) == 1
    finally:
        locked.close()
    assert capsys.readouterr().out == "Pushed, without those of: history, alerts.\n"
    found = kept(gateway)
    assert [line for line in found if line.startswith("esg_last_run_end")]
    (up,) = [line for line in found if line.startswith("esg_up{")]
    assert up.endswith(" 0")


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[str]]]:
    """A server that answers so to everything; yields its address and the credentials that it gets."""
    credentials: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            credentials.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://esg:hunter2@127.0.0.1:{server.server_address[1]}", credentials
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ChannelRefused),
        (400, ChannelRefused),
        (302, ChannelRefused),
        (429, ChannelUnavailable),
        (503, ChannelUnavailable),
    ],
)
def test_a_gateway_that_refuses_is_told_by_its_status_and_no_secret_is(
    status: int, error: type[Exception]
) -> None:
    with answering(status) as (url, credentials), pytest.raises(error) as caught:
        metrics_gateway.push(url, CollectorRegistry(), "prod", replace=True)
    assert f"answered {status}" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert credentials == [f"Basic {base64.b64encode(b'esg:hunter2').decode()}"]


def test_a_gateway_that_is_gone_is_unavailable() -> None:
    (port,) = free_ports(1)
    with pytest.raises(ChannelUnavailable, match="does not answer") as caught:
        metrics_gateway.push(
            f"http://esg:hunter2@127.0.0.1:{port}", CollectorRegistry(), "prod", replace=True
        )
    assert "hunter2" not in str(caught.value)


def test_without_an_address_it_says_which_setting_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["metrics", "push"]) == 2
    said = capsys.readouterr().err
    assert "ESG_METRICS_PUSH_URL is not set" in said
    assert "the address of a Prometheus Pushgateway" in said
    assert "set it in the environment, or in .env" in said


def test_a_port_that_is_taken_is_said_in_a_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], gateway: str
) -> None:
    port = gateway.rpartition(":")[2]
    assert cli.run(["metrics", "serve", "--port", port]) == 1
    told = capsys.readouterr().err
    assert f"Serving metrics on 127.0.0.1:{port} failed (Address already in use)." in told
    assert cli.run(["metrics", "serve", "--port", "0", "--bind", "no address"]) == 1
    assert "Give another --port or --bind." in capsys.readouterr().err
