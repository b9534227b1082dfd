"""The report file: columns, guards, order, determinism."""

import csv
import io
from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core import outcomes, report
from esg_assets.core.accounts import ACCOUNT_SCHEMA, Snapshot
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.ratings import Metric, Outcome, Rating, Reason, Status
from esg_assets.core.report_cells import guard, unguard

WACI = Metric("waci", "tCO2e/MUSD", "lower")
DAY = date(2026, 1, 15)


def snapshot(*rows: tuple[str, str | None, str | None, str | None, str | None]) -> Snapshot:
    columns = [pa.array(c, pa.string()) for c in zip(*rows, strict=True)]
    table = pa.Table.from_arrays(columns, schema=ACCOUNT_SCHEMA)
    return Snapshot(DAY, 1, date(2026, 1, 14), "2026-01-14", table, (WACI,), "", b"s" * 32)


def rated(account: str, **changes: str) -> Outcome:
    scores = {"overall_score": "52.50", "environmental_score": "1", "social_score": "2.0"}
    rating = Rating(
        as_of=date(2025, 12, 31),
        **{**scores, **changes},
        governance_score="100",
        primary_focus="social",
        rating="BBB",
        coverage_pct="82.2",
        metrics={"waci": "389.6"},
    )
    return Outcome(account, Status.SUCCESS, rating=rating, attempts=1, last_status=200, raw=b"{}")


def table(day: Snapshot, *found: Outcome) -> pa.Table:
    return outcomes.latest(day.accounts.column("account_id"), [outcomes.to_batch(found)])


def read(day: Snapshot, found: pa.Table) -> list[dict[str, str]]:
    text = b"".join(report.render(day, found)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_rated_account_has_the_providers_number_texts() -> None:
    day = snapshot(("A1", "Ann", "ira", "USD", "198985.67"))

    (row,) = read(day, table(day, rated("A1")))

    assert row == {
        "report_date": "2026-01-15",
        "as_of": "2026-01-14",
        "account_id": "A1",
        "account_name": "Ann",
        "account_type": "ira",
        "base_currency": "USD",
        "market_value": "198985.67",
        "overall_esg_score": "52.50",
        "environmental_score": "1",
        "social_score": "2.0",
        "governance_score": "100",
        "esg_rating": "BBB",
        "primary_esg_focus": "social",
        "coverage_pct": "82.2",
        "rating_as_of": "2025-12-31",
        "waci": "389.6",
        "processing_status": "SUCCESS",
        "reason": "",
    }


def test_an_account_without_a_rating_has_empty_scores_and_says_why() -> None:
    day = snapshot(("A1", None, None, None, None), ("A2", None, None, None, None))
    found = table(
        day,
        Outcome("A1", Status.NOT_RATED, Reason.NOT_COVERED, attempts=1, last_status=404),
        Outcome("A2", Status.FAILED, Reason.TIMEOUT, attempts=5),
    )

    unrated, failed = read(day, found)

    assert (unrated["processing_status"], unrated["reason"]) == ("NOT_RATED", "not_covered")
    assert (failed["processing_status"], failed["reason"]) == ("FAILED", "timeout")
    for row in (unrated, failed):
        assert {
            row[c] for c in ("overall_esg_score", "esg_rating", "coverage_pct", "waci", "market_value")
        } == {""}


def test_lines_end_with_crlf_and_there_is_no_byte_order_mark() -> None:
    day = snapshot(("A1", "Ann", "ira", "USD", "1"))

    data = b"".join(report.render(day, table(day, rated("A1"))))

    assert data.startswith(b"report_date,")
    assert data.count(b"\r\n") == data.count(b"\n") == 2


def test_attempts_and_raw_answers_do_not_change_a_byte() -> None:
    day = snapshot(("A1", "Ann", "ira", "USD", "1"))
    once, thrice = rated("A1"), rated("A1")
    object.__setattr__(thrice, "attempts", 3)
    object.__setattr__(thrice, "raw", b'{"other": "spacing"}')

    assert list(report.render(day, table(day, once))) == list(report.render(day, table(day, thrice)))


def test_cells_that_a_spreadsheet_would_run_are_guarded_and_numbers_are_left_alone() -> None:
    day = snapshot(("=SUM(A1)", "+1", "-x", "@cmd", "0.5"))

    (row,) = read(day, table(day, rated("=SUM(A1)", overall_score="-0.0")))

    assert (row["account_id"], row["account_name"], row["account_type"]) == ("'=SUM(A1)", "'+1", "'-x")
    assert row["base_currency"] == "'@cmd"
    assert (row["overall_esg_score"], row["market_value"]) == ("-0.0", "0.5")


@given(st.text())
def test_the_guard_can_be_taken_off_again(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(tuple("=+-@\t\r"))


def test_rows_come_in_the_snapshots_order_over_many_chunks() -> None:
    ids = [f"A{n:06}" for n in range(report.ROWS_PER_CHUNK * 2 + 1)]
    day = snapshot(*((i, None, None, None, None) for i in ids))
    found = table(day, *(Outcome(i, Status.NOT_RATED, Reason.NOT_COVERED) for i in reversed(ids)))

    assert [row["account_id"] for row in read(day, found)] == ids


def test_the_last_outcome_counts_and_strangers_are_ignored() -> None:
    ids = pa.chunked_array([["A", "B", "C"]])
    first = [Outcome("A", Status.FAILED, Reason.TIMEOUT), rated("B"), rated("X")]
    second = [Outcome("B", Status.NOT_RATED, Reason.NOT_COVERED), rated("A"), Outcome("Y", Status.FAILED)]

    found = outcomes.latest(ids, [outcomes.to_batch(first), outcomes.to_batch(second)])

    assert found.column("account_id").to_pylist() == ["A", "B", None]
    assert found.column("status").to_pylist() == ["SUCCESS", "NOT_RATED", None]
    assert outcomes.counts(found) == {Status.SUCCESS: 1, Status.NOT_RATED: 1}


def test_without_any_part_every_account_is_open() -> None:
    found = outcomes.latest(pa.chunked_array([["A", "B"]]), [])

    assert outcomes.still_open(found, outcomes.Refresh.MISSING, blocked=False) == [0, 1]


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from(list(Reason))), max_size=30), st.data())
def test_latest_agrees_with_a_plain_dictionary_however_outcomes_are_cut_into_parts(
    given_outcomes: list[tuple[str, Reason]], data: st.DataObject
) -> None:
    made = [Outcome(account, Status.FAILED, reason) for account, reason in given_outcomes]
    cut = data.draw(st.integers(0, len(made)))
    batches = [outcomes.to_batch(part) for part in (made[:cut], made[cut:])]

    found = outcomes.latest(pa.chunked_array([["D", "A", "C"]]), batches)

    expected = {o.account_id: o.reason for o in made}
    assert found.column("reason").to_pylist() == [expected.get(a) for a in "DAC"]


def test_outcomes_survive_the_way_into_columns_and_back() -> None:
    made = [rated("A"), Outcome("B", Status.FAILED, Reason.REJECTED, attempts=1, last_status=422, raw=b"no")]

    batch = outcomes.to_batch(made)

    assert batch.schema == OUTCOME_SCHEMA
    assert outcomes.from_batch(batch) == made


def test_which_accounts_a_run_asks_again() -> None:
    reasons = [None, Reason.NOT_COVERED, Reason.REJECTED, Reason.TIMEOUT, Reason.UNAUTHORIZED]
    ids = ["rated", "unrated", "rejected", "transient", "unauthorized"]
    status = {Reason.NOT_COVERED: Status.NOT_RATED}
    made = [rated("rated")] + [
        Outcome(i, status.get(r, Status.FAILED), r)
        for i, r in zip(ids[1:], reasons[1:], strict=True)
        if r is not None
    ]
    found = outcomes.latest(pa.chunked_array([[*ids, "missing"]]), [outcomes.to_batch(made)])

    def asked(refresh: str, *, blocked: bool = False) -> list[int]:
        return outcomes.still_open(found, outcomes.Refresh(refresh), blocked=blocked)

    assert asked("missing") == [5]
    assert asked("failed") == [3, 5]
    assert asked("failed", blocked=True) == [1, 3, 4, 5]
    assert asked("missing", blocked=True) == [5]
    assert asked("all") == [0, 1, 2, 3, 4, 5]
