"""The ESG API without faults: ids, dates, exact texts, entity tags, several accounts."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from esg_assets.simulators.csv_input import WrongInput
from esg_assets.simulators.generated import AWKWARD_IDS, EverybodyRated, GeneratedAccounts, GeneratedRatings
from esg_assets.simulators.options import Options
from esg_assets.simulators.ratings import CsvRatings, Rating
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import call, rating_path

HEADER = (
    "account_id,as_of,overall_score,environmental_score,social_score,governance_score,primary_focus,rating,"
    "coverage_pct,waci_tco2e_per_musd_revenue"
)
RATINGS = f"""\
{HEADER}
A1,2024-12-31,52.50,54.0,1e1,100,social,BBB,82.2,389.60
A1,2023-12-31,51.91,54.04,54.32,47.37,social,BBB,82.20,389.6
A/2,2025-12-31,0,0.0,99.999999999999999999,100.00,governance,,,
"""


@pytest.fixture
def ratings_file(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    path.write_text(RATINGS)
    return path


def text(rating: Rating | None) -> str:
    assert rating is not None
    return rating.body.decode()


def test_numbers_are_sent_with_exactly_the_files_text(ratings_file: Path) -> None:
    book = CsvRatings(ratings_file)
    assert text(book.rating("A1", None)) == (
        '{"account_id":"A1","as_of":"2024-12-31","overall_score":52.50,"environmental_score":54.0,'
        '"social_score":1e1,"governance_score":100,"coverage_pct":82.2,"primary_focus":"social",'
        '"rating":"BBB","metrics":{"waci_tco2e_per_musd_revenue":389.60}}'
    )
    assert text(book.rating("A/2", "2026-01-14")) == (
        '{"account_id":"A/2","as_of":"2025-12-31","overall_score":0,"environmental_score":0.0,'
        '"social_score":99.999999999999999999,"governance_score":100.00,"primary_focus":"governance"}'
    )


@pytest.mark.parametrize(
    ("as_of", "rated_on"),
    [
        ("2023-12-30", None),
        ("2023-12-31", "2023-12-31"),
        ("2024-12-30", "2023-12-31"),
        ("2024-12-31", "2024-12-31"),
        ("2030-01-01", "2024-12-31"),
        (None, "2024-12-31"),
        ("0000-02-29", None),
    ],
)
def test_a_date_gets_the_latest_row_not_after_it(
    ratings_file: Path, as_of: str | None, rated_on: str | None
) -> None:
    rating = CsvRatings(ratings_file).rating("A1", as_of)
    assert (None if rating is None else json.loads(rating.body)["as_of"]) == rated_on


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A1,2024-12-31,,1,1,1,social,,,", "overall_score is empty"),
        ("A1,2024-12-31,52.,1,1,1,social,,,", "overall_score is not a number"),
        ("A1,2024-12-31,NaN,1,1,1,social,,,", "overall_score is not a number"),
        ("A1,31.12.2024,1,1,1,1,social,,,", "as_of is not a date"),
        ("A1,2024-12-31,1,1,1,1,all,,,", "primary_focus is none of"),
        ("A1,2024-12-31,1,1,1,1,social,C,,", "rating is none of"),
        ("A1,2024-12-31,1,1,1,1,social,,,low", "waci_tco2e_per_musd_revenue is not a number"),
        ("A1,2024-12-31,1,1,1,1,social,,,\nA1,2024-12-31,2,1,1,1,social,,,", "line 3: a second rating"),
    ],
)
def test_ratings_that_cannot_be_served_are_refused_with_their_line(
    tmp_path: Path, row: str, message: str
) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(WrongInput, match=message):
        CsvRatings(path)


def test_files_are_served_over_the_wire(tmp_path: Path, ratings_file: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account_id,status\nA1,active\nB9,active\n")
    options = Options(auth="none", accounts_file=str(accounts), ratings_file=str(ratings_file))
    with SimulatorServer(options) as server:
        assert call(server.url, "/v1/accounts").json["total"] == 2
        assert b'"overall_score":52.50,' in call(server.url, rating_path("A1", "2026-01-14")).body
        assert call(server.url, rating_path("A/2")).status == 200
        assert call(server.url, rating_path("B9")).status == 404


@pytest.mark.parametrize("account_id", [*AWKWARD_IDS, "A0000001"])
def test_an_id_is_one_path_segment_whatever_it_holds(open_server: SimulatorServer, account_id: str) -> None:
    answer = call(open_server.url, rating_path(account_id, "2026-01-14"))
    assert answer.status == 200
    assert answer.json["account_id"] == account_id


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts/A%2F%2F/esg-rating",
        "/v1/accounts/A/../B/esg-rating",
        "/v1/accounts/A/B/0001/esg-rating",
        "/v1/accounts//esg-rating",
        "/v1/accounts/esg-rating",
        "/v1/accounts/%FF/esg-rating",
        "/v1/accounts/%00/esg-rating",
        "/v1/accounts/A0000001/esg-rating/",
        "/v1/accounts/A0000001",
        "/v1/accounts/",
        "/v1//accounts",
        "/",
        "/_simulator",
        "/_simulator/nothing",
    ],
)
def test_what_is_not_there_is_404(open_server: SimulatorServer, path: str) -> None:
    answer = call(open_server.url, path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/accounts", "GET, HEAD"),
        ("DELETE", "/v1/accounts/A0000001/esg-rating", "GET, HEAD"),
        ("OPTIONS", "/v1/esg-ratings", "GET, HEAD"),
        ("GET", "/oauth2/token", "POST"),
        ("GET", "/_simulator/reset", "POST"),
        ("TRACE", "/_simulator/stats", "GET"),
    ],
)
def test_another_method_is_405_and_says_which_are_allowed(
    open_server: SimulatorServer, method: str, path: str, allow: str
) -> None:
    answer = call(open_server.url, path, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)


def test_head_answers_like_get_without_a_body(open_server: SimulatorServer) -> None:
    get, head = (call(open_server.url, rating_path("A0000001"), method=m) for m in ("GET", "HEAD"))
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", get.headers["ETag"])


@pytest.mark.parametrize(
    "query", ["as_of=", "as_of=now", "as_of=2026-01-1", "as_of=2026-01-14&as_of=2026-01-14"]
)
def test_a_wrong_date_is_422(open_server: SimulatorServer, query: str) -> None:
    assert call(open_server.url, f"{rating_path('A0000001')}?{query}").status == 422


def test_parameters_that_nobody_knows_are_ignored(open_server: SimulatorServer) -> None:
    plain = call(open_server.url, rating_path("A0000001", "2026-01-14"))
    assert call(open_server.url, rating_path("A0000001", "2026-01-14") + "&x=%20").body == plain.body


@pytest.mark.parametrize("matching", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_an_unchanged_rating_is_304(open_server: SimulatorServer, matching: str) -> None:
    path = rating_path("A0000001", "2026-01-14")
    tag = call(open_server.url, path).headers["ETag"]
    answer = call(open_server.url, path, {"If-None-Match": matching.format(tag=tag)})
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tag)
    assert call(open_server.url, path, {"If-None-Match": '"other"'}).status == 200


def test_several_accounts_get_an_entry_each_in_the_order_asked(open_server: SimulatorServer) -> None:
    asked = ["A0000002", "A/B/0001", "nobody", "A0000001", "客户一号"]
    query = "&".join(f"account_id={quote(account_id, safe='')}" for account_id in asked)
    entries = call(open_server.url, f"/v1/esg-ratings?{query}&as_of=2026-01-14").json["ratings"]
    assert [entry["account_id"] for entry in entries] == asked
    assert [entry.get("error", {}).get("status") for entry in entries] == [None, None, 404, None, None]
    assert entries[0] == call(open_server.url, rating_path("A0000002", "2026-01-14")).json


@pytest.mark.parametrize(
    "query", ["", "&".join(["account_id=A"] * 101), "account_id=A&as_of=x", "account_id=%FF"]
)
def test_several_accounts_asked_for_wrongly_are_422(open_server: SimulatorServer, query: str) -> None:
    assert call(open_server.url, f"/v1/esg-ratings?{query}").status == 422


def test_generated_ratings_keep_the_contract_and_drift_slowly() -> None:
    book = GeneratedRatings(GeneratedAccounts(2000), unrated=0.02)
    ids = [f"A{n:07d}" for n in range(1, 1981)]
    days = ["2026-01-14", "2026-01-15", "2026-02-14"]
    rated = [[json.loads(r.body) for day in days if (r := book.rating(i, day))] for i in ids]
    assert 10 < sum(not r for r in rated) < 80
    kept = [r for r in rated if r]
    assert all(r["as_of"] <= day for ratings in kept for r, day in zip(ratings, days, strict=True))
    moves = [abs(first["overall_score"] - last["overall_score"]) for first, _, last in kept]
    assert 0 < max(moves) < 5
    assert sum(first == second for first, second, _ in kept) > len(kept) * 0.9
    assert 0.02 < sum(r[0]["coverage_pct"] < 65 for r in kept) / len(kept) < 0.09
    assert {r[0]["primary_focus"] for r in kept} == {"environmental", "social", "governance"}
    assert len({r[0]["rating"] for r in kept}) >= 5


def test_generated_data_depend_on_the_seed_alone() -> None:
    def everything(seed: int) -> list[object]:
        accounts = GeneratedAccounts(200, seed)
        ratings = GeneratedRatings(accounts, seed)
        every = [accounts.account(at) for at in range(200)]
        return [(a, ratings.rating(a.account_id, "2026-01-14")) for a in every]

    assert everything(1) == everything(1)
    assert everything(1) != everything(2)


def test_nothing_was_rated_before_the_first_rating() -> None:
    book = GeneratedRatings(EverybodyRated(), unrated=0.0)
    assert book.rating("anybody", "2011-12-31") is None
    assert book.rating("anybody", "0000-01-01") is None
    assert book.rating("anybody", "9999-12-31") is not None
