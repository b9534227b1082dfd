"""`esg-assets doctor` tries ESG_API_MAPPING on one account, and says where it does not fit."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from esg_assets.cli import main as cli
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.adapters.provider_mappings import EXAMPLES

ACCOUNT = "SECRET-7"
RATINGS = (
    "account_id,as_of,overall_score,environmental_score,social_score,governance_score,primary_focus\n"
    f"{ACCOUNT},2026-01-02,52.50,50,61.25,40,social\n"
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorServer]:
    """MSCI's shape, with a rating of one account."""
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    path.write_text(RATINGS, encoding="utf-8")
    with SimulatorServer(Options(provider="msci", ratings_file=str(path), auth="bearer")) as server:
        yield server


@pytest.fixture
def house(simulator: SimulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings for the provider and one account; keys are not looked at here."""
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("ESG_"):
            monkeypatch.delenv(name)
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"account_id,status\n{ACCOUNT},active\n", encoding="utf-8")
    for name, value in {
        "DAGSTER_HOME": str(tmp_path),
        "ESG_ACCOUNTS_URL": str(accounts),
        "ESG_API_URL": simulator.url,
        "ESG_API_AUTH": "bearer",
        "ESG_API_BEARER_TOKEN": simulator.options.bearer_token,
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def verdict(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """State and text of what was found of the ESG API."""
    cli.run(["doctor", "--json"])
    captured = capsys.readouterr()
    assert ACCOUNT not in captured.out + captured.err
    (found,) = [check for check in json.loads(captured.out)["checks"] if check["name"] == "ESG API"]
    return found["state"], found["text"]


def test_a_mapping_that_fits_is_ok_after_one_call(
    house: pytest.MonkeyPatch, simulator: SimulatorServer, capsys: pytest.CaptureFixture[str]
) -> None:
    house.setenv("ESG_API_MAPPING", str(EXAMPLES / "msci.yaml"))
    before = simulator.stats()["calls"]
    state, text = verdict(capsys)
    assert state == "ok"
    assert text.endswith("answered 200 to a test call, which ESG_API_MAPPING reads as a rating")
    assert simulator.stats()["calls"] == before + 1


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("reply.fields.overall_score.path", "SCORE", "(score_invalid); see the paths of the scores"),
        ("reply.fields.overall_score.scale", [0, 2], "(score_out_of_range); see the scales"),
        ("reply.fields.as_of.format", "%d/%m/%Y", "(as_of_invalid); see reply.fields.as_of"),
        ("reply.account_id", "ISSUER", "(wrong_account); see reply.account_id"),
        ("reply.entries", "issuers", "(entries_not_found); see reply.entries"),
        ("request.path", "/esg/data/v9.0/issuers", "answered 404 for a list of accounts; see request.path"),
        ("request.body.limit", "all", "answered 400 to a test call; see ESG_API_URL and ESG_API_MAPPING"),
        ("reply.fields.overall_score.scale", [2, 0], "reply.fields.overall_score.scale: wanted the lowest"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_the_place_to_look(
    house: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, value: object, said: str
) -> None:
    mapping = yaml.safe_load((EXAMPLES / "msci.yaml").read_text(encoding="utf-8"))
    if place == "reply.entries":
        del mapping["reply"]["errors"]
    at = mapping
    *before, last = place.split(".")
    for name in before:
        at = at[name]
    at[last] = value
    house.setenv("ESG_API_MAPPING", yaml.safe_dump(mapping))
    state, text = verdict(capsys)
    assert state == "wrong"
    assert said in text


def test_without_an_account_at_hand_only_the_way_in_is_tried(
    house: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,status\n", encoding="utf-8")
    house.setenv("ESG_API_MAPPING", str(EXAMPLES / "msci.yaml"))
    state, text = verdict(capsys)
    assert state == "ok"
    assert text.endswith("reads as not_covered; its fields were not tried")


def test_a_metric_that_the_mapping_lacks_is_wrong(
    house: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.setenv("ESG_API_MAPPING", str(EXAMPLES / "msci.yaml"))
    house.setenv("ESG_METRICS", "waci:t:lower")
    assert verdict(capsys) == (
        "wrong",
        "ESG_API_MAPPING, reply.fields.metrics: wanted waci, since ESG_METRICS names it.",
    )
