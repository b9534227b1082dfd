"""One account through several reports: steps between those that could be read, and the gaps."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.account_history import Seen, State, find, gaps, steps
from esg_assets.core.row_changes import changes
from esg_assets_tests.unit.report_material import row, unrated

DAY = dt.date(2026, 1, 15)
ACCOUNTS = [f"A{number}" for number in range(6)]

one = st.sampled_from(
    [row(), row(overall_esg_score="53"), row(esg_rating="A"), row(market_value="2"), row(waci="1"), unrated()]
)
series = st.lists(st.dictionaries(st.sampled_from(ACCOUNTS), one), min_size=1, max_size=5)


@given(series)
def test_what_changed_between_reports_is_what_every_accounts_history_says(
    books: list[dict[str, dict[str, str]]],
) -> None:
    reports = [[{**book[each], "account_id": each} for each in sorted(book)] for book in books]
    between = [
        {each.account_id: each.kinds for each in changes(before, now)} for before, now in pairwise(reports)
    ]
    for account in ACCOUNTS:
        rows = [find(report, account) for report in reports]
        seen = [Seen(DAY, n, State.FOUND if each else State.ABSENT, each) for n, each in enumerate(rows)]
        _, *later = steps(seen)
        assert [step.kinds for step in later] == [found.get(account, ()) for found in between]
    for report in reports:
        assert all(change.kinds == () for change in changes(report, report))


def test_a_change_is_told_against_the_last_report_that_could_be_read() -> None:
    seen = [
        Seen(DAY, 1, State.FOUND, row()),
        Seen(DAY, 2, State.FOUND, row(esg_rating="A")),
        Seen(DAY + dt.timedelta(1), 1, State.EXPIRED, entry=7),
        Seen(DAY + dt.timedelta(2), 1, State.DOES_NOT_VERIFY),
        Seen(DAY + dt.timedelta(3), 1, State.FOUND, unrated()),
        Seen(DAY + dt.timedelta(4), 1, State.ABSENT),
        Seen(DAY + dt.timedelta(5), 1, State.ABSENT),
        Seen(DAY + dt.timedelta(6), 1, State.FOUND, row()),
    ]

    found = list(steps(seen))

    assert [step.seen for step in found] == seen
    assert [step.kinds for step in found] == [
        *((), ("letter",), (), ()),
        *(("status", "details"), ("left",), (), ("joined",)),
    ]
    assert [None if step.since is None else seen.index(step.since) for step in found] == [
        *(None, 0, None, None),
        *(1, 4, 5, 6),
    ]


def test_only_what_is_wrong_with_the_store_is_a_fault() -> None:
    assert {state for state in State if state.fault} == {State.MISSING, State.DOES_NOT_VERIFY}


@given(st.sets(st.integers(-3, 33)), st.integers(0, 30))
def test_gaps_are_the_spans_without_a_report(numbers: set[int], length: int) -> None:
    published = [DAY + dt.timedelta(number) for number in numbers]
    last = DAY + dt.timedelta(length)

    found = list(gaps(published, DAY, last))

    missing = {
        begin + dt.timedelta(number) for begin, end in found for number in range((end - begin).days + 1)
    }
    assert missing == {DAY + dt.timedelta(number) for number in range(length + 1)} - set(published)
    ends = [end for _, end in found]
    assert all(begin - end > dt.timedelta(1) for end, (begin, _) in zip(ends, found[1:], strict=False))


def test_an_account_is_looked_for_no_further_than_where_it_would_stand() -> None:
    taken: list[str] = []

    def rows() -> Iterator[dict[str, str]]:
        for name in ("A", "B", "D", "E"):
            taken.append(name)
            yield row(name)

    assert find(rows(), "C") is None
    assert taken == ["A", "B", "D"]
    assert find(rows(), "B") == row("B")
    assert find(rows(), "Z") is None
