"""Whoever reaches the webserver can launch a run with any run config: it must not reach out or read secrets.

The webserver takes mutations by GET, from any site (seen on Dagster 1.13.27). So every config that could
send the run elsewhere, read an environment variable or pick a value's origin must be refused.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from esg_assets_tests.leak_search import assert_no_leak, find_leaks
from esg_assets_tests.pipeline.house import home_in_force
from esg_assets_tests.pipeline.served import LAUNCH, Served, launch_params, served

SECRET = "attackers-want-this-7041"
DAY = "2026-01-15"

LOCATION = {"repositoryLocationName": "esg_assets", "repositoryName": "__repository__"}

ASSETS_WITH_SWITCHES = {
    "active_accounts": ["refresh_snapshot", "current_accounts"],
    "esg_ratings": ["refresh"],
}
OTHER_ASSETS = ["encrypted_report_csv", "daily_summary"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment with a secret in settings of every kind."""
    with home_in_force(tmp_path_factory.mktemp("attacked")) as home, pytest.MonkeyPatch.context() as patch:
        for name in ("ESG_API_CLIENT_SECRET", "ESG_SMTP_URL", "ESG_API_KEY", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, SECRET)
        patch.setenv("PLANTED_TRUE", "true")
        patch.setenv("PLANTED_FAILED", "failed")
        yield home


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Served]:
    with served(home) as webserver:
        yield webserver


@pytest.fixture
def webserver(running: Served) -> Iterator[Served]:
    """The webserver, in the end without runs."""
    yield running
    for run in running.instance.get_runs():
        running.instance.delete_run(run.run_id)


def op(asset: str, **config: object) -> dict[str, object]:
    return {"ops": {asset: config}}


def refusals(answer: Mapping[str, Any]) -> list[str]:
    """What is wrong with the config, each error in words."""
    launched = answer["launchRun"]
    assert launched["__typename"] == "RunConfigValidationInvalid", launched
    return [error["message"] for error in launched["errors"]]


def resource_names(webserver: Served) -> list[str]:
    data = webserver.post(
        "query Names($s: RepositorySelector!) { repositoryOrError(repositorySelector: $s) "
        "{ ... on Repository { allTopLevelResourceDetails { name } } } }",
        {"s": LOCATION},
    )
    return [each["name"] for each in data["repositoryOrError"]["allTopLevelResourceDetails"]]


def test_a_run_can_be_launched_by_get_from_any_site(webserver: Served) -> None:
    # Not wanted, but Dagster's: it is why the other tests of this file matter.
    answer = webserver.get(LAUNCH, launch_params(DAY, {}))
    assert answer["launchRun"]["__typename"] == "LaunchRunSuccess"


def test_no_resource_and_no_io_manager_takes_any_config(webserver: Served) -> None:
    names = resource_names(webserver)
    assert {"esg_api", "account_source", "stores", "snapshot_io", "ratings_io", "io_manager"} <= set(names)
    for name in names:
        for config in (
            {"url": "https://attacker.example"},
            {"settings": {"config": {"api_url": "https://attacker.example"}}},
            {"settings": {"env": "ESG_API_KEY"}},
            {"base_dir": "/tmp"},
            {"env": "ESG_API_CLIENT_SECRET"},
            "https://attacker.example",
        ):
            params = launch_params(DAY, {"resources": {name: {"config": config}}})
            assert refusals(webserver.post(LAUNCH, params)), name
    assert webserver.instance.get_runs() == []


@pytest.mark.parametrize("name", ["nobody", "esg_api2"])
def test_no_resource_can_be_added(webserver: Served, name: str) -> None:
    assert refusals(webserver.get(LAUNCH, launch_params(DAY, {"resources": {name: {"config": {}}}})))


def test_no_switch_reads_the_environment(webserver: Served) -> None:
    for asset, switches in ASSETS_WITH_SWITCHES.items():
        for switch in switches:
            for variable in ("ESG_API_CLIENT_SECRET", "PLANTED_TRUE", "PLANTED_FAILED", "NO_SUCH_VARIABLE"):
                config = op(asset, config={switch: {"env": variable}})
                assert refusals(webserver.get(LAUNCH, launch_params(DAY, config)))
    assert webserver.instance.get_runs() == []


def test_an_answer_does_not_tell_whether_a_variable_is_set_or_true(webserver: Served) -> None:
    for asset, switches in ASSETS_WITH_SWITCHES.items():
        for switch in switches:
            told = set()
            for variable in ("PLANTED_TRUE", "PLANTED_FAILED", "ESG_API_KEY", "NO_SUCH_VARIABLE"):
                config = op(asset, config={switch: {"env": variable}})
                answer = json.dumps(webserver.post(LAUNCH, launch_params(DAY, config)))
                told.add(answer.replace(variable, "VARIABLE"))
            assert len(told) == 1


@pytest.mark.parametrize(
    "run_config",
    [
        *(op(asset, config={"url": "https://attacker.example"}) for asset in ASSETS_WITH_SWITCHES),
        *(op(asset, config={"anything": {"env": "ESG_API_KEY"}}) for asset in OTHER_ASSETS),
        *(op(asset, config={"env": "ESG_API_KEY"}) for asset in OTHER_ASSETS),
        op("esg_ratings", config={"refresh": "https://attacker.example"}),
        op("active_accounts", config={"current_accounts": "true"}),
        # What would read or write files if a type had a loader or a materializer.
        op("esg_ratings", inputs={"active_accounts": {"path": "/etc/passwd"}}),
        op("daily_summary", inputs={"esg_ratings": {"csv": {"path": "/etc/passwd"}}}),
        op("active_accounts", outputs=[{"result": {"csv": {"path": "/tmp/leak.csv"}}}]),
        {"inputs": {"active_accounts": {"value": "x"}}},
        {"execution": {"config": {"retries": {"env": "ESG_API_KEY"}}}},
        {"execution": {"config": {"marker_to_close": {"env": "ESG_API_KEY"}}}},
        {"execution": {"config": {"multiprocess": {"max_concurrent": 4}}}},
        {"execution": {"config": {"start_method": {"forkserver": {"preload_modules": ["antigravity"]}}}}},
        {"loggers": {"console": {"config": {"log_level": {"env": "ESG_API_KEY"}}}}},
        {"loggers": {"console": {"config": {"name": {"env": "ESG_API_KEY"}}}}},
        {"loggers": {"cloudwatch_logger": {"config": {"log_group_name": "attacker"}}}},
        {"loggers": {"console": {"config": {"path": "/tmp/leak.log"}}}},
        {"env": "ESG_API_KEY"},
    ],
    ids=lambda config: json.dumps(config)[:70],
)
def test_other_config_is_refused_too(webserver: Served, run_config: dict[str, object]) -> None:
    for ask in (webserver.post, webserver.get):
        assert refusals(ask(LAUNCH, launch_params(DAY, run_config)))
    assert webserver.instance.get_runs() == []


def test_nothing_that_is_asked_shows_a_value_of_the_environment(webserver: Served, home: Path) -> None:
    answers = []
    for name in resource_names(webserver):
        details = webserver.post(
            "query Details($s: ResourceSelector!) { topLevelResourceDetailsOrError(resourceSelector: $s) "
            "{ ... on ResourceDetails { name description configFields { name } configuredValues { key value "
            "type } nestedResources { name } } } }",
            {"s": {**LOCATION, "resourceName": name}},
        )["topLevelResourceDetailsOrError"]
        answers.append(details)
        assert [c for c in details["configuredValues"] if c["type"] != "VALUE"] == []
    for config in (op("esg_ratings", config={"refresh": {"env": "ESG_API_KEY"}}), {}):
        answers.append(webserver.post(LAUNCH, launch_params(DAY, config)))
        answers.append(
            webserver.post(
                "query Valid($c: RunConfigData, $s: PipelineSelector!) { isPipelineConfigValid(pipeline: $s, "
                'runConfigData: $c, mode: "default") { __typename ... on RunConfigValidationInvalid { errors '
                "{ message } } } }",
                {"c": config, "s": {**LOCATION, "pipelineName": "nightly_esg_report"}},
            )
        )
    answers.append(
        webserver.post("{ runsOrError { ... on Runs { results { runConfigYaml tags { key value } } } } }")
    )
    answers.append(webserver.post("{ instance { info } }"))
    texts = {"answers": json.dumps(answers)}
    folders = [path for path in home.iterdir() if path.name != "keys"]
    assert_no_leak([SECRET], folders=folders, texts=texts)
    assert find_leaks([SECRET], texts={"planted": json.dumps([*answers, {"key": SECRET}])})
