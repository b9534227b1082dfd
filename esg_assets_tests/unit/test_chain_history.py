"""What entries of every kind may say after those before them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from esg_assets.core import chain
from esg_assets.core.chain import Link
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.chain_history import may_expire_from
from esg_assets.core.examination import Examination, Head, examine, head_fault
from esg_assets_tests.unit.chain_material import (
    KEYRING,
    PLACE,
    SIGNER,
    WHEN,
    publish_body,
    stored,
    summary_body,
)

WHO = {"requested_by": "jane", "reason": "an order"}
DATE = "2026-01-15"
VERSION: dict[str, Any] = {"date": DATE, "version": 1}
PUBLISH = (Kind.PUBLISH, publish_body())
SUMMARY = (Kind.SUMMARY, summary_body())
HOLD: tuple[Kind, dict[str, Any]] = (Kind.HOLD, {"date": DATE, **WHO})
RELEASE: tuple[Kind, dict[str, Any]] = (Kind.RELEASE, {"date": DATE, **WHO})
OLD = [PUBLISH[1]["object"]["key"], PUBLISH[1]["salt"]["key"]]
NEW = [f"reports/{DATE}/new.csv.esdk", f"reports/{DATE}/new.salt.esdk"]
ARCHIVED = f"archive/{DATE}/one.tar.esdk"
SIX_YEARS_ON = WHEN.replace(year=2032)

Said = tuple[Kind, Mapping[str, Any]]


def reseal(**changes: Any) -> Said:
    totals = {name: PUBLISH[1][name] for name in ("counts", "commitment")}
    body = {**VERSION, **totals, **WHO, "object": stored(NEW[0]), "salt": stored(NEW[1])}
    return Kind.RESEAL, {**body, "summary": None, "archived": [], "recipients": ["e9" * 32], **changes}


def archive(*keys: str) -> Said:
    return Kind.ARCHIVE, {**VERSION, "objects": [stored(key) for key in keys], "recipients": ["e1" * 32]}


def expire(*keys: str, years: int = 6) -> Said:
    return Kind.EXPIRE, {**VERSION, **WHO, "keys": list(keys), "retention_years": years}


def objects_of(said: Sequence[Said], last: dt.datetime = WHEN) -> list[bytes]:
    """A chain that says this; its last entry is recorded at `last`."""
    objects: list[bytes] = []
    head = Head()
    for number, (kind, body) in enumerate(said, start=1):
        data = chain.encode(
            kind,
            body,
            place=PLACE,
            link=Link(number, head.sha256),
            recorded_at=last if number == len(said) else WHEN,
            software="1",
            signer=SIGNER,
        )
        head = Head(number, chain.decode(data).sha256)
        objects.append(data)
    return objects


def faults_of(*said: Said, last: dt.datetime = WHEN) -> list[tuple[int, str | None, int | None, str]]:
    found = examine(enumerate(objects_of(said, last), start=1), PLACE, KEYRING)[1]
    return [(each.sequence, each.date, each.version, each.what) for each in found]


def test_a_whole_life_of_a_report_has_no_fault() -> None:
    resealed = reseal(archived=[stored(f"archive/{DATE}/two.tar.esdk")])
    life = [PUBLISH, SUMMARY, archive(ARCHIVED), HOLD, resealed, RELEASE, expire(*OLD, ARCHIVED)]
    assert faults_of(*life) == []
    assert faults_of(*life, expire(*NEW), last=SIX_YEARS_ON) == []


ELSE_PUBLISHED = [
    (reseal(counts={"SUCCESS": 89, "NOT_RATED": 8, "FAILED": 3}), "other counts or another commitment"),
    (reseal(commitment="c1" * 32), "other counts or another commitment"),
    (reseal(recipients=[]), "for no recipient"),
    (archive(), "names no object"),
    (RELEASE, "a date that is under no hold"),
    (expire(), "does not name objects of its version"),
    (expire(OLD[0], NEW[0], years=1), "does not name objects of its version"),
    (expire(OLD[0]), "came too early: kept for 6 years, it may expire on 2032-01-15"),
]


@pytest.mark.parametrize(("said", "what"), ELSE_PUBLISHED)
def test_what_does_not_fit_the_publication_is_named(said: Said, what: str) -> None:
    [(sequence, date, version, found)] = faults_of(PUBLISH, said)
    assert (sequence, date) == (2, DATE)
    assert version == said[1].get("version")
    assert what in found


@pytest.mark.parametrize("said", [reseal(), archive(ARCHIVED), SUMMARY, HOLD, RELEASE, expire(OLD[0])])
def test_nothing_is_said_of_a_report_that_was_never_published(said: Said) -> None:
    [(sequence, _, _, what)] = faults_of(said)
    assert sequence == 1
    assert what.endswith(f"{said[0]} entry for a report that was never published")


def test_holds_and_releases_alternate() -> None:
    assert faults_of(PUBLISH, HOLD, RELEASE, HOLD) == []
    assert [what for *_, what in faults_of(PUBLISH, HOLD, HOLD)] == [
        "a hold entry for a date that is under hold already"
    ]
    assert [n for n, *_ in faults_of(PUBLISH, HOLD, RELEASE, RELEASE)] == [4]


def test_nothing_expires_under_hold_however_old_it_is() -> None:
    [(_, _, _, what)] = faults_of(PUBLISH, HOLD, expire(*OLD), last=SIX_YEARS_ON)
    assert what == "an expire entry for a date under hold"
    assert faults_of(PUBLISH, HOLD, RELEASE, expire(*OLD), last=SIX_YEARS_ON) == []


def test_an_expiry_is_right_from_its_day_on() -> None:
    day_before = SIX_YEARS_ON - dt.timedelta(days=1)
    assert len(faults_of(PUBLISH, expire(*OLD), last=day_before)) == 1
    assert faults_of(PUBLISH, expire(*OLD), last=SIX_YEARS_ON) == []
    assert faults_of(PUBLISH, expire(*OLD, years=1), last=WHEN.replace(year=2027)) == []
    assert may_expire_from(dt.datetime(2024, 2, 29, tzinfo=dt.UTC), 6) == dt.date(2030, 3, 1)


def test_only_what_a_reseal_replaced_may_go_early() -> None:
    assert faults_of(PUBLISH, reseal(), expire(*OLD)) == []
    [(sequence, *_, what)] = faults_of(PUBLISH, reseal(), expire(OLD[0], NEW[0]))
    assert sequence == 3
    assert "came too early" in what


def test_nothing_expires_twice_and_what_expired_is_not_resealed() -> None:
    once = [PUBLISH, reseal(), expire(*OLD)]
    assert [what for *_, what in faults_of(*once, expire(OLD[0]))] == [
        "an expire entry for an object that expired before"
    ]
    gone = [
        (Kind.PUBLISH, publish_body()),
        reseal(object=stored(OLD[0])),
        expire(OLD[1]),
        expire(OLD[0], years=1),
    ]
    objects = objects_of(gone, WHEN.replace(year=2030))
    head = Head(4, chain.decode(objects[-1]).sha256)
    late = chain.encode(
        *reseal(), place=PLACE, link=Link(5, head.sha256), recorded_at=WHEN, software="1", signer=SIGNER
    )
    [fault] = examine(enumerate([*objects, late], start=1), PLACE, KEYRING)[1]
    assert (fault.sequence, fault.what) == (5, "a reseal entry for a report that has expired")


@pytest.mark.parametrize("said", [RELEASE, HOLD, SUMMARY, expire(OLD[0]), archive(ARCHIVED), reseal()])
def test_a_hole_in_the_chain_excuses_what_it_may_have_held(said: Said) -> None:
    objects = objects_of([PUBLISH, HOLD, said])
    holed = [(number, data) for number, data in enumerate(objects, start=1) if number != 2]
    assert [each.sequence for each in examine(holed, PLACE, KEYRING)[1]] == [2]
    headless = [(number, data) for number, data in enumerate(objects, start=1) if number != 1]
    assert [each.sequence for each in examine(headless, PLACE, KEYRING)[1]] == [1]


def test_a_hole_does_not_excuse_what_no_entry_could_explain() -> None:
    objects = objects_of([PUBLISH, HOLD, reseal(commitment="c1" * 32)])
    holed = [(1, objects[0]), (3, objects[2])]
    assert [each.sequence for each in examine(holed, PLACE, KEYRING)[1]] == [2, 3]


def restore(lost: Head) -> Said:
    return Kind.RESTORE, {**WHO, "head": {"sequence": lost.sequence, "sha256": lost.sha256}}


def judged(objects: Sequence[bytes]) -> Examination:
    examination = Examination(PLACE, KEYRING)
    for sequence, data in enumerate(objects, start=1):
        examination.take(sequence, data)
    return examination


def test_after_a_restore_numbers_go_on_from_what_stands() -> None:
    lost = Head(3, "aa" * 32)
    again = (Kind.PUBLISH, publish_body(version=2))
    assert faults_of(PUBLISH, restore(lost), again) == []
    assert [n for n, *_ in faults_of(PUBLISH, restore(lost), (Kind.PUBLISH, publish_body(version=3)))] == [3]


def test_a_restore_that_lost_nothing_is_named() -> None:
    first = chain.decode(objects_of([PUBLISH])[0])
    for lost in (Head(1, first.sha256), Head(0, "00" * 32)):
        [(sequence, _, _, what)] = faults_of(PUBLISH, restore(lost))
        assert sequence == 2
        assert "although nothing was lost" in what
    assert faults_of(PUBLISH, restore(Head(1, "bb" * 32))) == []  # rewritten: another entry 1 was remembered


def test_a_head_that_was_lost_stays_a_fault_and_the_restore_is_named() -> None:
    lost = Head(3, "aa" * 32)
    for expected, what in ((lost, "the chain ends at entry 2"), (Head(2, "ab" * 32), "rewritten")):
        fault = head_fault(expected, judged(objects_of([PUBLISH, restore(lost)])))
        assert fault is not None
        assert what in fault.what
        assert "entry 2 says that the records were restored" in fault.what
