"""From rows to the sorted table, with every refusal."""

import random
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.account_mapping import CONTRACT_MAPPING, AccountMapping, parse_account_mapping
from esg_assets.core.account_rows import MOST_PROBLEMS, AccountsBuilder
from esg_assets.core.accounts import ACCOUNT_SCHEMA
from esg_assets.core.errors import AccountsRefused, RowProblem

Rows = Sequence[Mapping[str, object]]

NO_TEXT = "text is wanted: cast it at the source"
NASTY_IDS = [
    "/",
    "..",
    ".",
    "a b",
    " a",
    "'",
    '"',
    "=SUM(1)",
    "客户",
    "é",
    "e\u0301",
    "x" * 64,
    "客" * 64,
    "🏦",
    "%2F",
]

printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
ids = st.text(printable, min_size=1, max_size=64)
rows_of_a_source: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.fixed_dictionaries(
        {"account_id": ids, "status": st.sampled_from(["active", "closed", "suspended"])},
        optional={
            "account_name": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            "account_type": st.sampled_from([None, "", "ira", "trust"]),
            "base_currency": st.sampled_from([None, "", "USD", "JPY"]),
            "market_value": st.none() | st.decimals(0, 10**12, places=2),
            "advisor_id": st.integers(),
        },
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row["account_id"],
)


def build(rows: Rows, mapping: AccountMapping = CONTRACT_MAPPING, batch: int = 7) -> pa.Table:
    builder = AccountsBuilder(mapping)
    for start in range(0, len(rows), batch):
        builder.add(rows[start : start + batch])
    return builder.build()


def problems(rows: Rows, mapping: AccountMapping = CONTRACT_MAPPING) -> tuple[RowProblem, ...]:
    with pytest.raises(AccountsRefused) as refusal:
        build(rows, mapping)
    return refusal.value.problems


def account(account_id: object = "A1", **columns: object) -> dict[str, object]:
    return {"account_id": account_id, "status": "active", **columns}


def test_rows_become_the_snapshots_table() -> None:
    rows = [
        account(
            "B",
            account_name="Bea",
            account_type="ira",
            base_currency="USD",
            market_value=Decimal("1E+3"),
            opened_on=object(),
        ),
        account("C", status="closed"),
        account("A", account_name="", market_value="52.50"),
    ]
    table = build(rows)
    assert table.schema.equals(ACCOUNT_SCHEMA)
    assert table.to_pylist() == [
        {
            "account_id": "A",
            "account_name": None,
            "account_type": None,
            "base_currency": None,
            "market_value": "52.50",
        },
        {
            "account_id": "B",
            "account_name": "Bea",
            "account_type": "ira",
            "base_currency": "USD",
            "market_value": "1000",
        },
    ]


@pytest.mark.parametrize("account_id", NASTY_IDS)
def test_an_id_is_kept_exactly(account_id: str) -> None:
    assert build([account(account_id)])["account_id"].to_pylist() == [account_id]


@given(rows_of_a_source, st.randoms(use_true_random=False), st.integers(1, 31))
def test_every_active_row_is_kept_exactly_in_any_order_and_batching(
    rows: list[dict[str, object]], dice: random.Random, batch: int
) -> None:
    active = [str(row["account_id"]) for row in rows if row["status"] == "active"]
    if not active:
        assert problems(rows) == (RowProblem(0, "", f"none of the {len(rows)} rows is active"),)
        return
    table = build(rows)
    assert table["account_id"].to_pylist() == sorted(active)
    assert table.num_rows == len(active)
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert build(shuffled, batch=batch).equals(table)


@given(st.text(st.characters(), max_size=70))
def test_an_id_is_refused_exactly_when_the_contract_says_so(account_id: str) -> None:
    categories = [unicodedata.category(c) for c in account_id if c != " "]
    allowed = 1 <= len(account_id) <= 64 and not any(c[0] in "CZ" for c in categories)
    if allowed:
        assert build([account(account_id)])["account_id"].to_pylist() == [account_id]
    else:
        (problem,) = problems([account(account_id)])
        assert (problem.row, problem.field) == (1, "account_id")


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (account(""), "account_id", "is empty"),
        (account(None), "account_id", "is empty"),
        ({"status": "active"}, "account_id", "is missing"),
        (account(17), "account_id", f"is a whole number, {NO_TEXT}"),
        (account(1.5), "account_id", f"is a number, {NO_TEXT}"),
        (account(b"A1"), "account_id", f"is bytes, {NO_TEXT}"),
        (account("x" * 65), "account_id", "is longer than 64 characters"),
        (
            account("a\u200bb"),
            "account_id",
            "holds a control, format, unassigned or separator character",
        ),
        (
            account("a\u00a0b"),
            "account_id",
            "holds a control, format, unassigned or separator character",
        ),
        (account(status=None), "status", "is empty"),
        ({"account_id": "A1"}, "status", "is missing"),
        (account(status="Active"), "status", "is none of active, closed, suspended"),
        (account(status=1), "status", f"is a whole number, {NO_TEXT}"),
        (account(account_name=5), "account_name", f"is a whole number, {NO_TEXT}"),
        (account(account_name="\ud800"), "account_name", "holds half of a surrogate pair, which is no text"),
        (account(account_type=[]), "account_type", f"is of another type, {NO_TEXT}"),
        (account(base_currency="usd"), "base_currency", "is not three letters A-Z"),
        (account(base_currency="USD\n"), "base_currency", "is not three letters A-Z"),
        (account(market_value=-1), "market_value", "is negative"),
        (account(market_value="n/a"), "market_value", "is not a number"),
        (account(market_value=float("nan")), "market_value", "is not a finite number"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_with_the_reason(
    row: Mapping[str, object], field: str, reason: str
) -> None:
    good = [account(f"good{i}") for i in range(9)]
    assert problems([*good, row]) == (RowProblem(10, field, f"{field} {reason}"),)


def test_a_closed_accounts_other_columns_are_nobodys_business() -> None:
    closed = {"account_id": "B", "status": "closed", "market_value": "n/a", "base_currency": "??"}
    assert build([account("A"), closed]).num_rows == 1


@pytest.mark.parametrize("other", ["active", "closed"])
def test_an_id_that_stands_twice_is_refused_with_both_rows(other: str) -> None:
    rows = [*(account(f"A{i}") for i in range(10)), account("A3", status=other)]
    assert problems(rows) == (RowProblem(11, "account_id", "account_id is the same as in row 4"),)


def test_ids_are_compared_exactly() -> None:
    assert build([account(i) for i in ("a", "A", "a ", "é", "e\u0301", "01", "1")]).num_rows == 7


def test_an_empty_list_is_refused() -> None:
    assert problems([]) == (RowProblem(0, "", "the source sent no rows"),)
    assert problems([account(status="closed")]) == (RowProblem(0, "", "none of the 1 rows is active"),)


def test_problems_are_counted_and_the_first_rows_listed() -> None:
    builder = AccountsBuilder(what="the accounts as of 2026-01-14")
    for _ in range(30):
        builder.add([account("", market_value=-1)] * 100 + [account("same")])
    with pytest.raises(AccountsRefused) as refusal:
        builder.build()
    assert builder.received == 3030
    assert builder.problem_count == 6029
    assert [p.row for p in refusal.value.problems] == [row for row in range(1, 11) for _ in range(2)]
    assert len(refusal.value.problems) == MOST_PROBLEMS
    message = str(refusal.value)
    assert message.startswith(
        "Reading the accounts as of 2026-01-14: 6,029 problems in 3,030 rows (the first 20 are listed): "
        "row 1: account_id is empty; row 1: market_value is negative; row 2: "
    )
    assert message.endswith("run the date again.")


def test_no_value_of_a_row_is_in_any_message() -> None:
    secret = "S3CRET"
    bad: Rows = [
        account(secret * 20),
        account(secret + "\x00"),
        account(secret),
        account(secret),
        account("x", status=secret),
        account("y", base_currency=secret, market_value=secret, account_name=secret + "\ud800"),
        account("z", **{secret: secret}),
    ]
    with pytest.raises(AccountsRefused) as refusal:
        build(bad)
    assert len(refusal.value.problems) == 7
    assert secret not in str(refusal.value) + repr(refusal.value.problems)
    assert refusal.value.__context__ is None


def test_a_mapping_renames_and_says_what_is_active() -> None:
    fields = {"acct_no": "account_id", "state": "status", "owner": "account_name"}
    mapping = parse_account_mapping({"fields": fields, "active": ["A", "OPEN"]})
    rows: Rows = [
        {"acct_no": "2", "state": "OPEN", "owner": "Two", "account_id": 99, "market_value": 5},
        {"acct_no": "1", "state": "A"},
        {"acct_no": "3", "state": "whatever"},
    ]
    table = build(rows, mapping)
    assert table.select(["account_id", "account_name", "market_value"]).to_pylist() == [
        {"account_id": "1", "account_name": None, "market_value": None},
        {"account_id": "2", "account_name": "Two", "market_value": "5"},
    ]
    assert problems([{"acct_no": "1"}], mapping) == (RowProblem(1, "status", "status is missing"),)
