"""Scenarios in which four accounts share a call (ESG_API_ACCOUNTS_PER_CALL)."""

from collections.abc import Mapping

from esg_assets.core.errors import AccessDenied
from esg_assets.core.ratings import Reason
from esg_assets_tests.faults.scenario import ANY, OPEN, RATED, End, Scenario, Turn, failed, not_rated, rated

BAD = Reason.BAD_RESPONSE
ALL_AGAIN = {"5-8": rated(2)}
"""A call that fails as a whole is asked for again in two, of three accounts and of one."""

SPOILT_ENTRIES = (
    *("wrong_id", "out_of_range", "nan", "wrong_type", "missing_field", "duplicate_keys", "future"),
    *("left_out", "twice"),
)


def shared(
    name: str,
    when: str,
    faults: str = "",
    ends: Mapping[str, End] | None = None,
    calls: int = 3,
    *,
    outage: str = "",
    turn: Turn | None = None,
    auth: str = "none",
    policy: Mapping[str, float] | None = None,
) -> Scenario:
    """Twelve accounts in three calls."""
    return Scenario(
        name,
        f"{when}, four accounts per call",
        faults,
        ends=ends or {},
        calls=calls,
        outage=outage,
        turn=turn,
        auth=auth,
        policy=policy or {},
        per_call=4,
        in_order=True,
    )


ENTRIES = (
    Scenario(
        "one entry of each kind that is no rating, once",
        "mid-run, four accounts per call",
        ",".join(f"{kind}/first1@{4 * n + 2}" for n, kind in enumerate(SPOILT_ENTRIES)),
        accounts=36,
        per_call=4,
        in_order=True,
        ends={"2-34/4": rated(2)},
        calls=ANY,
    ),
    Scenario(
        "one entry of each kind that is no rating, on every try",
        "sticky, four accounts per call",
        ",".join(f"{kind}@{4 * n + 2}" for n, kind in enumerate(SPOILT_ENTRIES)),
        accounts=36,
        per_call=4,
        in_order=True,
        ends={"2-34/4": failed(BAD, 5, 200)},
        calls=ANY,
    ),
    shared("one more entry, of a stranger", "mid-run", "stranger@6"),
    shared(
        "an entry with the error 404, one with 422, one with 403",
        "mid-run",
        "404@2,422@6,403@10",
        {
            "2": not_rated(last_status=200),
            "6": failed(Reason.REJECTED, 1, 200),
            "10": failed(Reason.UNAUTHORIZED, 1, 200),
        },
    ),
    Scenario(
        "every entry has the error 403",
        "everything, four accounts per call",
        "403",
        per_call=4,
        in_order=True,
        rest=OPEN,
        calls=3,
        error=AccessDenied,
    ),
)

CALLS = (
    shared("one 500", "first call", "500/first1@1", {"1-4": rated(2)}, calls=5),
    shared("one 500", "mid-run", "500/first1@6", ALL_AGAIN, calls=5),
    shared("one 500", "last accounts", "500/first1@12", {"9-12": rated(2)}, calls=5),
    shared(
        "500 for whatever asks for account 6",
        "sticky",
        "500@6",
        {"5": rated(5), "6": failed(Reason.UNAVAILABLE, 5, 500), "7": rated(3), "8": rated(2)},
        calls=10,
    ),
    shared(
        "400 for whatever asks for account 6",
        "sticky",
        "400@6",
        {"6": failed(Reason.REJECTED, 1, 400)},
        calls=7,
    ),
    shared(
        "a redirect for whatever asks for account 6",
        "sticky",
        "redirect@6",
        {"6": failed(BAD, 1, 307)},
        calls=7,
    ),
    shared("JSON that stops in the middle", "mid-run", "truncated/first1@6", ALL_AGAIN, calls=5),
    shared("a maintenance page as a 200", "mid-run", "not_json/first1@6", ALL_AGAIN, calls=5),
    shared("the connection is reset", "mid-run", "reset/first1@6", ALL_AGAIN, calls=5),
    shared("the body is cut off", "mid-run", "cut/first1@6", ALL_AGAIN, calls=5),
    shared(
        "no answer within the time-out",
        "mid-run",
        "timeout/first1@6",
        ALL_AGAIN,
        calls=5,
        policy={"timeout_seconds": 1.5},
    ),
    shared("a body of 50 MB", "mid-run", "oversize:50/first1@6", ALL_AGAIN, calls=5),
    shared("one 429", "mid-run", "429:0.1/first1@6", ALL_AGAIN, calls=5),
    shared("503 for one call", "outage", outage="2-2/503", ends=ALL_AGAIN, calls=5),
    shared(
        "the token is revoked; the call is repeated whole",
        "mid-run",
        turn=Turn(1, "revoke"),
        auth="oauth2",
        calls=4,
    ),
    shared(
        "a 500, then one entry without a score",
        "during a retry",
        "500/first1@6,missing_field/try2@6",
        {"5,7-8": rated(2), "6": rated(3)},
        calls=6,
    ),
    Scenario(
        "503 for good, few accounts left",
        "outage, four accounts per call",
        turn=Turn(1, "outage 503"),
        per_call=4,
        in_order=True,
        ends={"1-4": RATED},
        rest=failed(Reason.UNAVAILABLE, 5, 503),
        calls=ANY,
    ),
)
