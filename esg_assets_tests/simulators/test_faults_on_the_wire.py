"""Each fault does what its name says, over a real socket, to the accounts and tries foretold."""

import email.utils
import gzip
import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from esg_assets.simulators.faults import KINDS, Faults, expected_fault
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorFailed, SimulatorServer
from esg_assets_tests.simulators.wire import Answer, call, rating_path

ACCOUNT, AS_OF = "A0000001", "2026-01-14"


@pytest.fixture
def server(open_server: SimulatorServer) -> Iterator[SimulatorServer]:
    open_server.order_faults("", seed=7)
    open_server.reset()
    yield open_server
    open_server.order_faults("")
    open_server.order_outage(on=False)


def meet(server: SimulatorServer, order: str, account_id: str = ACCOUNT) -> Answer:
    server.order_faults(order)
    return call(server.url, rating_path(account_id, AS_OF))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 418, 422, 429, 499, 500, 502, 503, 504, 599])
def test_a_status_that_was_ordered_is_answered(server: SimulatorServer, status: int) -> None:
    answer = meet(server, str(status))
    assert (answer.status, answer.json["status"]) == (status, status)
    assert server.stats()["faults"] == {str(status): 1}


@pytest.mark.parametrize(
    ("order", "retry_after"), [("503:7", "7"), ("500:0.5", "0.5"), ("429", "1"), ("503", None), ("502", None)]
)
def test_retry_after_is_what_was_ordered(
    server: SimulatorServer, order: str, retry_after: str | None
) -> None:
    assert meet(server, order).headers["Retry-After"] == retry_after


def test_retry_after_can_be_a_date(server: SimulatorServer) -> None:
    text = meet(server, "429:30date").headers["Retry-After"]
    assert text.endswith(" GMT")
    assert 20 < email.utils.parsedate_to_datetime(text).timestamp() - time.time() < 40


def spoils(answer: Answer) -> dict[str, object]:
    assert answer.status == 200
    assert "ETag" not in answer.headers
    return dict(answer.json)


def test_a_wrong_id_is_another_accounts(server: SimulatorServer) -> None:
    for account_id in (ACCOUNT, "x" * 64, "客户一号"):
        echoed = spoils(meet(server, "wrong_id", account_id))["account_id"]
        assert echoed != account_id
        assert len(str(echoed)) == len(account_id)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("out_of_range", lambda rating: rating["overall_score"] == 150),
        ("nan", lambda rating: rating["overall_score"] != rating["overall_score"]),
        ("wrong_type", lambda rating: isinstance(rating["overall_score"], str)),
        ("missing_field", lambda rating: "governance_score" not in rating),
        ("future", lambda rating: rating["as_of"] == "2026-01-15"),
    ],
)
def test_a_rating_is_spoilt_as_ordered(
    server: SimulatorServer, kind: str, check: Callable[[dict[str, object]], bool]
) -> None:
    right = call(server.url, rating_path(ACCOUNT, AS_OF)).json
    spoilt = spoils(meet(server, kind))
    assert check(spoilt)
    assert spoilt["account_id"] == ACCOUNT
    assert sum(spoilt.get(name) != value for name, value in right.items()) == 1


def test_a_key_comes_twice(server: SimulatorServer) -> None:
    pairs = json.loads(meet(server, "duplicate_keys").body, object_pairs_hook=list)
    assert [name for name, _ in pairs].count("overall_score") == 2


def test_truncated_json_arrives_whole_and_cannot_be_read(server: SimulatorServer) -> None:
    answer = meet(server, "truncated")
    assert len(answer.body) == int(answer.headers["Content-Length"])
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(answer.body)


def test_an_empty_answer_and_a_page_instead_of_json(server: SimulatorServer) -> None:
    assert meet(server, "empty").body == b""
    page = meet(server, "not_json")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html")


def test_a_redirect_leads_to_another_host(server: SimulatorServer) -> None:
    answer = meet(server, "redirect")
    assert (answer.status, answer.headers["Location"]) == (307, "http://elsewhere.invalid/")


def test_an_oversize_body_is_as_large_as_ordered(server: SimulatorServer) -> None:
    answer = meet(server, "oversize:3")
    assert 3 * 2**20 < len(answer.body) < 3 * 2**20 + 1000
    assert answer.json["account_id"] == ACCOUNT


def test_a_gzip_bomb_is_small_on_the_wire(server: SimulatorServer) -> None:
    answer = meet(server, "gzip_bomb:5")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 2**15
    assert 5 * 2**20 < len(gzip.decompress(answer.body)) < 5 * 2**20 + 1000


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_a_slow_answer_is_right_in_the_end(server: SimulatorServer, kind: str) -> None:
    right = call(server.url, rating_path(ACCOUNT, AS_OF))
    start = time.monotonic()
    answer = meet(server, f"{kind}:0.3")
    assert time.monotonic() - start >= 0.29
    assert answer.body == right.body


def test_a_timeout_never_answers_and_ends_when_the_client_goes(server: SimulatorServer) -> None:
    server.order_faults("timeout")
    with pytest.raises(TimeoutError):
        call(server.url, rating_path(ACCOUNT), timeout=0.3)
    for _ in range(100):
        if server.stats()["in_flight"] == 0:
            break
        time.sleep(0.02)
    stats = server.stats()
    assert (stats["in_flight"], stats["answers"]) == (0, {"timeout": 1})


def test_a_reset_is_a_tcp_reset(server: SimulatorServer) -> None:
    with pytest.raises(ConnectionResetError):
        meet(server, "reset")


def test_a_cut_ends_in_the_middle_of_the_body(server: SimulatorServer) -> None:
    with pytest.raises(http.client.IncompleteRead) as raised:
        meet(server, "cut")
    assert 0 < len(raised.value.partial) < len(raised.value.partial) + (raised.value.expected or 0)


def seen(server: SimulatorServer, account_id: str) -> str | None:
    """The kind of fault that a call meets, as a client can tell; None for none."""
    try:
        answer = call(server.url, rating_path(account_id, AS_OF), timeout=1)
    except ConnectionResetError:
        return "reset"
    except http.client.IncompleteRead:
        return "cut"
    if answer.status != 200:
        return str(answer.status)
    return None if answer.json["account_id"] == account_id else "wrong_id"


def test_what_is_foretold_is_what_happens(server: SimulatorServer) -> None:
    order = "500=0.1,429=0.05,reset=0.05,cut=0.05,wrong_id=0.05,404=0.05,503=0.2/first2,422=0.05"
    faults = Faults.parse(order, seed=11)
    server.order_faults(order, seed=11)
    for nth in (1, 2, 3):
        for number in range(1, 81):
            account_id = f"A{number:07d}"
            foretold = expected_fault(faults, account_id, nth)
            assert seen(server, account_id) == (foretold.kind if foretold else None)
    stats = server.stats()
    assert stats["accounts_by_calls"] == {"3": 80}
    assert stats["repeated_calls"] == 160


def test_an_account_without_a_rating_cannot_be_spoilt(server: SimulatorServer) -> None:
    assert meet(server, "nan", "nobody").status == 404
    assert server.stats()["faults"] == {}


def test_every_kind_has_been_met_in_this_file() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}' not in text] == []


def several(server: SimulatorServer, ids: list[str]) -> Answer:
    query = "&".join(f"account_id={quote(i)}" for i in ids)
    return call(server.url, f"/v1/esg-ratings?{query}&as_of={AS_OF}")


def test_in_a_call_for_several_some_faults_stay_in_their_entry(server: SimulatorServer) -> None:
    ids = [f"A{n:07d}" for n in range(1, 41)]
    order = "422=0.3,out_of_range=0.3/sticky"
    server.order_faults(order, seed=5)
    faults = Faults.parse(order, seed=5)
    for account_id, entry in zip(ids, several(server, ids).json["ratings"], strict=True):
        foretold = expected_fault(faults, account_id, 1)
        assert entry.get("error", {}).get("status") == (422 if foretold and foretold.kind == "422" else None)
        assert (entry.get("overall_score") == 150) == bool(foretold and foretold.kind == "out_of_range")


@pytest.mark.parametrize(
    ("kind", "echoed"),
    [
        ("left_out", ["A0000002"]),
        ("twice", [ACCOUNT, ACCOUNT, "A0000002"]),
        ("stranger", [ACCOUNT, "X0000001", "A0000002"]),
    ],
)
def test_entries_are_left_out_or_added_as_ordered(
    server: SimulatorServer, kind: str, echoed: list[str]
) -> None:
    server.order_faults(f"{kind}@{ACCOUNT}")
    answer = several(server, [ACCOUNT, "A0000002"])
    assert [entry["account_id"] for entry in answer.json["ratings"]] == echoed
    alone = call(server.url, rating_path(ACCOUNT, AS_OF))
    assert alone.body == b"{}" if kind == "left_out" else alone.body.count(b"overall_score") == 2


def test_in_a_call_for_several_the_other_faults_spoil_the_whole(server: SimulatorServer) -> None:
    server.order_faults("503=1:2/first1")
    answer = several(server, [ACCOUNT, "A0000002"])
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert several(server, [ACCOUNT, "A0000002"]).status == 200


@pytest.mark.parametrize("kind", ["503", "500", "429"])
def test_an_outage_lasts_until_it_is_ended(server: SimulatorServer, kind: str) -> None:
    server.order_outage(on=True, kind=kind)
    assert {call(server.url, rating_path(ACCOUNT)).status for _ in range(3)} == {int(kind)}
    assert call(server.url, "/v1/accounts").status == 200
    server.order_outage(on=False)
    assert call(server.url, rating_path(ACCOUNT)).status == 200


def test_an_outage_can_be_a_window_of_calls_or_of_time(server: SimulatorServer) -> None:
    server.order_outage(first=2, last=3)
    statuses = [call(server.url, rating_path(ACCOUNT)).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    server.order_outage(seconds=60, kind="reset")
    with pytest.raises(ConnectionResetError):
        call(server.url, rating_path(ACCOUNT))


def test_calls_in_an_outage_are_no_tries(server: SimulatorServer) -> None:
    server.order_faults("404=1/first1")
    server.order_outage(first=1, last=2)
    statuses = [call(server.url, rating_path(ACCOUNT)).status for _ in range(4)]
    assert statuses == [503, 503, 404, 200]


def test_an_order_that_cannot_be_is_refused_and_changes_nothing(server: SimulatorServer) -> None:
    with pytest.raises(SimulatorFailed, match="faults: no kind 'nonsense'"):
        server.order_faults("nonsense")
    with pytest.raises(SimulatorFailed, match="outage"):
        server.order_outage(on=True, kind="weather")
    assert call(server.url, rating_path(ACCOUNT)).status == 200


def test_answers_given_again_are_counted(server: SimulatorServer) -> None:
    for as_of in (AS_OF, AS_OF, "2026-01-13"):
        call(server.url, rating_path(ACCOUNT, as_of))
    stats = server.stats(arrivals=True, accounts=True)
    assert (stats["answered"], stats["answered_again"]) == (2, 1)
    assert stats["calls_of"] == {ACCOUNT: 3}
    assert len(stats["arrivals_ms"]) == 3
    assert stats["arrivals_ms"] == sorted(stats["arrivals_ms"])
    assert abs(stats["arrivals_ms"][-1] / 1000 - time.monotonic()) < 60


def test_the_outage_option_counts_calls_from_the_start() -> None:
    with SimulatorServer(Options(auth="none", outage="1-2/500", latency=0.01)) as outage:
        statuses = [call(outage.url, rating_path(ACCOUNT)).status for _ in range(3)]
    assert statuses == [500, 500, 200]
