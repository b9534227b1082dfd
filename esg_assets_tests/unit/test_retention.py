"""When something may go: years to the day, holds, and what a reseal made superfluous."""

import datetime as dt
from typing import Any

import pytest

from esg_assets.core import chain, chain_history, retention
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyMissing, Refused
from esg_assets.core.examination import Head
from esg_assets_tests.unit.chain_material import PLACE, SIGNER, publish_body, stored, summary_body

DAY = dt.date(2026, 1, 15)
WHO = {"requested_by": "somebody", "reason": "a reason"}


def utc(*when: int) -> dt.datetime:
    return dt.datetime(*when, tzinfo=dt.UTC)  # type: ignore[arg-type, misc]  # year, month, day, hour …


def chain_of(*told: tuple[Kind, dict[str, Any], dt.datetime]) -> list[Entry]:
    """Entries at moments of their own."""
    entries: list[Entry] = []
    head = Head()
    for kind, body, when in told:
        link = chain.Link(head.sequence + 1, head.sha256)
        data = chain.encode(
            kind, body, place=PLACE, link=link, recorded_at=when, software="0.1.0", signer=SIGNER
        )
        entries.append(chain.decode(data))
        head = Head(head.sequence + 1, entries[-1].sha256)
    return entries


FIRST = utc(2026, 1, 15, 11)


def publish(version: int = 1, when: dt.datetime = FIRST) -> tuple[Any, ...]:
    body = publish_body(
        version=version,
        object=stored(f"reports/2026-01-15/r{version}.csv.esdk"),
        salt=stored(f"reports/2026-01-15/s{version}.salt.esdk"),
    )
    return Kind.PUBLISH, body, when


def reseal(version: int = 1) -> tuple[Any, ...]:
    body = {
        "date": "2026-01-15",
        "version": version,
        "counts": publish_body()["counts"],
        "commitment": "c0" * 32,
        "object": stored(f"reports/2026-01-15/new{version}.csv.esdk"),
        "salt": stored(f"reports/2026-01-15/new{version}.salt.esdk"),
        "summary": None,
        "archived": [],
        "recipients": ["e9" * 32],
        **WHO,
    }
    return Kind.RESEAL, body, utc(2026, 3, 1)


def hold(kind: Kind = Kind.HOLD, date: str = "2026-01-15") -> tuple[Any, ...]:
    return kind, {"date": date, **WHO}, utc(2026, 2, 1)


@pytest.mark.parametrize(
    ("published", "years", "expected"),
    [
        (utc(2026, 1, 15, 11), 6, dt.date(2032, 1, 15)),
        (utc(2028, 2, 29, 11), 6, dt.date(2034, 3, 1)),
        (utc(2028, 2, 29, 11), 4, dt.date(2032, 2, 29)),
    ],
)
def test_a_report_may_expire_years_after_its_publication_to_the_day(
    published: dt.datetime, years: int, expected: dt.date
) -> None:
    assert chain_history.may_expire_from(published, years) == expected


def test_the_day_before_is_refused_with_the_dates() -> None:
    entries = chain_of(publish())
    with pytest.raises(Refused, match=r"published on 2026-01-15 .* 6 years .* expire on 2032-01-15"):
        retention.to_expire(entries, DAY, now=utc(2032, 1, 14, 23), retention_years=6)
    (removal,) = retention.to_expire(entries, DAY, now=utc(2032, 1, 15), retention_years=6)
    assert removal.keys == ("reports/2026-01-15/r1.csv.esdk", "reports/2026-01-15/s1.salt.esdk")


def test_a_correction_keeps_the_whole_date_as_long_as_itself() -> None:
    entries = chain_of(publish(), publish(2, utc(2027, 6, 1)))
    with pytest.raises(Refused, match=r"version 2 was published on 2027-06-01 .* on 2033-06-01"):
        retention.to_expire(entries, DAY, now=utc(2033, 5, 31), retention_years=6)
    found = retention.to_expire(entries, DAY, now=utc(2033, 6, 1), retention_years=6)
    assert [each.publication.version for each in found] == [1, 2]


def test_a_hold_stops_every_removal_until_it_is_released() -> None:
    entries = chain_of(publish(), reseal(), hold(date="2026-01-16"), hold())
    told = r"under hold since 2026-02-01 \(entry 4, by somebody: a reason\)"
    with pytest.raises(Refused, match=told):
        retention.to_expire(entries, DAY, now=utc(2040, 1, 1), retention_years=6)
    with pytest.raises(Refused, match=told):
        retention.superseded(entries, DAY)
    released = chain_of(publish(), reseal(), hold(), hold(Kind.RELEASE))
    assert retention.held_by(released, DAY) is None
    assert retention.to_expire(released, DAY, now=utc(2040, 1, 1), retention_years=6)


def test_what_expired_is_not_expired_again() -> None:
    keys = ["reports/2026-01-15/r1.csv.esdk", "reports/2026-01-15/s1.salt.esdk"]
    body = {"date": "2026-01-15", "version": 1, "keys": keys, "retention_years": 6, **WHO}
    entries = chain_of(publish(), (Kind.EXPIRE, body, utc(2032, 2, 1)))
    assert retention.to_expire(entries, DAY, now=utc(2032, 3, 1), retention_years=6) == []
    assert retention.unfinished_keys(entries, DAY) == keys
    assert retention.unfinished_keys(entries, dt.date(2026, 1, 16)) == []


def test_only_versions_with_a_reseal_have_superseded_objects() -> None:
    summary = (Kind.SUMMARY, summary_body(), utc(2026, 1, 15, 12))
    entries = chain_of(publish(), publish(2), summary, reseal(2))
    (removal,) = retention.superseded(entries, DAY)
    assert removal.publication.version == 2
    assert removal.keys == ("reports/2026-01-15/r2.csv.esdk", "reports/2026-01-15/s2.salt.esdk")


def test_a_date_that_was_never_published_has_nothing_to_expire() -> None:
    with pytest.raises(KeyMissing, match="no report is published"):
        retention.to_expire(chain_of(publish()), dt.date(2026, 1, 16), now=utc(2040, 1, 1), retention_years=6)
