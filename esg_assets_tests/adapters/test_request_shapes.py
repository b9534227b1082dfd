"""What `HttpEsgApi` sends for each shape of request, and how it follows pages."""

import json
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.adapters.esg_api.client import MAX_BODY_BYTES
from esg_assets.adapters.esg_api.request_shape import RequestShape, contract_several
from esg_assets.core.ratings import Fault, Reply, Status
from esg_assets.core.replies import judge_many
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client
from esg_assets_tests.adapters.provider_mappings import changed, parsed
from esg_assets_tests.fakes import FakeAuthorization
from esg_assets_tests.raw_server import RawServer, Talk, answer, raw_server, sends

BATCH: dict[str, Any] = {
    "path": "/batch/{as_of}",
    "method": "POST",
    "query": {"page": "{offset}"},
    "body": {"ids": "{account_ids}", "from": "{offset}", "day": "as of {as_of}", "fields": ["a", {"n": 5}]},
    "ids": "json",
    "ids_per_call": 3,
    "pages": {"next": "next", "most": 4, "size": 2},
}


def shape_of(**request: Any) -> RequestShape:
    return parsed(changed("request", BATCH | request)).request


def line_of(server: RawServer, number: int = 0) -> str:
    return server.requests[number].split(b"\r\n")[0].decode()


def body_of(server: RawServer, number: int = 0) -> Any:
    return json.loads(server.requests[number].partition(b"\r\n\r\n")[2])


def asked(shape: RequestShape, *account_ids: str) -> tuple[Reply, RawServer]:
    with raw_server(sends(answer())) as server, client(f"{server.url}/base", shape=shape) as api:
        return api.ask_many(account_ids, AS_OF), server


def test_several_accounts_are_asked_for_as_the_contract_says() -> None:
    shape = contract_several(3)
    reply, server = asked(shape, "a/b", "口", ".", "x,&=y")
    assert reply.status == 200
    assert line_of(server) == (
        "GET /base/v1/esg-ratings?account_id=a%2Fb&account_id=%E5%8F%A3&account_id=.&account_id=x%2C%26%3Dy"
        "&as_of=2026-01-14 HTTP/1.1"
    )
    assert shape.ids_per_call == 3


def test_ids_are_put_comma_joined() -> None:
    shape = RequestShape(
        "/views", query={"universe": "{account_ids}", "end": "0"}, ids="comma", ids_per_call=9
    )
    _, server = asked(shape, "A B", "C&D")
    assert line_of(server) == "GET /base/views?universe=A%20B,C%26D&end=0 HTTP/1.1"


def test_ids_are_put_into_a_json_body() -> None:
    _, server = asked(shape_of(pages={"next": "next", "most": 1, "size": 1}), 'A"', "{as_of}", "口")
    assert line_of(server) == "POST /base/batch/2026-01-14?page=0 HTTP/1.1"
    assert body_of(server) == {
        "ids": ['A"', "{as_of}", "口"],
        "from": 0,
        "day": "as of 2026-01-14",
        "fields": ["a", {"n": 5}],
    }
    assert b"\r\ncontent-type: application/json\r\n" in server.requests[0].lower()


def test_an_id_in_the_path_is_not_taken_for_a_template() -> None:
    shape = RequestShape("/{as_of}/x/{account_id}", query={"d": "{as_of}"})
    _, server = asked(shape, "{as_of}{account_id}")
    assert line_of(server) == ("GET /base/2026-01-14/x/%7Bas_of%7D%7Baccount_id%7D?d=2026-01-14 HTTP/1.1")


@pytest.mark.parametrize(
    ("ids", "query", "account_id"),
    [
        ("comma", {"u": "{account_ids}"}, "A,B"),
        ("comma", {"u": "{account_ids}"}, ""),
        ("query", {"u": "{account_ids}"}, "\ud800"),
        ("query", {"u": "{account_ids}"}, ""),
        ("path", {}, ".."),
    ],
)
def test_an_id_that_would_ask_for_others_is_refused_without_a_call(
    ids: Any, query: Any, account_id: str
) -> None:
    reply, server = asked(RequestShape("/x/{account_id}", query=query, ids=ids), account_id)
    assert (reply.fault, server.connections) == (Fault.LOCAL_REFUSAL, 0)


def pages(*bodies: Any) -> Talk:
    """The n-th request gets the n-th body (bytes as they are)."""
    left = list(bodies)

    def talk(connection: socket.socket, _: bytes) -> None:
        body = left.pop(0)
        connection.sendall(body if isinstance(body, bytes) else answer(200, json.dumps(body).encode()))

    return talk


def paged(
    bodies: Sequence[Any],
    *,
    wait: Callable[[], None] | None = lambda: None,
    authorization: FakeAuthorization | None = None,
    **request: Any,
) -> tuple[Reply, RawServer]:
    with (
        raw_server(pages(*bodies)) as server,
        client(server.url, authorization, shape=shape_of(**request)) as api,
    ):
        return api.ask_many(["A", "B", "C"], AS_OF, wait), server


def test_pages_of_one_call_come_back_as_one_body_and_each_waits_for_a_slot() -> None:
    waited: list[int] = []
    reply, server = paged(
        [{"a": 1, "next": "/batch?o=2&b=%2F"}, {"a": 2, "next": "?o=4"}, {"a": 3, "next": None}],
        wait=lambda: waited.append(1),
    )
    assert reply.status == 200
    assert [page["a"] for page in json.loads(reply.body)] == [1, 2, 3]
    assert len(waited) == 2
    assert [line_of(server, n).split()[1] for n in range(3)] == [
        "/batch/2026-01-14?page=0",
        "/batch?o=2&b=%2F",
        "/batch?o=4",
    ]
    assert [body_of(server, n)["from"] for n in range(3)] == [0, 2, 4]
    assert reply.seconds > 0


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}, {"next": False}, [], 7])
def test_a_page_without_a_link_is_the_last_and_comes_as_it_is(end: object) -> None:
    reply, server = paged([end])
    assert reply.body == json.dumps(end).encode()
    assert len(server.requests) == 1


def test_without_slots_no_further_page_is_asked_for() -> None:
    reply, server = paged([{"next": "/x"}], wait=None)
    assert (reply.status, reply.fault, len(server.requests)) == (None, Fault.BAD_RESPONSE, 1)


def test_pages_without_end_are_cut_off_where_the_mapping_says() -> None:
    reply, server = paged([{"next": "/x"}] * 9)
    assert (reply.fault, len(server.requests)) == (Fault.BAD_RESPONSE, 4)


def test_pages_together_are_no_longer_than_a_body_may_be() -> None:
    long = {"next": "/x", "fill": "x" * (MAX_BODY_BYTES // 2)}
    reply, server = paged([long] * 9)
    assert (reply.fault, reply.body, len(server.requests)) == (Fault.BAD_RESPONSE, b"", 2)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.invalid/x",
        "//elsewhere.invalid/x",
        "http://127.0.0.1:1/x",
        "https://127.0.0.1/x",
        "http://user@127.0.0.1/x",
        "\\\\elsewhere.invalid\\x",
        "/\\elsewhere.invalid",
        "http://[::1/x",
        "http://127.0.0.1:99999/x",
        "/x y",
        "/x\n",
        "/口",
        "javascript:alert(1)",
        7,
        True,
        ["/x"],
        {"href": "/x"},
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed(link: object) -> None:
    reply, server = paged([{"next": link}])
    assert (reply.status, reply.fault, len(server.requests)) == (None, Fault.BAD_RESPONSE, 1)


@given(
    st.text(max_size=30) | st.from_regex(r"(https?:)?[/\\]{0,3}[a-z.@:\\0-9]{1,12}(/[!-~]*)?", fullmatch=True)
)
def test_no_link_leads_to_another_origin(link: str) -> None:
    shape = shape_of()
    first = shape.request("https://api.example.com:8443/base", ["A"], AS_OF)
    assert first is not None
    following = shape.page(first, link, ["A"], AS_OF, 1)
    assert following is None or following.url.startswith("https://api.example.com:8443/")


def test_a_link_to_the_same_origin_may_be_whole() -> None:
    shape = shape_of()
    for base, link in [
        ("https://api.example.com", "https://API.example.com:443/x?a=b"),
        ("http://127.0.0.1:81", "http://127.0.0.1:81/x?a=b#c"),
    ]:
        first = shape.request(base, ["A"], AS_OF)
        assert first is not None
        following = shape.page(first, link, ["A"], AS_OF, 1)
        assert following is not None
        assert following.url == f"{base}/x?a=b"


def test_a_page_that_fails_is_the_whole_calls_reply() -> None:
    reply, _ = paged([{"next": "/x"}, answer(429, b"slow", retry_after="7")])
    assert (reply.status, reply.body, reply.retry_after) == (429, b"slow", "7")
    reply, _ = paged([{"next": "/x"}, answer(200, b"")[:20]])
    assert reply.status is None


def test_a_page_that_is_no_json_spoils_the_call_when_it_is_judged() -> None:
    reply, _ = paged([{"next": "/x"}, answer(200, b"<html>")])
    mapping = parsed(changed("request", BATCH))
    judged = judge_many(reply, ["A"], AS_OF, (), mapping.reply)["A"]
    assert (judged.code, judged.whole) == ("not_json", True)


def test_a_token_that_ends_between_pages_is_renewed_for_the_next_try() -> None:
    authorization = FakeAuthorization()
    reply, _ = paged([{"next": "/x"}, answer(401)], authorization=authorization)
    assert (reply.status, reply.token_renewed, authorization.renewals) == (401, True, 1)


def test_what_the_wait_for_a_slot_raises_ends_the_call() -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        paged([{"next": "/x"}], wait=stop)


def test_entries_of_all_pages_are_judged() -> None:
    row = {"day": "2026-01-13", "all": 1, "e": 1, "s": 2, "g": 1}
    reply, _ = paged(
        [{"next": "/x", "data": [row | {"id": "A"}]}, {"data": [row | {"id": "C"}, row | {"id": "B"}]}]
    )
    judged = judge_many(reply, ["A", "B", "C"], AS_OF, (), parsed(changed("request", BATCH)).reply)
    assert {one.status for one in judged.values()} == {Status.SUCCESS}
