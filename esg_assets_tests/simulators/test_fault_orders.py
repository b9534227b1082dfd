"""The grammar of fault orders, and who gets which fault."""

import pytest

from esg_assets.simulators.account_faults import AccountFaults
from esg_assets.simulators.faults import Fault, Faults, expected_fault
from esg_assets.simulators.outage import Outage
from esg_assets.simulators.token_faults import TokenFaults

ACCOUNTS = [f"A{n:07d}" for n in range(4000)]


def kinds(faults: Faults, nth: int) -> list[str | None]:
    found = [expected_fault(faults, account, nth) for account in ACCOUNTS]
    return [fault.kind if fault else None for fault in found]


def test_an_order_is_read_as_it_is_written() -> None:
    faults = Faults.parse("500=0.05, 503=0.1:2date/first2,timeout=0.01/sticky,404=0.02,slow=0.2:1.5", seed=3)
    assert faults.orders == (
        Fault("500", 0.05),
        Fault("503", 0.1, 2.0, as_date=True, tries=2),
        Fault("timeout", 0.01, tries=0),
        Fault("404", 0.02, tries=0),
        Fault("slow", 0.2, 1.5),
    )


def test_a_kind_alone_always_happens() -> None:
    assert set(kinds(Faults.parse("not_json"), nth=9)) == {"not_json"}


@pytest.mark.parametrize(
    "order",
    [
        "500=x",
        "500=1.5",
        "200",
        "399",
        "nonsense",
        "500=0.1/sometimes",
        "500/try0",
        "500=0.5@A1",
        "500@",
        "500=0.6,429=0.6",
        "500=1.2.3",
    ],
)
def test_an_order_that_cannot_be_is_refused(order: str) -> None:
    with pytest.raises(ValueError, match="faults: "):
        Faults.parse(order)


def test_shares_are_met_and_exclude_each_other() -> None:
    found = kinds(Faults.parse("500=0.3,429=0.2"), nth=1)
    assert abs(found.count("500") / len(found) - 0.3) < 0.03
    assert abs(found.count("429") / len(found) - 0.2) < 0.03


def test_each_try_is_drawn_anew() -> None:
    faults = Faults.parse("500=0.3")
    both = sum(a == b == "500" for a, b in zip(kinds(faults, 1), kinds(faults, 2), strict=True))
    assert abs(both / len(ACCOUNTS) - 0.09) < 0.02


def test_a_sticky_fault_stays_with_its_accounts() -> None:
    faults = Faults.parse("timeout=0.2/sticky")
    assert kinds(faults, 1) == kinds(faults, 50)
    assert abs(kinds(faults, 1).count("timeout") / len(ACCOUNTS) - 0.2) < 0.03


def test_a_fault_of_the_first_tries_ends_after_them() -> None:
    faults = Faults.parse("500=1/first2")
    assert [set(kinds(faults, nth)) for nth in (1, 2, 3)] == [{"500"}, {"500"}, {None}]


def test_an_account_past_its_first_tries_meets_faults_by_try() -> None:
    faults = Faults.parse("500=1/first1,429=1")
    assert [set(kinds(faults, nth)) for nth in (1, 2)] == [{"500"}, {"429"}]


def test_a_named_account_meets_the_first_order_that_fits_its_try() -> None:
    faults = Faults.parse("500/first2@A0000001+A0000002,timeout/try4@A0000001,404@A0000003,reset@A0000004")
    met = {
        name: [fault.kind if (fault := expected_fault(faults, name, nth)) else None for nth in range(1, 6)]
        for name in ("A0000000", "A0000001", "A0000002", "A0000003", "A0000004")
    }
    assert met == {
        "A0000000": [None] * 5,
        "A0000001": ["500", "500", None, "timeout", None],
        "A0000002": ["500", "500", None, None, None],
        "A0000003": ["404"] * 5,
        "A0000004": ["reset"] * 5,
    }


def test_names_come_before_shares() -> None:
    faults = Faults.parse("500,404@A0000007")
    assert kinds(faults, 1).count("404") == 1
    assert kinds(faults, 1).count("500") == len(ACCOUNTS) - 1


def test_one_try_alone_can_fail() -> None:
    faults = Faults.parse("500=0.5/try2")
    assert [set(kinds(faults, nth)) for nth in (1, 2, 3)] == [{None}, {None, "500"}, {None}]


def test_the_seed_decides() -> None:
    order = "500=0.3,404=0.1"
    assert kinds(Faults.parse(order, 1), 1) == kinds(Faults.parse(order, 1), 1)
    assert kinds(Faults.parse(order, 1), 1) != kinds(Faults.parse(order, 2), 1)


def test_faults_of_the_account_system_come_one_after_the_other_and_end() -> None:
    faults = AccountFaults.parse("503=2,truncated=1,expired=1")
    met = [faults.of_call(has_cursor=at > 3) for at in range(6)]
    assert met == ["503", "503", "truncated", None, "expired", None]


@pytest.mark.parametrize("order", ["503", "wrong", "expired", "503=many"])
def test_an_order_to_the_account_system_that_cannot_be_is_refused(order: str) -> None:
    with pytest.raises(ValueError, match="account faults: "):
        AccountFaults.parse(order)


def test_faults_of_the_token_endpoint_come_one_after_the_other_and_end() -> None:
    faults = TokenFaults.parse("503=2, reset=1")
    assert [faults.of_call() for _ in range(5)] == ["503", "503", "reset", None, None]


@pytest.mark.parametrize("order", ["503", "wrong=1", "200=1", "503=many"])
def test_an_order_to_the_token_endpoint_that_cannot_be_is_refused(order: str) -> None:
    with pytest.raises(ValueError, match="token faults: "):
        TokenFaults.parse(order)


def test_an_outage_covers_its_calls_and_no_other() -> None:
    outage = Outage.parse("3-5/reset")
    assert [outage.covers(call, now=0.0) for call in range(1, 8)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert outage.kind == "reset"
    assert not Outage.parse("").covers(1, now=0.0)
    with pytest.raises(ValueError, match="outage: "):
        Outage.parse("soon")
