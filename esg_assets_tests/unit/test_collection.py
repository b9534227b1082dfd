"""The collection state machine in simulated time: no threads, no sleeping."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core.admission import DENIALS_TO_STOP, PROBES_BEFORE_FAN_OUT
from esg_assets.core.breaker import FAILURES_TO_OPEN, PROBE_SECONDS
from esg_assets.core.errors import AccessDenied, ApiUnavailable
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Fault, Reason, Reply, Status
from esg_assets_tests.unit.simulated_night import Simulation


def test_every_account_ends_in_exactly_one_outcome() -> None:
    done = Simulation(500).run()

    assert Counter(o.account_id for o in done.outcomes) == {f"A{n:05}": 1 for n in range(500)}
    assert done.by_status() == {Status.SUCCESS: 500}
    assert done.collection.progress.calls == 500
    assert done.collection.progress.retries == 0


@pytest.mark.parametrize("rate", [50.0, 400.0, 5000.0])
def test_calls_use_the_whole_rate_and_a_strict_bucket_refuses_none(rate: float) -> None:
    done = Simulation(1000, policy=CallPolicy(rate=rate), workers=400, latency=0.02).run()

    assert done.refused_by_bucket(rate, burst=max(1.0, rate / 10)) == 0
    assert done.sent[-1][0] - done.sent[0][0] <= 1000 / rate * 1.01 + 0.02


def test_retries_fill_slots_and_count_against_the_rate() -> None:
    def one_in_five_fails_once(account: str, nth: int) -> Reply:
        return Reply(500) if nth == 1 and int(account[1:]) % 5 == 0 else Reply(200)

    done = Simulation(2000, one_in_five_fails_once, policy=CallPolicy(rate=200.0)).run()

    assert done.by_status() == {Status.SUCCESS: 2000}
    assert done.collection.progress.retries == 400
    assert done.refused_by_bucket(200.0, burst=5) == 0
    assert done.sent[-1][0] <= 2400 / 200 * 1.01 + 1.0, "only the last retries may leave a slot empty"


def test_a_stalled_machine_does_not_send_a_clump_when_it_wakes() -> None:
    done = Simulation(600, policy=CallPolicy(rate=100.0), workers=64, stall=(2.0, 3.5)).run()

    assert done.refused_by_bucket(100.0, burst=5) == 0
    assert done.by_status() == {Status.SUCCESS: 600}


def test_burst_calls_may_go_out_at_once_and_then_the_rate_holds() -> None:
    done = Simulation(200, policy=CallPolicy(rate=50.0, burst=10), workers=64, latency=0.001).run()

    assert done.refused_by_bucket(50.0, burst=10 + 1) == 0
    assert sum(1 for moment, _ in done.sent if moment < 0.05) > 5


def test_a_429_pauses_every_call_until_the_latest_retry_after() -> None:
    def refused_once(account: str, nth: int) -> Reply:
        return Reply(429, retry_after="3") if account == "A00050" and nth == 1 else Reply(200)

    done = Simulation(200, refused_once).run()

    (refused_at,) = [moment for moment, account in done.sent if account == "A00050"][:1]
    answered = refused_at + done.latency
    assert not [m for m, _ in done.sent if answered < m < answered + 3.0]
    assert done.collection.progress.refusals == 1
    assert done.by_status() == {Status.SUCCESS: 200}


def test_overlapping_pauses_do_not_add_up() -> None:
    def two_refusals(account: str, nth: int) -> Reply:
        return Reply(429, retry_after="2") if account in {"A00050", "A00051"} and nth == 1 else Reply(200)

    done = Simulation(100, two_refusals).run()

    assert done.sent[-1][0] < 1.0 + 2.0 + 0.2 + 1.5


def test_a_503_with_retry_after_holds_back_that_account_alone() -> None:
    def busy_once(account: str, nth: int) -> Reply:
        return Reply(503, retry_after="5") if account == "A00010" and nth == 1 else Reply(200)

    done = Simulation(300, busy_once).run()

    times = [moment for moment, account in done.sent if account == "A00010"]
    assert times[1] - times[0] >= 5.0
    gaps = [b - a for (a, _), (b, _) in zip(done.sent[:-2], done.sent[1:-1], strict=True)]
    assert max(gaps) < 0.1, "nobody else waited"


def test_an_absurd_retry_after_is_capped() -> None:
    policy = CallPolicy(rate=100.0, max_retry_after_seconds=10.0, outage_seconds=1e9)
    done = Simulation(
        20, lambda a, n: Reply(429, retry_after="32400") if n == 1 else Reply(200), policy=policy
    ).run()

    assert done.by_status() == {Status.SUCCESS: 20}
    assert done.now < 200


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(500), Reason.UNAVAILABLE),
        (Reply(429), Reason.RATE_LIMITED),
        (Reply(504), Reason.TIMEOUT),
        (Reply(None, fault=Fault.TIMEOUT), Reason.TIMEOUT),
        (Reply(None, fault=Fault.BAD_RESPONSE), Reason.BAD_RESPONSE),
    ],
)
def test_an_account_that_never_answers_fails_after_its_tries(reply: Reply, reason: Reason) -> None:
    done = Simulation(10, lambda account, _n: reply if account == "A00003" else Reply(200)).run()

    (failed,) = [o for o in done.outcomes if o.status is Status.FAILED]
    assert (failed.account_id, failed.reason, failed.attempts) == ("A00003", reason, 5)
    assert failed.last_status == reply.status
    assert done.tries["A00003"] == 5


def test_404_422_and_redirects_are_not_tried_again() -> None:
    replies = {"A00001": Reply(404), "A00002": Reply(422), "A00003": Reply(302)}
    done = Simulation(10, lambda account, _n: replies.get(account, Reply(200))).run()

    ends = {o.account_id: (o.status, o.reason) for o in done.outcomes if o.status is not Status.SUCCESS}
    assert ends == {
        "A00001": (Status.NOT_RATED, Reason.NOT_COVERED),
        "A00002": (Status.FAILED, Reason.REJECTED),
        "A00003": (Status.FAILED, Reason.BAD_RESPONSE),
    }
    assert done.collection.progress.calls == 10


def test_a_new_token_earns_one_more_call_that_is_not_a_try() -> None:
    def expired_once(account: str, nth: int) -> Reply:
        return Reply(401, token_renewed=True) if account == "A00005" and nth == 1 else Reply(200)

    done = Simulation(20, expired_once).run()

    assert done.by_status() == {Status.SUCCESS: 20}
    assert {o.attempts for o in done.outcomes} == {1}
    assert done.collection.progress.calls == 21


def test_a_401_after_a_new_token_is_that_accounts_own_failure() -> None:
    denied = Reply(401, token_renewed=True)
    done = Simulation(20, lambda account, _n: denied if account == "A00005" else Reply(200)).run()

    (failed,) = [o for o in done.outcomes if o.status is Status.FAILED]
    assert (failed.account_id, failed.reason) == ("A00005", Reason.UNAUTHORIZED)
    assert done.tries["A00005"] == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_client_that_is_refused_as_a_whole_stops_within_20_calls_and_keeps_nothing(status: int) -> None:
    done = Simulation(1000, lambda _a, _n: Reply(status, token_renewed=status == 401)).run()

    assert isinstance(done.collection.error, AccessDenied)
    assert len(done.sent) <= 20 + PROBES_BEFORE_FAN_OUT
    assert done.outcomes == []
    assert str(status) in str(done.collection.error)


def test_403_for_everything_stops_within_20_calls_of_any_kind() -> None:
    done = Simulation(1000, lambda _a, _n: Reply(403)).run()

    assert len(done.sent) <= DENIALS_TO_STOP + PROBES_BEFORE_FAN_OUT <= 20


def test_a_small_book_that_is_refused_as_a_whole_is_an_error_too() -> None:
    done = Simulation(3, lambda _a, _n: Reply(403)).run()

    assert isinstance(done.collection.error, AccessDenied)
    assert done.outcomes == []


def test_a_403_amid_successes_is_that_accounts_own_failure() -> None:
    done = Simulation(50, lambda account, _n: Reply(403) if account < "A00005" else Reply(200)).run()

    assert done.collection.error is None
    assert done.by_status() == {Status.SUCCESS: 45, Status.FAILED: 5}
    assert {o.reason for o in done.outcomes if o.status is Status.FAILED} == {Reason.UNAUTHORIZED}


def test_only_a_few_calls_go_out_before_the_first_answer() -> None:
    simulation = Simulation(100, latency=1.0).run(until=0.9)

    assert len(simulation.sent) == PROBES_BEFORE_FAN_OUT


def test_in_an_outage_calls_fall_to_a_probe_every_few_seconds_and_the_run_resumes_by_itself() -> None:
    simulation: Simulation

    def down(_account: str, _nth: int) -> Reply:
        return Reply(503) if 2.0 <= simulation.now < 62.0 else Reply(200)

    simulation = Simulation(1000, down, policy=CallPolicy(rate=100.0, max_attempts=50, outage_seconds=1800))
    simulation.run()

    in_outage = [moment for moment, _ in simulation.sent if 4.0 <= moment < 62.0]
    assert len(in_outage) <= 58 / PROBE_SECONDS + 2
    assert simulation.by_status() == {Status.SUCCESS: 1000}
    assert simulation.now < 62.0 + PROBE_SECONDS + 1000 / 100 + 5


def test_an_outage_that_lasts_too_long_ends_the_run_with_what_it_has() -> None:
    simulation: Simulation

    def down_for_good(_account: str, _nth: int) -> Reply:
        return Reply(503) if simulation.now >= 2.0 else Reply(200)

    policy = CallPolicy(rate=100.0, max_attempts=50, outage_seconds=60)
    simulation = Simulation(1000, down_for_good, policy=policy)
    simulation.run()

    assert isinstance(simulation.collection.error, ApiUnavailable)
    assert 60.0 < simulation.now < 70.0
    assert simulation.by_status()[Status.SUCCESS] > 150


def test_the_last_accounts_that_always_fail_do_not_open_the_breaker() -> None:
    bad = {f"A{n:05}" for n in range(90, 100)}
    assert len(bad) < FAILURES_TO_OPEN
    done = Simulation(100, lambda account, _n: Reply(500) if account in bad else Reply(200)).run()

    assert not done.collection.progress.outage
    assert done.by_status() == {Status.SUCCESS: 90, Status.FAILED: 10}


def test_a_stopped_run_sends_nothing_more_and_ends_when_calls_in_flight_have_ended() -> None:
    simulation = Simulation(1000).run(until=2.0)
    simulation.collection.stop()
    sent = len(simulation.sent)
    simulation.run()

    assert len(simulation.sent) == sent
    assert len(simulation.outcomes) == sent
    assert simulation.collection.in_flight == 0


@settings(max_examples=60, deadline=None)
@given(
    faults=st.lists(
        st.sampled_from([200, 200, 404, 422, 429, 500, 503, 302, 403]), min_size=1, max_size=60
    ).filter(lambda s: 200 in s),
    workers=st.integers(1, 40),
    burst=st.integers(1, 5),
)
def test_whatever_the_api_answers_every_account_ends_once(
    faults: list[int], workers: int, burst: int
) -> None:
    def script(account: str, nth: int) -> Reply:
        return Reply(faults[(int(account[1:]) + 7 * (nth - 1)) % len(faults)])

    policy = CallPolicy(rate=200.0, burst=burst, max_attempts=3, outage_seconds=1e9)
    done = Simulation(len(faults), script, workers=workers, policy=policy, latency=0.01).run()

    if done.collection.error is None:
        assert Counter(o.account_id for o in done.outcomes) == {f"A{n:05}": 1 for n in range(len(faults))}
        assert done.collection.progress.left == 0
    assert done.refused_by_bucket(200.0, burst=burst + 8) == 0


def test_an_unchanged_answer_stays_as_it_is_kept_and_counts_as_rated() -> None:
    def unchanged(account: str, _nth: int) -> Reply:
        return Reply(304) if account == "A00003" else Reply(200)

    done = Simulation(10, unchanged, etags={"A00003": '"abc"'}).run()

    assert "A00003" not in {o.account_id for o in done.outcomes}
    assert done.collection.progress.ended == {Status.SUCCESS: 10}
    assert done.collection.progress.left == 0


def test_a_304_that_nobody_asked_for_is_no_answer() -> None:
    done = Simulation(10, lambda account, _n: Reply(304 if account == "A00003" else 200)).run()

    (failed,) = [o for o in done.outcomes if o.status is Status.FAILED]
    assert (failed.account_id, failed.reason) == ("A00003", Reason.BAD_RESPONSE)
