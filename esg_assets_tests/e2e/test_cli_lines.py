"""Log lines as the command line writes them: to which stream, in which form, and what a kill leaves."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from esg_assets.adapters.otlp_logs import FLUSH_SECONDS
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.e2e.installation import DAY, Installation
from esg_assets_tests.otlp_server import Collector, collector
from esg_assets_tests.servers import free_ports

RATE = 100
ACCOUNTS = 600
LATE = 1.0
"""Seconds that a request may take on a busy machine, beyond FLUSH_SECONDS."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SimulatorServer(Options(accounts=ACCOUNTS, auth="none")) as server:
        yield server.url


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as found:
        yield found


def house(folder: Path, url: str, **settings: str) -> Installation:
    return Installation.new(folder / "home", url, ESG_PSEUDONYM_KEY="a-key-for-pseudonyms", **settings)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_an_answer_in_json_stands_alone_and_lines_are_on_standard_error_and_at_the_collector(
    tmp_path: Path, url: str, there: Collector
) -> None:
    done = house(tmp_path, url, OTEL_EXPORTER_OTLP_ENDPOINT=there.url).run("run", "--date", DAY, "--json")
    assert json.loads(done.out)["status"] == "published"
    assert all(line.startswith("{") for line in done.err.splitlines())
    lines = lines_of(done.err)
    assert (lines[0]["event"], lines[-1]["event"]) == ("run started", "run succeeded")
    assert sum(line["event"] == "asked the provider" for line in lines) == 1
    assert there.events() == [line["event"] for line in lines]


@pytest.mark.proof
def test_a_collector_that_is_away_costs_a_run_nothing_but_a_warning(tmp_path: Path, url: str) -> None:
    (nobody,) = free_ports(1)
    away = f"http://127.0.0.1:{nobody}"
    done = house(tmp_path, url, OTEL_EXPORTER_OTLP_ENDPOINT=away).run("run", "--date", DAY)
    assert done.status == 0
    said = [line for line in lines_of(done.out) if line["logger"] == "esg_assets.log_output"]
    assert [line["level"] for line in said] == ["warning", "warning"]
    assert "The run goes on" in said[0]["event"]
    assert "log lines did not reach OTEL_EXPORTER_OTLP_ENDPOINT" in said[1]["event"]


def test_a_killed_run_s_lines_are_at_the_collector(tmp_path: Path, url: str, there: Collector) -> None:
    installation = house(tmp_path, url, ESG_API_RATE_LIMIT=str(RATE), OTEL_EXPORTER_OTLP_ENDPOINT=there.url)
    with installation.started("run", "--date", DAY) as process:
        deadline = time.monotonic() + 60
        while "progress" not in there.events():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        killed_at = datetime.now(UTC)
        process.send(signal.SIGKILL)
        process.process.wait()
        out, _ = process.said()
    old = killed_at - timedelta(seconds=FLUSH_SECONDS + LATE)
    wanted = [line for line in lines_of(out) if datetime.fromisoformat(line["timestamp"]) <= old]
    assert wanted[0]["event"] == "run started"
    assert there.events()[: len(wanted)] == [line["event"] for line in wanted]
    assert "run succeeded" not in there.events()


@pytest.mark.proof
def test_a_terminated_run_s_last_line_is_at_the_collector(tmp_path: Path, url: str, there: Collector) -> None:
    installation = house(tmp_path, url, ESG_API_RATE_LIMIT=str(RATE), OTEL_EXPORTER_OTLP_ENDPOINT=there.url)
    with installation.started("run", "--date", DAY) as process:
        deadline = time.monotonic() + 60
        while "asking the provider" not in there.events():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send(signal.SIGTERM)
        done = process.end()
    assert done.status == 1
    assert there.events() == [line["event"] for line in lines_of(done.out)]
    assert there.events()[-1] in {"run failed", "run canceled"}
