"""The HTTP account source against a real server on loopback."""

import itertools
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from email.utils import formatdate

import pytest

from esg_assets.adapters.account_sources import HttpAccountSource, PagePolicy
from esg_assets.adapters.account_sources.page_request import World
from esg_assets.core.errors import (
    AccessDenied,
    AccountsRefused,
    NoHistory,
    SourceUnavailable,
)
from esg_assets_tests.adapters.accounts_over_http import DAY, ROWS, SECRET, Time, Tokens, read, refusal
from esg_assets_tests.adapters.page_server import Answer, Asked, PageServer, page, problem


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer(ROWS) as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


def test_all_pages_are_read_in_order_with_the_contracts_parameters(server: PageServer, time: Time) -> None:
    assert read(server, time) == ROWS
    assert [asked.query for asked in server.asked] == [
        {"status": "active", "page_size": "1000", "as_of": "2026-01-14"},
        {"status": "active", "page_size": "1000", "as_of": "2026-01-14", "cursor": "2"},
        {"status": "active", "page_size": "1000", "as_of": "2026-01-14", "cursor": "4"},
    ]
    assert read(server, time, as_of=None) == ROWS
    assert "as_of" not in server.asked[-1].query


def test_numbers_arrive_exactly(server: PageServer, time: Time) -> None:
    body = b'{"accounts": [{"market_value": 12345678901234567.8900}], "next_cursor": null}'
    server.first.append(Answer(body=body, gzipped=True))
    assert read(server, time) == [{"market_value": Decimal("12345678901234567.8900")}]


def test_a_429_is_waited_for_as_long_as_it_asks(server: PageServer, time: Time) -> None:
    later = formatdate(time.now + 7 + 40, usegmt=True)
    server.first += [
        problem(429, Retry_After="7"),
        problem(503, Retry_After=later),
        problem(429, Retry_After="86400"),
    ]
    assert read(server, time) == ROWS
    assert time.slept == [7.0, 40.0, 900.0]


@pytest.mark.parametrize(
    "answer",
    [problem(408), problem(429), problem(500), problem(504), page(ROWS[:1])],
    ids=["408", "429", "500", "504", "cut off"],
)
def test_a_transient_failure_is_tried_again_with_full_jitter(
    server: PageServer, time: Time, answer: Answer
) -> None:
    if answer.status == 200:
        answer = Answer(200, answer.body, cut=10)
    server.first += [answer] * 3
    assert read(server, time) == ROWS
    assert len(time.slept) == 3
    assert all(0 <= wait <= longest for wait, longest in zip(time.slept, [1, 2, 4], strict=True))


def test_tries_are_bounded_by_number_and_by_time(server: PageServer, time: Time) -> None:
    server.first += [problem(500)] * 8
    assert "page 1: the account system answered 500 (after 8 tries)" in refusal(
        SourceUnavailable, server, time
    )
    server.first += [problem(503, Retry_After="800")] * 8
    assert "answered 503 (after 3 tries)" in refusal(SourceUnavailable, server, time)
    assert time.slept[-2:] == [800.0, 800.0]


def test_a_server_that_is_not_there_is_unavailable(time: Time) -> None:
    with PageServer() as server:
        pass
    assert "could not be reached" in refusal(SourceUnavailable, server, time)


def test_an_answer_that_does_not_come_is_unavailable(server: PageServer, time: Time) -> None:
    stop = threading.Event()

    def hang(asked: Asked) -> Answer | None:
        stop.wait(10)
        return None

    server.first += [hang, hang]
    policy = PagePolicy(max_attempts=2, read_seconds=0.05)
    assert "did not answer in time (after 2 tries)" in refusal(SourceUnavailable, server, time, policy=policy)
    stop.set()


def test_a_page_that_takes_too_long_is_given_up(server: PageServer, time: Time) -> None:
    # The clock moves while the answer is on its way: it must be looked at between two pieces of it.
    ticks = itertools.count(time.now, 100)
    world = World(lambda: time.now, lambda: float(next(ticks)), time.sleep, lambda: 0.0)
    source = HttpAccountSource(server.url, None, None, PagePolicy(page_seconds=50, max_attempts=1), world)
    with pytest.raises(SourceUnavailable, match="took more than 50 s"):
        list(source.read(DAY))


def test_a_total_that_disagrees_starts_over_once(server: PageServer, time: Time) -> None:
    server.first.append(page(ROWS[:2], None, total=5))
    assert read(server, time) == ROWS
    server.first += [page(ROWS[:2], "2", total=6), page(ROWS[2:4], "4", total=7)]
    assert read(server, time) == ROWS


def test_a_total_that_disagrees_twice_is_refused_with_both_numbers(server: PageServer, time: Time) -> None:
    server.first += [page(ROWS, None, total=6)] * 2
    text = refusal(AccountsRefused, server, time)
    assert "said there were 6 accounts, and 5 arrived" in text
    assert len(server.asked) == 2


def test_a_list_that_never_stands_still_is_unavailable(server: PageServer, time: Time) -> None:
    server.first += [page(ROWS[:2], "2", total=5), page(ROWS[2:], None, total=1_000_000)] * 2
    text = refusal(SourceUnavailable, server, time)
    assert "said there were 5 accounts on one page and 1,000,000 on another" in text


def test_a_system_that_gives_no_total_is_taken_at_its_last_page(server: PageServer, time: Time) -> None:
    server.first += [page(ROWS[:2], "x"), page([], "y", total=2), page([], None)]
    assert read(server, time) == ROWS[:2]


def test_an_expired_cursor_starts_over_and_no_row_comes_twice(server: PageServer, time: Time) -> None:
    server.first += [server.book_page, problem(410), server.book_page, server.book_page, problem(410)]
    assert read(server, time) == ROWS
    assert [asked.query.get("cursor") for asked in server.asked] == [
        None,
        "2",
        None,
        "2",
        "4",
        None,
        "2",
        "4",
    ]


def test_cursors_that_always_expire_end_as_unavailable(server: PageServer, time: Time) -> None:
    server.first += [server.book_page, problem(410)] * 4
    assert "expired 4 times" in refusal(SourceUnavailable, server, time)
    assert len(server.asked) == 8


def test_a_410_without_a_cursor_is_no_expiry(server: PageServer, time: Time) -> None:
    server.first.append(problem(410))
    assert "answered 410" in refusal(SourceUnavailable, server, time)


def test_a_cursor_that_leads_back_is_refused(server: PageServer, time: Time) -> None:
    server.first += [page(ROWS[:1], "a"), page(ROWS[1:2], "b"), page(ROWS[:1], "a")]
    assert "page 3 leads back to an earlier one" in refusal(AccountsRefused, server, time)


def test_a_system_without_history_says_so_before_any_row(server: PageServer, time: Time) -> None:
    server.history = False
    assert "--current-accounts" in refusal(NoHistory, server, time)
    assert read(server, time, as_of=None) == ROWS


def test_another_400_is_not_taken_for_missing_history(server: PageServer, time: Time) -> None:
    server.first += [problem(400, "bad_page_size"), Answer(400, b"<html>" * 100_000)]
    for _ in range(2):
        assert "answered 400" in refusal(SourceUnavailable, server, time)


def test_a_401_is_answered_with_new_credentials_once(server: PageServer, time: Time) -> None:
    server.first.append(problem(401))
    assert read(server, time, authorization=Tokens()) == ROWS
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == [f"Bearer {SECRET}-{n}" for n in (1, 2, 2, 2)]
    server.first += [problem(401)] * 2
    assert "ESG_ACCOUNTS_AUTH" in refusal(AccessDenied, server, time, authorization=Tokens())
    server.first += [problem(401)]
    refusal(AccessDenied, server, time, authorization=Tokens(renewals=0))


def test_a_403_is_refused_at_once(server: PageServer, time: Time) -> None:
    server.first.append(problem(403))
    assert "answered 403" in refusal(AccessDenied, server, time)
    assert time.slept == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: PageServer, time: Time, status: int) -> None:
    with PageServer(ROWS) as elsewhere:
        server.first.append(problem(status, Location=f"{elsewhere.url}/v1/accounts?page_size=1"))
        assert "redirect, and none is followed" in refusal(
            SourceUnavailable, server, time, authorization=Tokens()
        )
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "the answer is no JSON object"),
        (b"{}", "accounts is no list"),
        (b'{"accounts": {}, "next_cursor": null}', "accounts is no list"),
        (b'{"accounts": []}', "next_cursor is missing"),
        (b'{"accounts": [], "next_cursor": ""}', "next_cursor is neither"),
        (b'{"accounts": [], "next_cursor": 5}', "next_cursor is neither"),
        (b'{"accounts": [], "next_cursor": null, "total": -1}', "total is no count"),
        (b'{"accounts": [], "next_cursor": null, "total": true}', "total is no count"),
        (b'{"accounts": [{"a": 1, "a": 2}], "next_cursor": null}', "a name stands twice"),
        (b'{"accounts": [{}, "S3CRET"], "next_cursor": null}', "row=4"),
    ],
)
def test_a_page_of_another_shape_is_refused_with_its_number(
    server: PageServer, time: Time, body: bytes, reason: str
) -> None:
    server.first += [page(ROWS[:2], "2"), Answer(body=body)]
    text = refusal(AccountsRefused, server, time)
    assert "page 2: " in text
    assert reason in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>S3CRET</html>",
        b'{"accounts": [{"market_value": NaN}], "next_cursor": null}',
        b'{"accounts": ["\xff"], "next_cursor": null}',
        b"[" * 200_000,
        b'{"accounts": [' + b"9" * 5000 + b'], "next_cursor": null}',
    ],
)
def test_what_is_no_json_is_tried_again_and_then_unavailable(
    server: PageServer, time: Time, body: bytes
) -> None:
    server.first += [Answer(body=body)] * 2
    policy = PagePolicy(max_attempts=2)
    assert "no JSON (after 2 tries)" in refusal(SourceUnavailable, server, time, policy=policy)


def test_a_page_larger_than_the_bound_is_not_read(server: PageServer, time: Time) -> None:
    bomb = json.dumps({"accounts": [{"account_name": "0" * 3_000_000}], "next_cursor": None}).encode()
    server.first.append(Answer(body=bomb, gzipped=True))
    policy = PagePolicy(max_attempts=1, max_page_bytes=1_000_000)
    assert "more than 1,000,000 bytes (after 1 try)" in refusal(
        SourceUnavailable, server, time, policy=policy
    )


def test_large_pages_come_in_batches_of_ten_thousand_at_most(server: PageServer, time: Time) -> None:
    rows = [{"account_id": str(i)} for i in range(10_001)]
    server.first.append(page(rows, None, total=10_001))
    batches = list(HttpAccountSource(server.url, world=time.world).read(None))
    assert [len(batch) for batch in batches] == [10_000, 1]
