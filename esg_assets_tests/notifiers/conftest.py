"""Servers that the tests of channels share, each once for its module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets_tests.notifiers.http_stubs import Heartbeat, JsonService, PagerDuty, Slack, served
from esg_assets_tests.notifiers.mail_servers import MailServer, mail_server
from esg_assets_tests.tls_servers import CA, pem_file


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority of every server here, as ESG_ALERT_CA_BUNDLE names it."""
    return pem_file(tmp_path_factory.mktemp("ca") / "ca.pem", CA.cert_pem)


@pytest.fixture(scope="module")
def _relay() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def relay(_relay: MailServer) -> MailServer:
    """A plain mail server without a login, with nothing received yet."""
    for kept in (_relay.mails, _relay.recipients, _relay.encrypted, _relay.answers):
        kept.clear()
    _relay.refused, _relay.sender_answer = {}, ""
    return _relay


@pytest.fixture(scope="module")
def _pagerduty() -> Iterator[PagerDuty]:
    with served(PagerDuty()) as stub:
        yield stub


@pytest.fixture
def pagerduty(_pagerduty: PagerDuty) -> PagerDuty:
    _pagerduty.reset()
    return _pagerduty


@pytest.fixture(scope="module")
def _slack() -> Iterator[Slack]:
    with served(Slack()) as stub:
        yield stub


@pytest.fixture
def slack(_slack: Slack) -> Slack:
    _slack.reset()
    return _slack


@pytest.fixture(scope="module")
def _heartbeat() -> Iterator[Heartbeat]:
    with served(Heartbeat()) as stub:
        yield stub


@pytest.fixture
def heartbeat(_heartbeat: Heartbeat) -> Heartbeat:
    _heartbeat.reset()
    return _heartbeat


@pytest.fixture(scope="module")
def _json_service() -> Iterator[JsonService]:
    with served(JsonService()) as stub:
        yield stub


@pytest.fixture
def json_service(_json_service: JsonService) -> JsonService:
    _json_service.reset()
    return _json_service
