"""Scenarios of single accounts: statuses, waits that the provider asks for, bodies, broken connections."""

from esg_assets.core.ratings import Reason
from esg_assets_tests.faults.scenario import ANY, Scenario, Turn, failed, not_rated, rated

UNAVAILABLE, TIMEOUT, BAD = Reason.UNAVAILABLE, Reason.TIMEOUT, Reason.BAD_RESPONSE
REJECTED, LIMITED = Reason.REJECTED, Reason.RATE_LIMITED

SPOILT = (
    *("truncated", "empty", "not_json", "wrong_id", "out_of_range", "nan", "wrong_type", "missing_field"),
    *("duplicate_keys", "future", "left_out", "twice", "stranger"),
)
"""Every way in which the simulator's 200 can be no rating of the account."""


def each(kinds: tuple[str, ...], when: str = "") -> str:
    """An order of one kind for each account, from number 1 on."""
    return ",".join(f"{kind}{when}@{number}" for number, kind in enumerate(kinds, 1))


PASSING = {
    "1": failed(TIMEOUT, 5, 408),
    "2": failed(UNAVAILABLE, 5, 425),
    "3": failed(UNAVAILABLE, 5, 500),
    "4": failed(UNAVAILABLE, 5, 501),
    "5": failed(UNAVAILABLE, 5, 502),
    "6": failed(UNAVAILABLE, 5, 503),
    "7": failed(TIMEOUT, 5, 504),
    "8": failed(UNAVAILABLE, 5, 507),
    "9": failed(UNAVAILABLE, 5, 599),
}
LASTING = ("400", "402", "405", "406", "409", "410", "411", "413", "414", "415", "418", "422", "451", "499")

STATUSES = (
    Scenario("one 500", "first call", "500/first1@1", ends={"1": rated(2)}),
    Scenario(
        "500 on every call before the first answer", "first call", "500/first1@1-4", ends={"1-4": rated(2)}
    ),
    Scenario("one 500", "mid-run", "500/first1@6", ends={"6": rated(2)}),
    Scenario("one 500 each", "last accounts", "500/first1@11-12", ends={"11-12": rated(2)}),
    Scenario("500 on all tries but the last", "mid-run", "500/first4@6", ends={"6": rated(5)}),
    Scenario("500 on every try", "sticky, mid-run", "500@6", ends={"6": failed(UNAVAILABLE, 5, 500)}),
    Scenario(
        "500 on every try",
        "sticky, last accounts",
        "500@10-12",
        ends={"10-12": failed(UNAVAILABLE, 5, 500)},
    ),
    Scenario("one 500 for each account", "everything", "500/first1", rest=rated(2)),
    Scenario(
        "500 on every try of a small book",
        "everything, sticky",
        "500",
        rest=failed(UNAVAILABLE, 5, 500),
    ),
    Scenario(
        "one 500 where ESG_API_MAX_ATTEMPTS allows one try",
        "mid-run",
        "500/first1@6",
        policy={"max_attempts": 1},
        ends={"6": failed(UNAVAILABLE, 1, 500)},
    ),
    Scenario(
        "each passing status once",
        "mid-run",
        each(("408", "425", "500", "501", "502", "503", "504", "507", "599"), "/first1"),
        ends={"1-9": rated(2)},
    ),
    Scenario(
        "each passing status on every try",
        "sticky",
        each(("408", "425", "500", "501", "502", "503", "504", "507", "599")),
        ends=PASSING,
    ),
    Scenario(
        "each status that stays",
        "mid-run",
        each(LASTING),
        accounts=16,
        ends={str(n): failed(REJECTED, 1, int(status)) for n, status in enumerate(LASTING, 1)},
    ),
    Scenario("404", "first, middle and last account", "404@1+6+12", ends={"1,6,12": not_rated()}),
    Scenario("404", "everything", "404", rest=not_rated()),
    Scenario(
        "422", "first, middle and last account", "422@1+6+12", ends={"1,6,12": failed(REJECTED, 1, 422)}
    ),
    Scenario("422", "everything", "422", rest=failed(REJECTED, 1, 422)),
    Scenario("a redirect", "sticky, mid-run", "redirect@6", ends={"6": failed(BAD, 1, 307)}),
    Scenario("a redirect", "everything", "redirect", rest=failed(BAD, 1, 307)),
)

WAITS = (
    Scenario("one 503 with Retry-After", "mid-run", "503:0.6/first1@6", ends={"6": rated(2)}, seconds=0.6),
    Scenario(
        "one 503 with Retry-After as a date",
        "last account",
        "503:2date/first1@12",
        ends={"12": rated(2)},
        seconds=0.9,
    ),
    Scenario(
        "one 503 with Retry-After of 9 hours, above ESG_API_MAX_RETRY_AFTER_SECONDS",
        "mid-run",
        "503:32400/first1@6",
        policy={"max_retry_after_seconds": 0.3},
        ends={"6": rated(2)},
        seconds=0.3,
    ),
    Scenario("one 429", "first call", "429:0.3/first1@1", ends={"1": rated(2)}, seconds=0.3),
    Scenario("one 429", "mid-run", "429:0.3/first1@6", ends={"6": rated(2)}, seconds=0.3),
    Scenario("one 429", "last account", "429:0.3/first1@12", ends={"12": rated(2)}, seconds=0.3),
    Scenario("429 on every try", "sticky, mid-run", "429:0.02@6", ends={"6": failed(LIMITED, 5, 429)}),
    Scenario("one 429 for each account", "everything", "429:0.1/first1", rest=rated(2), seconds=0.1),
    Scenario(
        "429 on every try of a small book",
        "everything, sticky",
        "429:0.01",
        accounts=4,
        policy={"max_attempts": 3},
        rest=failed(LIMITED, 3, 429),
    ),
    Scenario(
        "a limit of half the setting, announced in header fields",
        "from the first call",
        limit=(100.0, 10.0),
        policy={"rate": 200.0, "max_attempts": 20},
        accounts=40,
        rest=rated(ANY),
    ),
    Scenario(
        "a limit of half the setting that only its 429s tell",
        "from the first call",
        limit=(100.0, 10.0),
        announced=False,
        policy={"rate": 200.0, "max_attempts": 20},
        accounts=40,
        rest=rated(ANY),
    ),
    Scenario(
        "the limit falls to a quarter",
        "mid-run",
        turn=Turn(15, "rate 50 5"),
        policy={"rate": 200.0, "max_attempts": 20},
        accounts=30,
        rest=rated(ANY),
    ),
)

BODIES = (
    Scenario(
        "each kind of 200 that is no rating, once",
        "mid-run",
        each(SPOILT, "/first1"),
        accounts=16,
        ends={"1-13": rated(2)},
    ),
    Scenario(
        "each kind of 200 that is no rating, on every try",
        "sticky",
        each(SPOILT),
        accounts=16,
        ends={"1-13": failed(BAD, 5, 200)},
    ),
    Scenario("a maintenance page as a 200", "first call", "not_json/first1@1", ends={"1": rated(2)}),
    Scenario(
        "a maintenance page as a 200 on every try",
        "everything, sticky",
        "not_json",
        rest=failed(BAD, 5, 200),
    ),
    Scenario("another account's rating", "last account", "wrong_id/first1@12", ends={"12": rated(2)}),
    Scenario(
        "a body of 50 MB, once and on every try",
        "mid-run",
        "oversize:50/first1@3,oversize:50@6",
        policy={"max_attempts": 3},
        ends={"3": rated(2), "6": failed(BAD, 3)},
    ),
    Scenario(
        "50 MB packed by gzip, once and on every try",
        "mid-run",
        "gzip_bomb:50/first1@3,gzip_bomb:50@6",
        policy={"max_attempts": 3},
        ends={"3": rated(2), "6": failed(BAD, 3)},
    ),
)

CONNECTIONS = (
    Scenario(
        "the body is cut off, once and on every try",
        "first and last account",
        "cut/first1@1,cut@12",
        ends={"1": rated(2), "12": failed(BAD, 5)},
    ),
    Scenario(
        "the connection is reset, once and on every try",
        "first and last account",
        "reset/first1@1,reset@12",
        ends={"1": rated(2), "12": failed(UNAVAILABLE, 5)},
    ),
    Scenario("the connection is reset once", "everything", "reset/first1", rest=rated(2)),
    Scenario(
        "no answer within ESG_API_TIMEOUT_SECONDS, once and on every try",
        "first and last account",
        "timeout/first1@1,timeout@12",
        policy={"timeout_seconds": 1.5, "max_attempts": 2},
        ends={"1": rated(2), "12": failed(TIMEOUT, 2)},
    ),
    Scenario(
        "no answer within ESG_API_TIMEOUT_SECONDS, once",
        "everything",
        "timeout/first1",
        policy={"timeout_seconds": 1.5},
        rest=rated(2),
    ),
    Scenario("an answer after 0.5 s, within the time-out", "mid-run", "slow:0.5@6", seconds=0.5),
    Scenario(
        "an answer after the time-out, once and on every try",
        "mid-run",
        "slow:5/first1@3,slow:5@6",
        policy={"timeout_seconds": 1.5, "max_attempts": 2},
        ends={"3": rated(2), "6": failed(TIMEOUT, 2)},
    ),
    Scenario("a body that drips for 0.5 s, within the time-out", "mid-run", "drip:0.5@6", seconds=0.5),
    Scenario(
        "a body that drips beyond the time-out, once and on every try",
        "mid-run",
        "drip:5/first1@3,drip:5@6",
        policy={"timeout_seconds": 1.5, "max_attempts": 2},
        ends={"3": rated(2), "6": failed(TIMEOUT, 2)},
    ),
)
