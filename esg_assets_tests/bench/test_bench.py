"""The bench's own parts: its counting, its tables and plot, and our contender through a kill.

What it measures is asserted nowhere: that takes a quiet machine, and the peers' installation.
"""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from esg_assets_tests.bench import nginx, plot, report, series
from esg_assets_tests.bench.access_log import Calls, read_calls
from esg_assets_tests.bench.contenders.task import Task
from esg_assets_tests.bench.running import Contender, ContenderFailed, Cost, run, run_with_a_kill
from esg_assets_tests.bench.series import Run
from esg_assets_tests.bench.small_server import small_server

OURS = Contender("ours", "esg_assets_tests.bench.contenders.ours")


def task(folder: Path, url: str, accounts: int, rate: float) -> Task:
    folder.mkdir(exist_ok=True)
    ids = folder / "accounts.txt"
    ids.write_text("".join(f"ACC-{n}\n" for n in range(accounts)), encoding="utf-8")
    return Task(url, "", nginx.TOKEN, series.AS_OF, str(ids), rate, 4, str(folder))


def test_the_log_tells_calls_refusals_repetitions_and_the_span() -> None:
    calls = read_calls(["10.500 0.500 200 A", "11.000 0.001 429 B", "12.000 0.250 200 B", "12.250 0.1 200 A"])

    assert calls == Calls(count=4, refusals=1, rated=2, repeated=1, span_seconds=2.25)


def test_a_log_without_calls_is_no_calls() -> None:
    assert read_calls([]) == Calls(0, 0, 0, 0, 0.0)


def test_our_contender_collects_every_rating_and_its_cost_is_measured(tmp_path: Path) -> None:
    with small_server(tmp_path / "calls.log") as url:
        cost = run(OURS, task(tmp_path / "out", url, 25, rate=0), timeout_seconds=60)

    calls = read_calls((tmp_path / "calls.log").read_text(encoding="utf-8").splitlines())
    assert (calls.count, calls.rated, calls.repeated) == (25, 25, 0)
    assert cost.cpu_seconds > 0
    assert cost.peak_mb > 10


def test_our_contender_goes_on_after_a_kill(tmp_path: Path) -> None:
    log = tmp_path / "calls.log"
    with small_server(log) as url:
        calls = run_with_a_kill(OURS, task(tmp_path / "out", url, 80, rate=20), log, timeout_seconds=60)

    assert calls.rated == 80
    assert calls.repeated <= 20 * 1 + 4 + 20  # 1 s of rate, in flight, and 1 s for a machine that is busy


def test_a_contender_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ContenderFailed, match="ours ended with status 1"):
        run(OURS, task(tmp_path / "out", "http://not-loopback.invalid", 5, rate=0), timeout_seconds=60)


def test_a_contender_that_hangs_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    program.chmod(0o700)

    with pytest.raises(ContenderFailed, match="longer than"):
        run(
            Contender("sleeper", "any", str(program)),
            task(tmp_path / "out", "http://127.0.0.1:1", 1, rate=0),
            timeout_seconds=0.2,
        )


@pytest.fixture
def results() -> report.Results:
    def figures(name: str, cpu: float) -> list[Run]:
        return [
            Run(name, n, rate, Cost(n / 500 + 1, cpu * n / 1000, 60.0), Calls(n, 0, n, 0, n / 500))
            for n in (1, 1000, 10_000)
            for rate in (0.0, 500.0)
            for _round in range(3)
        ]

    runs = figures("ours", 0.3) + figures("aiohttp + aiolimiter", 0.5) + figures("dlt", 0.2)
    return report.Results(
        names=["ours", "aiohttp + aiolimiter", "dlt"],
        sizes=[1000, 10_000],
        large=0,
        long=0,
        rate=500.0,
        figures=series.medians(runs),
        repeated={"ours": 10, "aiohttp + aiolimiter": 5000, "dlt": 5000},
        circumstances=["- a machine"],
    )


def test_the_document_holds_ratios_to_ours_and_says_where_a_peer_is_ahead(results: report.Results) -> None:
    text = report.document(results, "benchmarks.svg")

    assert (
        "| ours | 1.000 (x1.00) | 1.050 (x1.00) | 0 | 3.00 (x1.00) | 3.00 (x1.00) | 60 (x1.00) | 10 (x1.00) |"
        in text
    )
    assert "| 5.00 (x1.67) | 5.00 (x1.67) | 60 (x1.00) | 5,000 (x500.00) |" in text
    assert (
        "Our CPU over that of aiohttp + aiolimiter, 10,000 accounts: 0.60 (target at most 0.7: reached)"
        in text
    )
    assert "- dlt, 10,000 accounts, limit 500/s: CPU-s 2.00 against 3.00" in text
    assert "- aiohttp" not in text.partition("## Where a peer is ahead")[2].partition("## Cost")[0]


def test_the_plot_is_svg_with_a_line_for_each_contender_and_panel(results: report.Results) -> None:
    panels = {"No limit": report.cost_lines(results, 0.0), "Limit": report.cost_lines(results, 500.0)}

    root = ET.fromstring(plot.svg(panels, "accounts", "CPU-s & more"))

    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 6
    assert all(len(str(line.get("points")).split()) == 2 for line in lines)


def test_nginx_is_told_of_the_limit_only_where_there_is_one(tmp_path: Path) -> None:
    configuration = nginx.configuration(tmp_path, 8443, rate=500)

    assert "limit_req zone=provider burst=50 nodelay;" in configuration
    assert "rate=500r/s" in configuration
    assert '"account_id":"$account","as_of":"$arg_as_of"' in configuration
    assert "burst" not in nginx.configuration(tmp_path, 8443, rate=0)
