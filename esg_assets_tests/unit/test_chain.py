"""One chain entry: what is written is read, and nothing else is."""

import datetime as dt
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core import canonical_json, chain
from esg_assets.core.chain import Link
from esg_assets.core.chain_bodies import FIELDS, Kind, problem
from esg_assets.core.errors import Tampered
from esg_assets.core.examination import Head
from esg_assets.core.store_identity import StoreIdentity
from esg_assets_tests.unit.chain_material import (
    KEYRING,
    PLACE,
    SIGNER,
    WHEN,
    entry,
    publish_body,
    stored,
    summary_body,
)

WHO = {"requested_by": "compliance", "reason": "litigation"}
TOTALS = {"counts": {"SUCCESS": 90, "NOT_RATED": 8, "FAILED": 2}, "commitment": "c0" * 32}
BODIES: dict[Kind, dict[str, Any]] = {
    Kind.PUBLISH: publish_body(),
    Kind.SUMMARY: summary_body(),
    Kind.ARCHIVE: {
        "date": "2026-01-15",
        "version": 1,
        "objects": [stored("archive/2026-01-15/0001"), stored("archive/2026-01-15/0002")],
        "recipients": [],
    },
    Kind.RESEAL: {
        "date": "2026-01-15",
        "version": 1,
        "object": stored("reports/2026-01-15/aa.csv.esdk"),
        "salt": stored("reports/2026-01-15/aa.salt.esdk"),
        "summary": None,
        "archived": [stored("archive/2026-01-15/aa.tar.esdk")],
        "recipients": ["e3" * 32],
        **TOTALS,
        **WHO,
    },
    Kind.HOLD: {"date": "2026-01-15", **WHO},
    Kind.RELEASE: {"date": "2026-01-15", **WHO},
    Kind.EXPIRE: {
        "date": "2026-01-15",
        "version": 1,
        "keys": ["reports/2026-01-15/aa.csv.esdk"],
        "retention_years": 6,
        **WHO,
    },
    Kind.RESTORE: {"head": {"sequence": 7, "sha256": "aa" * 32}, **WHO},
}

texts = st.text(st.characters(exclude_categories=["Cs"]))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(0, 10**6)


@st.composite
def publish_bodies(draw: st.DrawFn) -> dict[str, Any]:
    numbers = draw(st.tuples(counts, counts, counts))
    date = draw(st.dates()).isoformat()
    return publish_body(
        date,
        draw(st.integers(1, 10**6)),
        counts=dict(zip(("SUCCESS", "NOT_RATED", "FAILED"), numbers, strict=True)),
        rows=sum(numbers),
        reason=draw(texts),
        requested_by=draw(texts),
        run_id=draw(texts),
        accounts_as_of=draw(texts),
        commitment=draw(digests),
        recipients=draw(st.lists(digests, max_size=3)),
        parts=draw(st.lists(st.fixed_dictionaries({"key": st.just("parts/x/1"), "sha256": digests}))),
    )


@given(
    publish_bodies(),
    st.integers(1, 10**10 - 1),
    digests,
    st.datetimes(dt.datetime(2020, 1, 1), timezones=st.just(dt.UTC)).map(  # noqa: DTZ001  # zone: next
        lambda when: when.replace(microsecond=0)
    ),
    texts,
)
def test_an_entry_is_read_as_it_was_written(
    body: dict[str, Any], sequence: int, previous: str, when: dt.datetime, environment: str
) -> None:
    place = StoreIdentity(environment, "cd" * 16)
    link = Link(sequence, previous)
    data = chain.encode(
        Kind.PUBLISH, body, place=place, link=link, recorded_at=when, software="1.2.3", signer=SIGNER
    )
    read = chain.decode(data)
    assert (read.kind, read.place, read.link, read.body) == (Kind.PUBLISH, place, link, body)
    assert (read.recorded_at, read.software, read.key_name) == (when, "1.2.3", SIGNER.name)
    assert read.sha256 == hashlib.sha256(data).hexdigest()
    assert read.payload_sha256 == hashlib.sha256(data.split(b"\n")[0]).hexdigest()
    statement = chain.statement(place, sequence, read.payload_sha256)
    assert KEYRING.objection(SIGNER.name, Kind.PUBLISH, sequence, statement, read.signature) == ""


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_body_that_can_be_written_and_read(kind: Kind) -> None:
    assert chain.decode(entry(kind, BODIES[kind], Head())).body == BODIES[kind]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_body_needs_each_of_its_fields_and_no_other(kind: Kind) -> None:
    body = BODIES[kind]
    for name in FIELDS[kind]:
        assert problem(kind, {k: v for k, v in body.items() if k != name}) == f"{name} missing"
        assert name in problem(kind, {**body, name: object()})
    assert problem(kind, {**body, "more": 1}) == "1 unknown field(s)"
    assert problem(kind, []) == "it is not an object"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"version": True},
        {"version": "1"},
        {"date": "2026-1-15"},
        {"date": "2026-02-30"},
        {"date": "20260115"},
        {"rows": 101},
        {"counts": {"SUCCESS": 100}},
        {"counts": {"SUCCESS": 101, "NOT_RATED": -1, "FAILED": 0}},
        {"commitment": "C0" * 32},
        {"commitment": "c0" * 31},
        {"object": {"key": "reports/../../etc/passwd", "bytes": 1, "sha256": "1f" * 32}},
        {"object": {"key": "/etc/passwd", "bytes": 1, "sha256": "1f" * 32}},
        {"object": {"key": "reports/x", "bytes": 0, "sha256": "1f" * 32}},
        {"recipients": "e1"},
        {"parts": [{"key": "parts/x"}]},
    ],
)
def test_a_publish_body_with_a_bad_value_is_neither_written_nor_named_by_value(
    change: dict[str, Any],
) -> None:
    body = publish_body(**change)
    wrong = problem(Kind.PUBLISH, body)
    assert wrong
    assert not any(str(value) in wrong for value in change.values())
    with pytest.raises(ValueError, match="the body of a publish entry is wrong"):
        entry(Kind.PUBLISH, body, Head())


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        chain.encode(
            Kind.HOLD,
            BODIES[Kind.HOLD],
            place=PLACE,
            link=Link(1, chain.NOTHING),
            recorded_at=WHEN.replace(tzinfo=None),
            software="",
            signer=SIGNER,
        )


GOOD = entry(Kind.PUBLISH, publish_body(), Head())
PAYLOAD, SIGNATURE = GOOD.split(b"\n")[:2]


def _with(**changes: Any) -> bytes:
    fields = {**canonical_json.loads(PAYLOAD), **changes}
    return canonical_json.dumps(fields) + b"\n" + SIGNATURE + b"\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "zero bytes"),
        (GOOD + b"\n", "two lines"),
        (GOOD + b" ", "two lines"),
        (GOOD + GOOD, "two lines"),
        (GOOD[:-1], "two lines"),
        (PAYLOAD + b"\n", "two lines"),
        (b"\n" + GOOD, "two lines"),
        (PAYLOAD + b"\r\n" + SIGNATURE + b"\n", "canonical"),
        (PAYLOAD + b"\n" + PAYLOAD + b"\n", "canonical"),
        (PAYLOAD + b"\n" + SIGNATURE.replace(b'":"', b'": "') + b"\n", "canonical"),
        (PAYLOAD + b'\n{"key":"k","signature":"QQ"}\n', "canonical"),
        (PAYLOAD + b'\n{"key":"k","signature":"QR=="}\n', "canonical"),  # the one way is QQ==
        (PAYLOAD + b'\n{"key":"k","signature":1}\n', "canonical"),
        (b"[]\n" + SIGNATURE + b"\n", "schema"),
        (_with(schema=2), "unknown schema"),
        (_with(schema=True), "unknown schema"),
        (_with(more=1), "missing or unknown fields"),
        (_with(kind="poem"), "unknown kind"),
        (_with(kind=1), "wrong type"),
        (_with(sequence="1"), "wrong type"),
        (_with(kind="hold"), "body of the hold entry"),
        (_with(recorded_at="2026-01-15T11:03:07+00:00"), "time"),
        (_with(recorded_at="2026-1-15T11:03:07Z"), "time"),
    ],
)
def test_what_is_not_exactly_an_entry_is_refused_and_said_why(data: bytes, what: str) -> None:
    with pytest.raises(Tampered, match=what):
        chain.decode(data)


def test_names_of_entries_sort_as_their_sequences_and_only_they_are_read_as_such() -> None:
    assert chain.key_of(1) == "chain/0000000001"
    assert chain.sequence_of("chain/0000000001") == 1
    arabic_digits = chr(0x661) * 10
    for odd in ("chain/1", "chain/0000000000", "chain/00000000011", f"chain/{arabic_digits}", "x/0000000001"):
        assert chain.sequence_of(odd) is None
