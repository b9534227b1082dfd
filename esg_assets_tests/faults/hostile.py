"""Scenarios with servers of their own that do their worst: bytes, TLS, names, proxies, redirects."""

import datetime as dt
from collections.abc import Callable

import trustme

from esg_assets.core.ratings import Reason
from esg_assets_tests.faults import talks
from esg_assets_tests.faults.scenario import ANY, End, MakeStage, Scenario, failed, rated
from esg_assets_tests.faults.stages import (
    CA,
    elsewhere,
    over_tls,
    plain_on_a_tls_port,
    playing,
    redirecting,
    through_proxy,
)
from esg_assets_tests.faults.talks import Wrong
from esg_assets_tests.raw_server import answer

BAD, UNAVAILABLE, TIMEOUT = Reason.BAD_RESPONSE, Reason.UNAVAILABLE, Reason.TIMEOUT
TWO_TRIES = {"max_attempts": 2}


def each(wrongs: tuple[Wrong, ...]) -> dict[str, Wrong]:
    """One for each account, from number 2 on."""
    return {str(number): wrong for number, wrong in enumerate(wrongs, 2)}


def wrong_bytes(
    name: str,
    wrongs: tuple[Wrong, ...],
    end: Callable[[int], End],
    *,
    timeout: float = 10.0,
    once: bool = False,
) -> Scenario:
    """Each way for one account, from number 2 on; the first and the last account are left alone."""
    when = "once" if once else "sticky"
    return Scenario(
        name,
        when,
        stage=playing(each(wrongs), once=once),
        accounts=len(wrongs) + 2,
        policy={"timeout_seconds": timeout} if once else {"timeout_seconds": timeout, **TWO_TRIES},
        ends={f"2-{len(wrongs) + 1}": end(2)},
    )


def bad(tries: int) -> End:
    """No HTTP that could be read."""
    return failed(BAD, tries)


def nobody(name: str, stage: MakeStage, auth: str = "bearer") -> Scenario:
    """No call reaches the provider."""
    return Scenario(
        name, "everything", stage=stage, accounts=4, policy=TWO_TRIES, auth=auth, rest=failed(UNAVAILABLE, 2)
    )


BYTES = (
    wrong_bytes(
        "silence, a dripping head, a dripping body, interim answers without end",
        talks.TOO_SLOW,
        lambda tries: failed(TIMEOUT, tries),
        timeout=1.5,
    ),
    wrong_bytes(
        "silence, a dripping head, a dripping body, interim answers without end",
        talks.TOO_SLOW,
        rated,
        timeout=1.5,
        once=True,
    ),
    wrong_bytes(
        "bodies of 50 and 600 MB, announced, chunked, until the end, of an error, packed", talks.TOO_LONG, bad
    ),
    wrong_bytes(
        "bodies of 50 and 600 MB, announced, chunked, until the end, of an error, packed",
        talks.TOO_LONG,
        rated,
        once=True,
    ),
    wrong_bytes(
        "a field, fields, a chunk's extension and trailers without end; 200 fields",
        talks.TOO_MANY_FIELDS,
        bad,
    ),
    wrong_bytes(
        "HTTP/0.9, another protocol, HTTP/2's status line, statuses 099 and 2000", talks.NOT_HTTP, bad
    ),
    wrong_bytes(
        "lengths and chunks that are no numbers or contradict each other, NUL in a field, no gzip",
        talks.CONTRADICTIONS,
        bad,
    ),
    wrong_bytes(
        "a reset at a random byte",
        tuple(talks.broken_off(seed, hard=True) for seed in range(10)),
        rated,
        once=True,
    ),
    wrong_bytes(
        "the end at a random byte",
        tuple(talks.broken_off(seed, hard=False) for seed in range(10, 20)),
        rated,
        once=True,
    ),
    Scenario("HTTP/1.0 without a length", "everything", stage=playing({"1-6": talks.http_1_0}), accounts=6),
    Scenario(
        "HTTP/1.0 that ends in the middle of the JSON",
        "sticky",
        stage=playing({"3": talks.http_1_0_cut}),
        accounts=6,
        policy=TWO_TRIES,
        ends={"3": failed(BAD, 2, 200)},
    ),
    Scenario(
        "the connection is said to be kept and is closed after each answer",
        "everything",
        stage=playing({"1-12": talks.keeps_open(b"", b"")}),
        rest=rated(ANY),
    ),
    Scenario(
        "an answer that nobody asked for waits on the kept connection",
        "everything",
        stage=playing({"1-12": talks.many_answers}),
        rest=rated(ANY),
    ),
    Scenario(
        "a Retry-After of a 503 that cannot be meant",
        "mid-run",
        accounts=9,
        stage=playing(each(tuple(talks.refusal(503, text) for text in talks.NO_RETRY_AFTER)), once=True),
        policy={"max_retry_after_seconds": 0.2},
        ends={"2-8": rated(2)},
    ),
    Scenario(
        "a Retry-After of a 429 that cannot be meant",
        "mid-run",
        accounts=9,
        stage=playing(each(tuple(talks.refusal(429, text) for text in talks.NO_RETRY_AFTER)), once=True),
        policy={"max_retry_after_seconds": 0.2},
        ends={"2-8": rated(2)},
    ),
    Scenario(
        "limits announced as 0, -1, a call in 9 hours, or nonsense",
        "mid-run",
        stage=playing(each(talks.LYING_LIMITS)),
        accounts=9,
    ),
)

PLACES = (
    Scenario(
        "redirects (301, 302, 303, 307, 308) to another host",
        "sticky",
        accounts=8,
        auth="bearer",
        stage=redirecting("{other}/v1/accounts/A0000002/esg-rating"),
        ends={str(n): failed(BAD, 1, s) for n, s in enumerate((301, 302, 303, 307, 308), 2)},
    ),
    Scenario(
        "redirects within the host",
        "sticky",
        accounts=8,
        auth="bearer",
        stage=redirecting("/v1/accounts/A0000001/esg-rating"),
        ends={str(n): failed(BAD, 1, s) for n, s in enumerate((301, 302, 303, 307, 308), 2)},
    ),
    nobody("a certificate of another authority", over_tls(lambda: trustme.CA().issue_cert("127.0.0.1"))),
    nobody("a certificate of another name", over_tls(lambda: CA.issue_cert("example.org"))),
    nobody(
        "an expired certificate",
        over_tls(lambda: CA.issue_cert("127.0.0.1", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))),
    ),
    nobody("a server that speaks no TLS", plain_on_a_tls_port),
    nobody("nobody listens", elsewhere("http://127.0.0.1:1")),
    nobody("the name does not resolve", elsewhere("https://nobody.invalid")),
    nobody("a proxy that wants a password", through_proxy(answer(407, b""))),
    nobody("a proxy that refuses", through_proxy(answer(403, b"no"))),
    nobody("a proxy that is none", through_proxy(b"what?\r\n\r\n")),
    nobody("a proxy that is down", elsewhere("https://esg.invalid", proxy="http://127.0.0.1:1")),
)
