"""A million accounts end to end in one process: flat engine, less than a gibibyte, cost by size.

Pages are made of aggregates alone: they cost the same whatever the number of accounts.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

GIBIBYTE_MIB = 1024
PAGE_BYTES = 250_000


def figures(accounts: int) -> dict[str, Any]:
    """One run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "esg_assets_tests.proof.scale_run", str(accounts)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_memory_hardly_grows_from_a_thousand_accounts_to_twenty_thousand() -> None:
    small, large = figures(1_000), figures(20_000)

    assert small["ok"]
    assert large["ok"]
    assert sum(large["counts"].values()) == large["calls"] == 20_000
    assert large["peak_mib"] - small["peak_mib"] < 100
    _pages_cost_the_same(small, large)


def _pages_cost_the_same(small: dict[str, Any], large: dict[str, Any]) -> None:
    few, many = small["pages"], large["pages"]
    assert many["peak_mib"] - few["peak_mib"] < 50
    assert many["cpu_seconds"] < 2 * few["cpu_seconds"] + 1
    assert max(few["report_page_bytes"], many["report_page_bytes"]) < PAGE_BYTES


@pytest.mark.proof
def test_a_million_accounts_take_less_than_a_gibibyte(capsys: pytest.CaptureFixture[str]) -> None:
    found = [figures(accounts) for accounts in (1_000, 10_000, 100_000, 1_000_000)]

    with capsys.disabled():
        for each in found:
            print(f"\n{each}")  # noqa: T201  # the figures are what the proof is for
    assert all(each["ok"] for each in found)
    assert found[-1]["calls"] == 1_000_000
    assert found[-1]["peak_mib"] < GIBIBYTE_MIB
    _pages_cost_the_same(found[0], found[-1])
