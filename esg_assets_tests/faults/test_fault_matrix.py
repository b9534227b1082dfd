"""Every scenario of the fault matrix ends, account by account, exactly as docs/fault_matrix.md says."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from esg_assets.core.errors import AccessDenied, ApiUnavailable
from esg_assets.core.ratings import Outcome, Reason, Status
from esg_assets.simulators.faults import KINDS, Faults
from esg_assets_tests.faults import table
from esg_assets_tests.faults.engine import Done, truth
from esg_assets_tests.faults.matrix import MATRIX
from esg_assets_tests.faults.runs import Runs
from esg_assets_tests.faults.scenario import ANY, End, Scenario, order

pytestmark = pytest.mark.xdist_group("fault_matrix")  # they share what is started for them

MOST_GROWTH = 128 << 20
"""Bytes by which the memory of this process may grow, servers of its own included."""


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The scenarios that were selected, under way at once: most of their time is waiting."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    given = (item.callspec.params.get("scenario") for item in items if hasattr(item, "callspec"))
    selected = [scenario for scenario in given if isinstance(scenario, Scenario)]
    with Runs(selected, tmp_path_factory.mktemp("scenarios")) as under_way:
        yield under_way


@pytest.mark.parametrize("scenario", MATRIX, ids=lambda scenario: f"{scenario.name}, {scenario.when}")
def test_every_account_ends_as_the_matrix_says(scenario: Scenario, runs: Runs) -> None:
    done = runs.of(scenario)

    assert type(done.error) is (scenario.error or type(None)), done.error
    assert max(Counter(o.account_id for o in done.outcomes).values(), default=1) == 1, "nobody ends twice"
    ends = {o.account_id: as_end(o) for o in done.outcomes}
    for number, (account_id, expected) in enumerate(scenario.expected.items(), 1):
        assert same(ends.get(account_id), expected), (number, expected, ends.get(account_id))
    for outcome in done.outcomes:
        if outcome.status is Status.SUCCESS:
            assert outcome.rating == truth(outcome.account_id).rating, "nobody gets another rating than his"
    check_calls(scenario, done)
    assert re.findall(r"A\d{7}|127\.0\.0\.1|demo-\w+", str(done.error)) == [], "errors end in logs"
    assert done.seconds >= scenario.seconds


def test_memory_stays_flat_whatever_the_servers_send(runs: Runs) -> None:
    assert runs.grown() < MOST_GROWTH


def test_the_document_shows_exactly_the_matrix() -> None:
    text = table.DOCUMENT.read_text(encoding="utf-8")

    assert table.put(text) == text, "python -m esg_assets_tests.faults --write"


def test_every_scenario_has_a_name_of_its_own() -> None:
    names = Counter((scenario.name, scenario.when) for scenario in MATRIX)

    assert [name for name, count in names.items() if count > 1] == []


def test_every_fault_of_the_simulator_and_every_reason_is_in_the_matrix() -> None:
    ordered = {fault.kind for scenario in MATRIX for fault in Faults.parse(order(scenario.faults)).orders}
    ends = [end for scenario in MATRIX for end in scenario.expected.values() if end is not None]

    assert set(KINDS) - ordered == set()
    assert set(Reason) - {end.reason for end in ends} == set()
    assert {scenario.error for scenario in MATRIX} == {None, AccessDenied, ApiUnavailable}


def as_end(outcome: Outcome) -> End:
    return End(outcome.status, outcome.reason, outcome.attempts, outcome.last_status)


def same(end: End | None, expected: End | None) -> bool:
    """Whether an account ended as expected, apart from what timing decides."""
    if end is None or expected is None:
        return end is expected
    return (end.status, end.reason, end.last_status) == (
        expected.status,
        expected.reason,
        expected.last_status,
    ) and expected.tries in {ANY, end.tries}


def check_calls(scenario: Scenario, done: Done) -> None:
    """What was sent, as the run says and as the simulator counted."""
    expected = scenario.expected_calls
    if done.progress is not None:
        assert done.progress.left == 0
        assert expected in {ANY, done.progress.calls}
    if not done.stats:
        return
    counted = done.stats["calls"]
    if done.progress is not None:
        assert counted == done.progress.calls - scenario.unsent
    if scenario.most_calls is not None:
        assert counted <= scenario.most_calls
    elif expected != ANY:
        assert counted == expected - scenario.unsent
    if scenario.calls is None and scenario.error is None:
        tries = {o.account_id: o.attempts for o in done.outcomes if o.attempts}
        assert done.stats["calls_of"] == tries
    assert done.stats["tokens_issued"] >= scenario.tokens_issued
