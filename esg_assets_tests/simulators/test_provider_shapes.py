"""LSEG's and MSCI's shapes on the wire, read by nobody's code of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import Answer, call

LSEG = "/data/environmental-social-governance/v2/views/scores-full"
MSCI = "/esg/data/v2.0/issuers"
RATINGS = (
    "account_id,as_of,overall_score,environmental_score,social_score,governance_score,primary_focus,rating\n"
    "A,2026-01-02,52.50,50,61.25,40,social,BB\n"
    "B é,2026-01-03,7,1,2,3,governance,\n"
)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    path.write_text(RATINGS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lseg(ratings: Path) -> Iterator[SimulatorServer]:
    with SimulatorServer(Options(provider="lseg", ratings_file=str(ratings), auth="none")) as server:
        yield server


@pytest.fixture(scope="module")
def msci(ratings: Path) -> Iterator[SimulatorServer]:
    with SimulatorServer(Options(provider="msci", ratings_file=str(ratings), auth="none")) as server:
        yield server


def issuers(server: SimulatorServer, path: str = MSCI, **told: Any) -> Answer:
    factors = ["WEIGHTED_AVERAGE_SCORE", "IVA_COMPANY_RATING", "IVA_RATING_DATE"]
    body = {"issuer_identifier_list": ["A", "B é", "C"], "factor_name_list": factors} | told
    return call(server.url, path, method="POST", body=json.dumps(body).encode())


def test_lseg_sends_rows_with_headers_and_leaves_out_what_is_not_rated(lseg: SimulatorServer) -> None:
    answer = call(lseg.url, f"{LSEG}?universe=A,{quote('B é')},C&start=0&end=0")
    told = answer.json
    assert [header["name"] for header in told["headers"]][:3] == [
        "instrument",
        "periodenddate",
        "TR.TRESGScore",
    ]
    assert told["data"] == [["A", "2026-01-02", 52.5, 50, 61.25, 40], ["B é", "2026-01-03", 7, 1, 2, 3]]
    assert b'["A","2026-01-02",52.50,50,61.25,40]' in answer.body
    assert told["links"] == {"count": 2}
    assert answer.headers["content-type"] == "application/json"


def test_msci_sends_the_factors_asked_for_from_0_to_10_and_messages(msci: SimulatorServer) -> None:
    told = issuers(msci).json
    assert told["result"]["issuers"] == [
        {
            "CLIENT_IDENTIFIER": "A",
            "WEIGHTED_AVERAGE_SCORE": 5.25,
            "IVA_COMPANY_RATING": "BB",
            "IVA_RATING_DATE": "20260102",
        },
        {"CLIENT_IDENTIFIER": "B é", "WEIGHTED_AVERAGE_SCORE": 0.7, "IVA_RATING_DATE": "20260103"},
    ]
    assert told["messages"] == [
        {"code": "IDENTIFIER_NOT_COVERED", "severity": "WARNING", "client_identifier": "C"}
    ]
    assert told["paging"] == {"total_count": 3, "limit": 100, "offset": 0, "links": {}}


def test_msci_pages_link_to_the_next_until_the_last(msci: SimulatorServer) -> None:
    seen, path = [], MSCI
    while path:
        told = issuers(msci, path, limit=1, offset=0).json
        seen += [issuer["CLIENT_IDENTIFIER"] for issuer in told["result"]["issuers"]]
        seen += [message["client_identifier"] for message in told["messages"]]
        link = urlsplit(told["paging"]["links"].get("next", ""))
        path = f"{link.path}?{link.query}" if link.path else ""
        assert not link.netloc or f"{link.scheme}://{link.netloc}" == msci.url
    assert seen == ["A", "B é", "C"]


def test_calls_are_counted_and_limited_as_the_contracts_are(msci: SimulatorServer) -> None:
    before = msci.stats()["calls"]
    msci.change_rate(0.001, 1)
    try:
        statuses = [issuers(msci).status for _ in range(3)]
    finally:
        msci.change_rate(0, 1)
    assert statuses == [200, 429, 429]
    assert msci.stats()["calls"] == before + 3
    assert msci.stats()["in_flight"] == 0


@pytest.mark.parametrize(
    "told", [{"issuer_identifier_list": None}, {"limit": "all"}, {"factor_name_list": 7}]
)
def test_msci_refuses_what_it_cannot_read(msci: SimulatorServer, told: dict[str, Any]) -> None:
    assert issuers(msci, **told).status == 400


def test_a_body_that_is_too_large_is_refused(msci: SimulatorServer) -> None:
    assert issuers(msci, fill="x" * 70_000).status == 413


def test_each_route_takes_its_method_alone(lseg: SimulatorServer, msci: SimulatorServer) -> None:
    assert call(lseg.url, LSEG, method="POST", body=b"{}").status == 405
    assert call(msci.url, MSCI).status == 405


def test_more_than_a_hundred_or_no_accounts_are_refused(lseg: SimulatorServer) -> None:
    assert call(lseg.url, f"{LSEG}?universe={','.join(map(str, range(101)))}").status == 422
    assert call(lseg.url, f"{LSEG}?universe=A&universe=B").status == 400
