"""Which dates a tick asks for."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.due import DateState, Due, dates_due

TODAY = date(2026, 3, 10)
START = date(2026, 3, 1)


def due(
    *,
    published: set[date] = frozenset(),  # type: ignore[assignment]  # an empty set, never changed
    states: dict[date, DateState] | None = None,
    first_publication: date | None = START,
    today: date = TODAY,
) -> Due:
    return dates_due(
        today,
        first=START,
        catchup_days=3,
        max_attempts=6,
        published=published,
        first_publication=first_publication,
        states=states or {},
    )


def days_ago(n: int) -> date:
    return TODAY - timedelta(days=n)


def test_today_is_asked_for_while_it_is_unpublished() -> None:
    assert due(published={days_ago(n) for n in (1, 2, 3)}).wanted == (TODAY,)


def test_nothing_is_asked_for_when_everything_is_published() -> None:
    assert due(published={days_ago(n) for n in range(4)}).wanted == ()


def test_missed_days_are_made_up_for_after_today_and_oldest_first() -> None:
    assert due().wanted == (TODAY, days_ago(3), days_ago(2), days_ago(1))


def test_days_before_the_first_publication_were_not_missed() -> None:
    assert due(first_publication=days_ago(1)).wanted == (TODAY, days_ago(1))
    assert due(first_publication=None).wanted == (TODAY,)


def test_a_date_under_way_or_ended_for_good_is_left_alone() -> None:
    states = {TODAY: DateState(under_way=True), days_ago(1): DateState(attempts=1, permanent=True)}

    assert due(states=states).wanted == (days_ago(3), days_ago(2))


def test_a_date_is_given_up_after_its_attempts() -> None:
    found = due(states={days_ago(2): DateState(attempts=6)})

    assert found.given_up == (days_ago(2),)
    assert days_ago(2) not in found.wanted


def test_a_run_that_gave_way_is_taken_up_again_whatever_its_attempts() -> None:
    assert days_ago(2) in due(states={days_ago(2): DateState(attempts=9, yielded=True)}).wanted


def test_nothing_is_asked_for_before_the_first_date() -> None:
    assert due(today=START - timedelta(days=1)).wanted == ()


@given(
    st.dictionaries(
        st.integers(0, 6).map(days_ago),
        st.builds(DateState, st.booleans(), st.integers(0, 8), st.booleans()),
    ),
    st.sets(st.integers(0, 6).map(days_ago)),
)
def test_no_published_or_running_date_is_ever_asked_for(
    states: dict[date, DateState], published: set[date]
) -> None:
    found = due(published=published, states=states)

    assert not set(found.wanted) & published
    assert not any(states[d].under_way for d in found.wanted if d in states)
    assert set(found.wanted) <= {days_ago(n) for n in range(4)}
    assert len(set(found.wanted)) == len(found.wanted)
