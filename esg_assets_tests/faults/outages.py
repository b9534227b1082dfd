"""Scenarios in which the provider is down for everybody, for a while or for good."""

from esg_assets.core.errors import ApiUnavailable
from esg_assets.core.ratings import Reason
from esg_assets_tests.faults.scenario import OPEN, RATED, Scenario, Turn, failed, rated

DOWN = failed(Reason.UNAVAILABLE, 5, 503)

OUTAGES = (
    Scenario(
        "503 for four calls",
        "outage at the first call",
        outage="1-4/503",
        in_order=True,
        ends={"1-4": rated(2)},
    ),
    Scenario("503 for four calls", "outage mid-run", outage="5-8/503", in_order=True, ends={"5-8": rated(2)}),
    Scenario(
        "resets for four calls", "outage mid-run", outage="5-8/reset", in_order=True, ends={"5-8": rated(2)}
    ),
    Scenario(
        "silence for two calls",
        "outage mid-run",
        outage="5-6/timeout",
        in_order=True,
        policy={"timeout_seconds": 1.5},
        ends={"5-6": rated(2)},
    ),
    Scenario(
        "503 for two calls",
        "outage at the last accounts",
        outage="11-12/503",
        in_order=True,
        ends={"11-12": rated(2)},
    ),
    Scenario(
        "503 for as many calls as there are accounts",
        "outage for everything",
        outage="1-12/503",
        in_order=True,
        rest=rated(2),
    ),
    Scenario(
        "503 for the one call that is a retry",
        "outage during a retry",
        "500/first1@3",
        outage="13-13/503",
        in_order=True,
        ends={"3": rated(3)},
    ),
    Scenario(
        "503 for 20 calls: the breaker opens, and its probe closes it",
        "outage mid-run",
        outage="6-25/503",
        in_order=True,
        accounts=40,
        ends={"6-25": rated(2)},
        seconds=2.0,
    ),
    Scenario(
        "503 for 21 calls: the first probe fails",
        "outage mid-run",
        outage="6-26/503",
        in_order=True,
        accounts=40,
        ends={"6-26": rated(2)},
        seconds=4.0,
    ),
    Scenario(
        "503 for good, few accounts left",
        "outage mid-run",
        turn=Turn(5, "outage 503"),
        in_order=True,
        policy={"backoff_seconds": 0.05, "backoff_cap_seconds": 0.05},
        ends={"6-12": DOWN},
    ),
    Scenario(
        "503 for longer than ESG_API_OUTAGE_SECONDS",
        "outage mid-run",
        turn=Turn(5, "outage 503"),
        in_order=True,
        accounts=40,
        policy={"outage_seconds": 1.0},
        ends={"1-5": RATED},
        rest=OPEN,
        calls=25,
        error=ApiUnavailable,
        seconds=1.0,
    ),
    Scenario(
        "503 for longer than ESG_API_OUTAGE_SECONDS",
        "outage from the first call",
        outage="1-99999/503",
        in_order=True,
        accounts=40,
        policy={"outage_seconds": 1.0},
        rest=OPEN,
        calls=20,
        error=ApiUnavailable,
        seconds=1.0,
    ),
    Scenario(
        "every second of 60 accounts always answers 500, and they are what is left: no outage",
        "sticky, last accounts",
        "500@" + "+".join(map(str, range(2, 61, 2))),
        in_order=True,
        accounts=60,
        policy={"backoff_seconds": 0.1, "backoff_cap_seconds": 0.1},
        ends={"2-60/2": failed(Reason.UNAVAILABLE, 5, 500)},
    ),
)
