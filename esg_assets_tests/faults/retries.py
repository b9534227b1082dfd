"""Scenarios in which a retry meets another fault, or may not be made at all."""

from esg_assets.core.ratings import Reason
from esg_assets_tests.faults.scenario import ANY, Scenario, failed, not_rated, rated

UNAVAILABLE, BAD, REJECTED = Reason.UNAVAILABLE, Reason.BAD_RESPONSE, Reason.REJECTED

RETRIES = (
    Scenario(
        "a 500, then a time-out",
        "during a retry",
        "500/first1@6,timeout/try2@6",
        policy={"timeout_seconds": 1.5},
        ends={"6": rated(3)},
    ),
    Scenario(
        "a 500, a 429, a reset, then another account's rating",
        "during a retry",
        "500/first1@6,429:0.1/try2@6,reset/try3@6,wrong_id/try4@6",
        ends={"6": rated(5)},
    ),
    Scenario(
        "a 429 on the retry of a 500", "during a retry", "500/try1@6,429:0.1/try2@6", ends={"6": rated(3)}
    ),
    Scenario(
        "500s, then a 404 on the last try",
        "during a retry",
        "500/first4@6,404/try5@6",
        ends={"6": not_rated(5)},
    ),
    Scenario(
        "500s, then a 422 on the last try",
        "during a retry",
        "500/first4@6,422/try5@6",
        ends={"6": failed(REJECTED, 5, 422)},
    ),
    Scenario(
        "a reset, then a 403",
        "during a retry",
        "reset/first1@6,403/try2@6",
        ends={"6": failed(Reason.UNAUTHORIZED, 2, 403)},
    ),
    Scenario(
        "a 503, then a redirect",
        "during a retry",
        "503/first1@6,redirect/try2@6",
        ends={"6": failed(BAD, 2, 307)},
    ),
    Scenario(
        "the last try's fault names the reason: 500s, then no JSON",
        "during a retry",
        "500/first4@6,not_json/try5@6",
        ends={"6": failed(BAD, 5, 200)},
    ),
    Scenario(
        "the last try's fault names the reason: no JSON, then a reset",
        "during a retry",
        "not_json/first4@6,reset/try5@6",
        ends={"6": failed(UNAVAILABLE, 5)},
    ),
    Scenario(
        "the retry budget is spent: every second of 100 accounts always answers 500",
        "sticky",
        "500@" + "+".join(map(str, range(2, 101, 2))),
        accounts=100,
        in_order=True,
        policy={"backoff_seconds": 0.05, "backoff_cap_seconds": 0.05},
        ends={"2-100/2": failed(UNAVAILABLE, ANY, 500)},
        calls=250,
    ),
)
