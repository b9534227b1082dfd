"""Both simulators against their OpenAPI files, by schemathesis: every check, every phase.

The files in the package are the contract as it was agreed. What a run adds to them, and why, stands
at `documented`; the only setting changed is that a 410 is a rightful answer to a cursor that nobody
handed out, as the contract says, though any string fits the parameter's schema.
"""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import bearer

CONTRACTS = files("esg_assets.simulators") / "contracts"
EXAMPLES = 40

API_KEY = '[auth.openapi.apiKey]\napi_key = "demo-api-key"\n'
BASIC = '[auth.openapi.basic]\nusername = "demo-client"\npassword = "demo-secret"\n'
STATIC = '[auth.openapi.bearer]\nbearer = "demo-bearer-token"\n'
CURSORS = (
    "[checks.positive_data_acceptance]\n"
    'expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "410", "429", "5xx"]\n'
)


def documented(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract with the refusals that the call for several accounts leaves out.

    It documents 200, 429 and 503 alone, although it is protected like its neighbour and has
    parameters that can be wrong: without these no server can refuse anything and keep to it.
    """
    several = contract["paths"].get("/v1/esg-ratings")
    if several is not None:
        for status in ("401", "403", "422"):
            several["get"]["responses"].setdefault(status, {"description": "As for one account"})
    return contract


def run(
    contract: str, url: str, config: str, folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    text = (CONTRACTS / f"{contract}.openapi.yaml").read_text(encoding="utf-8")
    (folder / "contract.yaml").write_text(yaml.safe_dump(documented(yaml.safe_load(text))), encoding="utf-8")
    (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"),
            *(
                "contract.yaml",
                "--url",
                url,
                "--checks",
                "all",
                "--continue-on-failure",
                "--seed",
                "20260114",
            ),
            *("--max-examples", str(EXAMPLES), "--no-color", *arguments),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("contract", "auth", "config"),
    [
        ("account_system", "api_key", API_KEY + CURSORS),
        ("account_system", "bearer", STATIC + CURSORS),
        ("esg_api", "api_key", API_KEY + BASIC),
    ],
)
def test_schemathesis_finds_nothing(tmp_path: Path, contract: str, auth: str, config: str) -> None:
    with SimulatorServer(Options(auth=auth, accounts=300, any_account=True, rate=100_000)) as server:
        result = run(contract, server.url, config, tmp_path)
        stats = server.stats()
    assert result.returncode == 0, result.stdout + result.stderr
    assert stats["answers"].get("200", 0) > 20 or stats["pages"] > 100
    assert not [status for status in stats["answers"] if status.startswith("5")]


def test_schemathesis_finds_nothing_with_an_oauth2_token(tmp_path: Path) -> None:
    """The token goes in as a header: schemathesis gets none by itself and does not probe oauth2."""
    with SimulatorServer(Options(accounts=300, any_account=True)) as server:
        header = f"Authorization: {bearer(server.url)['Authorization']}"
        result = run("esg_api", server.url, "", tmp_path, "--header", header)
        stats = server.stats()
    assert result.returncode == 0, result.stdout + result.stderr
    assert stats["answers"]["200"] > 20


def test_schemathesis_would_find_a_field_that_is_missing(tmp_path: Path) -> None:
    options = Options(auth="api_key", accounts=300, any_account=True, faults="missing_field")
    with SimulatorServer(options) as server:
        result = run("esg_api", server.url, API_KEY + BASIC, tmp_path, "--phases", "coverage")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Response violates schema" in result.stdout
