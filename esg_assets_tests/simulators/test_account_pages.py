"""The account system: pages, cursors, dates, problem documents."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from esg_assets.simulators.account_faults import AccountFaults
from esg_assets.simulators.account_system import AccountSystem
from esg_assets.simulators.accounts import AccountBook, CsvAccounts
from esg_assets.simulators.csv_input import WrongInput
from esg_assets.simulators.exchange import Reply, Request
from esg_assets.simulators.generated import AWKWARD_IDS, GeneratedAccounts
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.simulators.wire import call

BOOK = """\
account_id,status,account_name,account_type,base_currency,market_value,advisor_id,opened_on,status_since,branch
C3,active,Three,ira,USD,52.50,ADV001,2020-05-01,,north
A1,closed,"One, Two",joint,EUR,1234567.10,,2019-01-01,2025-07-01,south
B/2,active,客户,,JPY,9000000,,,,
D4,suspended,,,,,,,,
"""


@pytest.fixture
def book(tmp_path: Path) -> CsvAccounts:
    path = tmp_path / "accounts.csv"
    path.write_text(BOOK, encoding="utf-8")
    return CsvAccounts(path)


def system(
    book: AccountBook, order: str = "", *, history: bool = True, cursor_seconds: float = 60
) -> AccountSystem:
    return AccountSystem(
        book, history=history, cursor_seconds=cursor_seconds, faults=AccountFaults.parse(order)
    )


def ask(system: AccountSystem, query: str = "", now: float = 0.0) -> Reply:
    return system.page(Request([], query.encode()), now)


def walk(system: AccountSystem, query: str) -> tuple[list[dict[str, Any]], set[int]]:
    accounts, totals, cursor = list[dict[str, Any]](), set[int](), ""
    while True:
        page = json.loads(ask(system, query + cursor).body)
        accounts += page["accounts"]
        totals.add(page["total"])
        if page["next_cursor"] is None:
            return accounts, totals
        cursor = f"&cursor={quote(page['next_cursor'])}"


@pytest.mark.parametrize("size", [1, 7, 500, 1000])
def test_pages_of_any_size_give_every_active_account_once_in_order(size: int) -> None:
    accounts, totals = walk(system(GeneratedAccounts(300)), f"page_size={size}")
    ids = [a["account_id"] for a in accounts]
    assert ids == sorted(set(ids))
    assert totals == {len(ids)}
    assert {a["status"] for a in accounts} == {"active"}


def test_every_status_has_its_list_and_together_they_are_the_book() -> None:
    generated = system(GeneratedAccounts(1000, inactive=0.2))
    lists = [walk(generated, f"status={status}")[0] for status in ("active", "closed", "suspended")]
    assert all(lists)
    assert sum(map(len, lists)) == 1000


def test_a_listing_does_not_change_under_its_cursor() -> None:
    accounts = system(GeneratedAccounts(300))
    cursor = json.loads(ask(accounts, "status=closed&page_size=1").body)["next_cursor"]
    following = json.loads(ask(accounts, f"cursor={cursor}&page_size=2").body)
    assert {a["status"] for a in following["accounts"]} == {"closed"}


def test_a_cursor_works_again_until_it_expires() -> None:
    accounts = system(GeneratedAccounts(300), cursor_seconds=60)
    cursor = json.loads(ask(accounts, "page_size=10").body)["next_cursor"]
    first, second = ask(accounts, f"cursor={cursor}", now=59.0), ask(accounts, f"cursor={cursor}", now=59.5)
    assert json.loads(first.body)["accounts"] == json.loads(second.body)["accounts"]
    assert ask(accounts, f"cursor={cursor}", now=60.0).status == 410


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("page_size=0", 400, "invalid_parameter"),
        ("page_size=1001", 400, "invalid_parameter"),
        ("page_size=99999999999999999999", 400, "invalid_parameter"),
        ("page_size=ten", 400, "invalid_parameter"),
        ("page_size=", 400, "invalid_parameter"),
        ("page_size=%D9%A1", 400, "invalid_parameter"),
        ("status=gone", 400, "invalid_parameter"),
        ("as_of=2026-02-30", 400, "invalid_parameter"),
        ("as_of=20260114", 400, "invalid_parameter"),
        ("as_of=2026-01-14&as_of=2026-01-15", 400, "invalid_parameter"),
        ("status=%FF", 400, "invalid_parameter"),
        ("cursor=abc", 410, "cursor_expired"),
        ("cursor=", 410, "cursor_expired"),
    ],
)
def test_a_wrong_query_gets_a_problem_document(query: str, status: int, code: str) -> None:
    reply = ask(system(GeneratedAccounts(3)), query)
    assert (reply.status, json.loads(reply.body)["code"]) == (status, code)
    assert (b"content-type", b"application/problem+json") in reply.headers


def test_a_cursor_of_another_listing_is_refused() -> None:
    accounts = system(GeneratedAccounts(300))
    cursor = json.loads(ask(accounts, "page_size=10").body)["next_cursor"]
    assert json.loads(ask(accounts, f"status=closed&cursor={cursor}").body)["code"] == "cursor_mismatch"


def test_a_system_without_history_refuses_a_date_and_serves_now() -> None:
    accounts = system(GeneratedAccounts(300), history=False)
    refused = ask(accounts, "as_of=2026-01-14")
    assert (refused.status, json.loads(refused.body)["code"]) == (400, "as_of_unsupported")
    assert ask(accounts).status == 200


def test_a_file_is_served_as_it_is_written(book: CsvAccounts) -> None:
    reply = ask(system(book)).body.decode()
    assert '"market_value":52.50' in reply
    assert json.loads(reply)["accounts"] == [
        {
            "account_id": "B/2",
            "status": "active",
            "account_name": "客户",
            "base_currency": "JPY",
            "market_value": 9000000,
        },
        {
            "account_id": "C3",
            "status": "active",
            "account_name": "Three",
            "account_type": "ira",
            "base_currency": "USD",
            "market_value": 52.5,
            "advisor_id": "ADV001",
            "opened_on": "2020-05-01",
        },
    ]


@pytest.mark.parametrize(
    ("as_of", "active"),
    [
        ("2018-12-31", {"B/2"}),
        ("2019-01-01", {"A1", "B/2"}),
        ("2025-06-30", {"A1", "B/2", "C3"}),
        ("2025-07-01", {"B/2", "C3"}),
    ],
)
def test_a_date_gets_the_accounts_active_at_its_end(book: CsvAccounts, as_of: str, active: set[str]) -> None:
    accounts, totals = walk(system(book), f"as_of={as_of}")
    assert {a["account_id"] for a in accounts} == active
    assert {a["status"] for a in accounts} == {"active"}
    assert totals == {len(active)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("account_id\nA\n", "has no column status"),
        ("account_id,status\n,active\n", "line 2: account_id is empty"),
        ("account_id,status\nA,open\n", "line 2: status is none of"),
        ("account_id,status\nA\n", "line 2: has more or fewer cells"),
        ("account_id,status\nA,active,x\n", "line 2: has more or fewer cells"),
        ('account_id,status,market_value\nA,active,"1,000"\n', "line 2: market_value is not a number"),
        ("account_id,status,opened_on\nA,active,2026-13-01\n", "line 2: opened_on is not a date"),
        (f"account_id,status\n{'x' * 65},active\n", "line 2: account_id has 65 characters"),
    ],
)
def test_a_file_that_cannot_be_served_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(text)
    with pytest.raises(WrongInput, match=message):
        CsvAccounts(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="cannot be read"):
        CsvAccounts(tmp_path / "nowhere.csv")


def test_awkward_ids_are_all_listed(open_server: SimulatorServer) -> None:
    listed = {
        a["account_id"]
        for s in ("active", "closed", "suspended")
        for a in call(open_server.url, f"/v1/accounts?page_size=1000&status={s}").json["accounts"]
    }
    assert set(AWKWARD_IDS) <= listed


def test_faults_of_the_account_system_are_met_in_order() -> None:
    accounts = system(
        GeneratedAccounts(300), "503=1,truncated=1,not_json=1,expired=1,wrong_total,repeated_account"
    )
    refused = ask(accounts, "page_size=200")
    assert (refused.status, dict(refused.headers)[b"retry-after"]) == (503, b"1")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            json.loads(ask(accounts).body)
    page = json.loads(ask(accounts, "page_size=200").body)
    assert ask(accounts, f"cursor={page['next_cursor']}").status == 410
    rest = json.loads(ask(accounts, f"cursor={page['next_cursor']}").body)
    assert rest["accounts"][-1] == rest["accounts"][-2]
    assert len(page["accounts"]) + len(rest["accounts"]) == rest["total"] - 1
