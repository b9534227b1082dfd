"""Laws of incidents and messages, for whatever is seen, in whatever order and portions."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.alerts import recording
from esg_assets.core.alerts.incidents import Observation, Recovery, State
from esg_assets.core.alerts.kinds import (
    CATCH_UP,
    FORECAST_LATE,
    GIVEN_UP,
    KINDS,
    PUBLISHED,
    REPORT_LATE,
    RUN_FAILED,
    RUN_KILLED,
    SENSOR_SILENT,
    Family,
    Severity,
)
from esg_assets.core.alerts.ledger import BLOCKS
from esg_assets.core.alerts.routes import (
    BUSINESS,
    DEFAULT,
    DEVELOPERS,
    EMAIL,
    HEARTBEAT,
    MONITORS,
    PAGERDUTY,
    SLACK,
    Routes,
    Target,
)
from esg_assets_tests.fake_outbox import MemoryOutbox

START = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
NOW = START + timedelta(days=1)
DATES = [date(2026, 11, 23), date(2026, 11, 24)]
DATED = [
    *(RUN_FAILED, RUN_KILLED, REPORT_LATE, FORECAST_LATE, CATCH_UP, GIVEN_UP, PUBLISHED),
    *(KINDS["failure_rate"], KINDS["account_count_plausible"]),
]
ROUTES = Routes(
    DEFAULT,
    frozenset(
        {
            Target(PAGERDUTY, DEVELOPERS),
            Target(SLACK, DEVELOPERS),
            Target(EMAIL, DEVELOPERS),
            Target(EMAIL, BUSINESS),
            Target(HEARTBEAT, MONITORS),
        }
    ),
)
Batch = list[Observation | Recovery]

MOMENTS = st.integers(0, 12).map(lambda minutes: START + timedelta(minutes=minutes))
SUBJECTS = st.sampled_from(["", "StoreUnavailable"])
OBSERVATIONS = st.one_of(
    st.builds(
        Observation,
        kind=st.sampled_from(DATED),
        evidence=st.just(""),
        at=MOMENTS,
        date=st.sampled_from(DATES),
        subject=SUBJECTS,
        severity=st.sampled_from([None, Severity.WARN]),
        facts=st.sampled_from([{}, {BLOCKS: 1}, {"failed": 3}]),
    ),
    st.builds(Observation, kind=st.just(SENSOR_SILENT), evidence=st.just(""), at=MOMENTS, subject=SUBJECTS),
)
RECOVERIES = st.one_of(
    st.builds(
        Recovery,
        evidence=st.just(""),
        at=MOMENTS,
        kinds=st.frozensets(st.sampled_from([kind.name for kind in DATED]), min_size=1),
        date=st.sampled_from(DATES),
        earlier_dates=st.booleans(),
    ),
    st.builds(Recovery, evidence=st.just(""), at=MOMENTS, kinds=st.just(frozenset({SENSOR_SILENT.name}))),
)


def _named(batch: Batch) -> Batch:
    return [replace(one, evidence=f"evidence:{number}") for number, one in enumerate(batch)]


BATCHES = st.lists(st.one_of(OBSERVATIONS, RECOVERIES), max_size=14).map(_named)


def recorded(*batches: Sequence[Observation | Recovery]) -> MemoryOutbox:
    outbox = MemoryOutbox("test")
    for batch in batches:
        outbox.record(batch, ROUTES, NOW)
    return outbox


def messages(outbox: MemoryOutbox) -> list[tuple[str, State, Target]]:
    return [(kept.message.incident.key, kept.message.state, kept.target) for kept in outbox.kept]


def is_well(seen: Observation, batch: Batch) -> bool:
    """Whether something in the batch says that what was seen is over: the rule, told once more."""
    late = seen.kind.family is Family.LATENESS
    return any(
        one.at >= seen.at
        and seen.kind.name in one.kinds
        and (
            one.date == seen.date
            or (
                one.earlier_dates
                and not late
                and one.date is not None
                and seen.date is not None
                and seen.date < one.date
            )
        )
        for one in batch
        if isinstance(one, Recovery)
    )


@given(BATCHES, st.data())
def test_what_is_unwell_is_open_and_all_else_has_ended_in_whatever_order_it_is_seen(
    batch: Batch, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(batch))
    cut = data.draw(st.integers(0, len(batch)))
    outbox = recorded(shuffled[:cut], shuffled[cut:])
    unwell = {
        (seen.date, seen.kind.name)
        for seen in batch
        if isinstance(seen, Observation)
        and seen.kind.family is not Family.NOTICE
        and not is_well(seen, batch)
    }
    found = {(incident.date, name) for incident in outbox.open_incidents() for name in incident.unwell}
    assert found == unwell
    for incident in outbox.incidents.values():
        assert (incident.resolved_at is not None) == (not incident.unwell)


@given(BATCHES, st.data())
def test_evidence_counts_once_however_often_it_is_seen(batch: Batch, data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(batch), max_size=5)) if batch else []
    outbox = recorded([*batch, *again])
    incidents, told = dict(outbox.incidents), messages(outbox)
    outbox.record([*again, *batch], ROUTES, NOW)
    assert (outbox.incidents, messages(outbox)) == (incidents, told)
    observations = sum(isinstance(one, Observation) for one in batch)
    assert sum(incident.occurrences for incident in incidents.values()) == observations


@given(BATCHES, st.data())
def test_the_order_within_a_batch_makes_no_difference(batch: Batch, data: st.DataObject) -> None:
    one, other = recorded(batch), recorded(data.draw(st.permutations(batch)))
    assert one.incidents == other.incidents
    assert messages(one) == messages(other)


@given(BATCHES, st.data())
def test_every_target_hears_of_an_opening_once_and_of_an_end_only_then(
    batch: Batch, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(batch)))
    outbox = recorded(batch[:cut], batch[cut:])
    told = Counter(messages(outbox))
    assert set(told.values()) <= {1}
    for key, incident in outbox.incidents.items():
        opened, worse, ended = (
            {target for of, of_state, target in told if (of, of_state) == (key, state)}
            for state in (State.OPEN, State.WORSE, State.RESOLVED)
        )
        assert opened >= set(recording.targets(incident, ROUTES))
        assert worse <= opened
        notice = incident.kind.family is Family.NOTICE
        assert ended == (set() if notice or incident.resolved_at is None else opened)


@given(BATCHES)
def test_no_two_open_incidents_are_of_one_cause(batch: Batch) -> None:
    causes = [(one.kind, one.date, one.subject) for one in recorded(batch).open_incidents()]
    assert len(causes) == len(set(causes))


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, min_size=2, max_size=6))
def test_evidence_of_any_length_fits_a_column_and_stays_different(names: list[str]) -> None:
    found = [recording.evidence_name(Observation(RUN_FAILED, name, NOW)) for name in names]
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= recording.LONGEST_EVIDENCE


def test_a_cause_and_its_lateness_are_one_incident_in_either_order() -> None:
    failed = Observation(RUN_FAILED, "run:1", START, DATES[1])
    late = Observation(REPORT_LATE, "late", START + timedelta(minutes=1), DATES[1])
    for batches in itertools.permutations([[failed], [late]]):
        (incident,) = recorded(*batches).open_incidents()
        assert set(incident.unwell) == {RUN_FAILED.name, REPORT_LATE.name}
