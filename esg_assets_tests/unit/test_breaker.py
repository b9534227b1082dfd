"""What counts as an outage: not accounts that always fail, however many, and not what was never asked."""

import pytest

from esg_assets.core.breaker import FAILURES_TO_OPEN, PROBE_SECONDS
from esg_assets.core.errors import AccessDenied
from esg_assets.core.ports import CallPolicy
from esg_assets.core.ratings import Fault, Reason, Reply, Status
from esg_assets_tests.unit.simulated_night import Simulation


@pytest.mark.parametrize(("accounts", "rate", "every"), [(2000, 500.0, 20), (6000, 2000.0, 50)])
def test_however_many_accounts_always_fail_they_do_not_open_the_breaker_at_the_end(
    accounts: int, rate: float, every: int
) -> None:
    def fails(account: str, _nth: int) -> Reply:
        return Reply(500) if int(account[1:]) % every == 0 else Reply(200)

    done = Simulation(accounts, fails, policy=CallPolicy(rate=rate), workers=200).run()

    bad = accounts // every
    assert bad > FAILURES_TO_OPEN
    assert done.by_status() == {Status.SUCCESS: accounts - bad, Status.FAILED: bad}
    assert {o.attempts for o in done.outcomes if o.status is Status.FAILED} == {5}
    assert done.now < accounts / rate + 10, "the retries take their backoff and no probes of an outage"


def test_an_outage_among_accounts_that_had_failed_before_is_noticed_by_the_others() -> None:
    simulation: Simulation

    def script(account: str, nth: int) -> Reply:
        flaky = int(account[1:]) % 5 == 0 and nth == 1
        return Reply(503) if flaky or 2.0 <= simulation.now < 32.0 else Reply(200)

    simulation = Simulation(1000, script, policy=CallPolicy(rate=100.0, max_attempts=50))
    simulation.run()

    assert len([moment for moment, _ in simulation.sent if 4.0 <= moment < 32.0]) <= 28 / PROBE_SECONDS + 2
    assert simulation.by_status() == {Status.SUCCESS: 1000}


def test_accounts_that_always_fail_are_not_the_ones_that_ask_whether_an_outage_is_over() -> None:
    simulation: Simulation

    def script(account: str, _nth: int) -> Reply:
        always = int(account[1:]) % 5 == 0
        return Reply(503) if always or 10.0 <= simulation.now < 12.0 else Reply(200)

    simulation = Simulation(3000, script, policy=CallPolicy(rate=100.0, outage_seconds=1e9))
    simulation.run()

    answered = next(m for m, account in simulation.sent if m >= 12.0 and int(account[1:]) % 5)
    assert answered < 12.0 + 2 * PROBE_SECONDS
    assert simulation.by_status() == {Status.SUCCESS: 2400, Status.FAILED: 600}


def test_an_id_that_cannot_be_asked_for_is_no_answer_of_the_provider() -> None:
    refused = Reply(None, fault=Fault.LOCAL_REFUSAL)
    denied = Simulation(50, lambda account, _n: refused if account < "A00002" else Reply(403)).run()

    assert isinstance(denied.collection.error, AccessDenied), "the refused client is still noticed"

    done = Simulation(50, lambda account, _n: refused if account == "A00007" else Reply(200)).run()

    (failed,) = [o for o in done.outcomes if o.status is Status.FAILED]
    assert (failed.account_id, failed.reason, failed.attempts) == ("A00007", Reason.REJECTED, 0)
    assert done.collection.progress.calls == 49
