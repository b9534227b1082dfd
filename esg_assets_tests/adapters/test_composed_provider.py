"""Settings become a provider's client: what ESG_API_MAPPING and ESG_API_ACCOUNTS_PER_CALL come to."""

import socket
from pathlib import Path

import pytest

from esg_assets import composition
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.ratings import Status
from esg_assets.core.replies import judge_many
from esg_assets.settings import load_settings
from esg_assets.settings.model import Settings
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.adapters.esg_api_calls import AS_OF
from esg_assets_tests.adapters.provider_mappings import EXAMPLES, SMALL, canonical, changed
from esg_assets_tests.raw_server import answer, raw_server


def settings(tmp_path: Path, **variables: str) -> Settings:
    return load_settings(environ={"DAGSTER_HOME": str(tmp_path), **variables}, dotenv=None)


def test_without_a_mapping_the_contract_is_in_force(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ESG_API_URL="http://127.0.0.1:1", ESG_API_AUTH="none")
    assert composition.rules(loaded).ratings_mapping == ""
    api = composition.ratings_api(loaded)
    assert api.accounts_per_call == 1
    api.close()


def test_several_accounts_per_call_go_to_the_contracts_other_endpoint(tmp_path: Path) -> None:
    with SimulatorServer(Options(any_account=True, unrated=0.0, auth="none")) as server:
        loaded = settings(
            tmp_path, ESG_API_URL=server.url, ESG_API_AUTH="none", ESG_API_ACCOUNTS_PER_CALL="25"
        )
        api = composition.ratings_api(loaded)
        ids = [f"ACC/{n}" for n in range(api.accounts_per_call)]
        judged = judge_many(api.ask_many(ids, AS_OF), ids, AS_OF, (), composition.reply_shapes().of(""))
        api.close()
        assert server.stats()["calls"] == 1
    assert [one.status for one in judged.values()] == [Status.SUCCESS] * 25


def test_a_mapping_is_frozen_as_its_canonical_text_and_makes_the_calls(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path,
        ESG_API_URL="http://127.0.0.1:1",
        ESG_API_AUTH="none",
        ESG_API_MAPPING=str(EXAMPLES / "lseg.yaml"),
        ESG_API_ACCOUNTS_PER_CALL="40",
    )
    frozen = composition.rules(loaded).ratings_mapping
    assert frozen.startswith('{"reply":{"account_id":"instrument"')
    assert composition.reply_shapes().of(frozen).omits_unrated
    api = composition.ratings_api(loaded)
    assert api.accounts_per_call == 40
    api.close()


def test_parameters_of_the_token_request_are_sent(tmp_path: Path) -> None:
    def talk(connection: socket.socket, request: bytes) -> None:
        token = b'{"access_token": "t", "token_type": "Bearer", "expires_in": 60}'
        connection.sendall(answer(200, token if b"/token" in request else b"{}"))

    with raw_server(talk) as server:
        loaded = settings(
            tmp_path,
            ESG_API_URL=server.url,
            ESG_API_TOKEN_URL=f"{server.url}/token",
            ESG_API_CLIENT_ID="id",
            ESG_API_CLIENT_SECRET="secret",
            ESG_API_MAPPING=canonical(changed("request.token", {"audience": "https://esg/data", "n": 1})),
        )
        api = composition.ratings_api(loaded)
        assert api.ask("A", AS_OF).status == 200
        api.close()
    body = server.requests[0].partition(b"\r\n\r\n")[2]
    assert body == b"audience=https%3A%2F%2Fesg%2Fdata&n=1&grant_type=client_credentials"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ESG_API_ACCOUNTS_PER_CALL": "101"}, "at most 100, as the contract allows"),
        (
            {"ESG_API_ACCOUNTS_PER_CALL": "2", "ESG_API_MAPPING": canonical(SMALL)},
            "at most 1, as ESG_API_MAPPING says",
        ),
        ({"ESG_API_MAPPING": "{request: {}}"}, "ESG_API_MAPPING: wanted the key reply"),
    ],
)
def test_what_the_provider_cannot_take_is_refused_before_any_call(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    loaded = settings(tmp_path, ESG_API_URL="http://127.0.0.1:1", ESG_API_AUTH="none", **variables)
    with pytest.raises(SettingsWrong, match=said):
        composition.ratings_api(loaded)


def test_rules_refuse_a_mapping_that_is_wrong_or_lacks_a_metric(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="wanted the key request"):
        composition.rules(settings(tmp_path, ESG_API_MAPPING="{reply: {}}"))
    with pytest.raises(SettingsWrong, match="wanted waci, since ESG_METRICS"):
        composition.rules(settings(tmp_path, ESG_API_MAPPING=canonical(SMALL), ESG_METRICS="waci:t:lower"))
