"""A report made again from raw answers: whatever was kept is given again, and what differs is counted."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core import outcomes, report
from esg_assets.core.accounts import Snapshot
from esg_assets.core.outcomes import OUTCOME_SCHEMA
from esg_assets.core.ratings import Outcome, Reason, Reply, Status
from esg_assets.core.replies import judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets.core.reproduction import MadeAgain, Reproduction, commitment, make_again
from esg_assets_tests.unit.report_material import AS_OF, WACI, snapshot

SALT = b"k" * 32


def entry(account_id: str, score: str = "52.50", **fields: object) -> dict[str, object]:
    """A rating as the provider sends it; its score is put in as the text that it is."""
    return {
        "account_id": account_id,
        "as_of": AS_OF.isoformat(),
        "overall_score": f"<{score}>",
        "environmental_score": 50,
        "social_score": 60.25,
        "governance_score": 40,
        "primary_focus": "social",
        "rating": "BBB",
        "coverage_pct": 82.2,
        "metrics": {"waci": 389.6, "another": 1},
        **fields,
    }


def body(*entries: dict[str, object]) -> bytes:
    document = entries[0] if len(entries) == 1 else {"ratings": list(entries)}
    return json.dumps(document).replace('"<', "").replace('>"', "").encode()


def answered(*calls: tuple[dict[str, object], ...]) -> list[Outcome]:
    """The outcomes of calls, kept as the collection keeps them: one body for all of a call."""
    found = []
    for entries in calls:
        data = body(*entries)
        ids = [str(each["account_id"]) for each in entries]
        judged = judge_many(Reply(200, data), ids, AS_OF, (WACI,), CONTRACT_SHAPE)
        for account_id, one in judged.items():
            kept = Outcome(account_id, one.status, one.reason, one.rating, 1, 200, raw=data)
            found.append(kept)
            data = b""
    return found


def part(*kept: Outcome) -> pa.Table:
    return pa.Table.from_batches([outcomes.to_batch(kept)], schema=OUTCOME_SCHEMA)


def published(day: Snapshot, *parts: pa.Table) -> Any:
    """What the chain's entry of that report says, as far as it is compared."""
    batches = [batch for each in parts for batch in each.drop_columns(["raw"]).to_batches()]
    table = outcomes.latest(day.accounts.column("account_id"), batches)
    counts = outcomes.counts(table)
    csv = b"".join(report.render(day, table))
    return SimpleNamespace(commitment=commitment([csv], SALT), counts={s: counts[s] for s in Status}, csv=csv)


def reproduced(day: Snapshot, of: Any, *parts: pa.Table) -> Reproduction:
    return make_again(day, parts, CONTRACT_SHAPE).compared(of, SALT)


numbers = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
entries = st.builds(
    lambda score, spoilt: ({"overall_score": f"<{score}>"}, {}, {"error": {"status": 404}}, {"as_of": "x"})[
        spoilt
    ],
    st.sampled_from(["0", "1.0", "52.50", "99.99"]),
    st.integers(0, 3),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(numbers, st.data()), max_size=4), max_size=3))
def test_whatever_was_kept_is_given_again(nights: list[list[tuple[list[int], Any]]]) -> None:
    parts = []
    for night in nights:
        calls = [
            tuple(entry(f"A{number}", **data.draw(entries)) for number in called) for called, data in night
        ]
        silent = [
            Outcome("A9", Status.FAILED, Reason.TIMEOUT, attempts=5),
            Outcome("A8", Status.NOT_RATED, Reason.NOT_COVERED, attempts=1, last_status=404),
        ]
        parts.append(part(*answered(*calls), *silent))
    known = {account for each in parts for account in each.column("account_id").to_pylist()}
    day = snapshot(sorted(known))
    of = published(day, *parts)

    found = reproduced(day, of, *parts)

    assert (found.equal, found.commitment_equal, found.differing) == (True, True, 0)
    assert found.rows == len(known) == sum(found.counts.values()) == found.judged + found.as_kept
    assert found.judged == found.counts[Status.SUCCESS]
    assert b"".join(make_again(day, parts, CONTRACT_SHAPE).chunks()) == of.csv


def test_an_empty_report_is_made_again() -> None:
    day = snapshot([])
    assert reproduced(day, published(day)).equal


def test_the_last_answer_counts() -> None:
    day = snapshot(["A"])
    first, last = part(*answered((entry("A", "1"),))), part(*answered((entry("A", "2"),)))
    assert reproduced(day, published(day, first, last), first, last).equal
    assert not reproduced(day, published(day, last, first), first, last).equal


@pytest.mark.parametrize(
    ("kept", "kind"),
    [
        ({"overall_score": "<52.5>"}, "score"),  # the same number in other digits is another CSV
        ({"rating": "A"}, "letter"),
        ({"coverage_pct": 82}, "coverage"),
        ({"metrics": {"waci": 1}}, "details"),
        ({"primary_focus": "governance"}, "details"),
        ({"error": {"status": 404}}, "status"),
        ({"overall_score": 101}, "status"),
        ({"account_id": "B"}, "status"),
    ],
)
def test_an_answer_that_gives_something_else_than_was_kept_is_counted_by_kind(
    kept: dict[str, object], kind: str
) -> None:
    day = snapshot(["A", "C"])
    honest = answered((entry("A"),), (entry("C"),))
    of = published(day, part(*honest))
    altered = replace(honest[0], raw=body({**entry("A"), **kept}))

    found = reproduced(day, of, part(altered, honest[1]))

    assert (found.equal, found.commitment_equal, found.differing) == (False, False, 1)
    assert kind in found.answers
    assert found.judged == 2


def test_a_rating_whose_answer_is_gone_differs() -> None:
    day = snapshot(["A"])
    honest = answered((entry("A"),))
    found = reproduced(day, published(day, part(*honest)), part(replace(honest[0], raw=b"")))
    assert (found.equal, found.answers["status"], found.counts[Status.FAILED]) == (False, 1, 1)


def test_counts_of_the_entry_are_compared_too() -> None:
    day = snapshot(["A"])
    parts = part(*answered((entry("A"),)))
    of = published(day, parts)
    of.counts = {**of.counts, Status.SUCCESS: 2}
    found = reproduced(day, of, parts)
    assert (found.equal, found.commitment_equal) == (False, True)


def test_bodies_of_one_part_at_a_time_are_in_memory() -> None:
    count, size = 24, 4 << 20
    day = snapshot([f"A{number:02}" for number in range(count)])
    before = pa.total_allocated_bytes()
    most = 0

    def parts() -> Any:
        nonlocal most
        for number in range(count):
            padded = {**entry(f"A{number:02}"), "padding": "x" * size}
            yield part(*answered((padded,)))
            most = max(most, pa.total_allocated_bytes() - before)

    made = make_again(day, parts(), CONTRACT_SHAPE)

    assert isinstance(made, MadeAgain)
    assert most < 4 * size, "a body stays in memory after its part"
