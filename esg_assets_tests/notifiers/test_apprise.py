"""Apprise, in a process of its own, against a JSON service over HTTPS."""

import json
import time
from pathlib import Path

import pytest

from esg_assets.adapters.notifiers.apprise import AppriseChannel, short
from esg_assets.core.alerts.incidents import State
from esg_assets.core.alerts.wording import words_of
from esg_assets.core.errors import ChannelUnavailable
from esg_assets_tests.notifiers.http_stubs import JsonService, served
from esg_assets_tests.notifiers.material import PLACES, message
from esg_assets_tests.raw_server import answer


def channel(urls: str, ca: Path | None, seconds: float = 15) -> AppriseChannel:
    return AppriseChannel(urls, places=PLACES, ca=ca, seconds=seconds)


def test_a_service_gets_a_short_text_whatever_proxies_the_environment_names(
    json_service: JsonService, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert channel(json_service.url, ca).deliver(message()) == "1 of 1 services"

    sent = json.loads(json_service.bodies[0])
    assert sent["title"] == "[ESG report prod] ERROR: Run failed, 2026-11-24"
    assert sent["type"] == "failure"
    assert sent["message"].startswith("ERROR: Run failed, report of 24 November 2026.")
    assert "https://docs.example.com/operations#run-failed" in sent["message"]


def test_the_text_is_short_and_the_links_are_whole() -> None:
    words = words_of(message(facts={"note": "long " * 900}), PLACES)

    assert len(short(words)) < 1000
    assert short(words).endswith("Reports and figures: https://esg.example.com")


def test_of_several_services_the_repeat_goes_to_those_that_did_not_take_it(
    json_service: JsonService, ca: Path
) -> None:
    with served(JsonService()) as other:
        other.orders.append(answer(500))
        both = f"{json_service.url}, {other.url}"
        with pytest.raises(ChannelUnavailable, match=r"1 of 2 Apprise services did not take the message"):
            channel(both, ca).deliver(message(State.RESOLVED))

        assert channel(both, ca).deliver(message(State.RESOLVED)) == "2 of 2 services"
        assert len(json_service.bodies) == 1
        assert len(other.bodies) == 2


def test_a_url_that_the_library_does_not_know_is_named_by_number_alone_and_no_file_is_left(
    ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(
        ChannelUnavailable, match=r"does not know 1 of 2 services that ESG_APPRISE_URLS"
    ) as caught:
        channel("jsons://127.0.0.1/TOKENOFTHETESTS, nonsense://TOKENOFTHETESTS", ca).look()
    assert "TOKEN" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_cannot_prove_who_it_is_gets_nothing(json_service: JsonService) -> None:
    with pytest.raises(ChannelUnavailable, match="1 of 1 Apprise services"):
        channel(json_service.url, None).deliver(message())
    assert json_service.bodies == []


def test_a_process_that_does_not_end_is_killed(json_service: JsonService, ca: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ChannelUnavailable, match=r"did not end within 0\.05 s"):
        channel(json_service.url, ca, seconds=0.05).deliver(message())
    assert time.monotonic() - began < 2
