"""Figures go after their years, and never while the report that they are about can be opened."""

import datetime as dt
from typing import Any

import pytest

from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.forgetting import figures_to_forget
from esg_assets_tests.unit.test_retention import chain_of, hold, publish, utc

WHO = {"requested_by": "somebody", "reason": "retention"}
EXPIRED = utc(2032, 1, 15, 12)


def expire(*names: str, version: int = 1) -> tuple[Any, ...]:
    keys = sorted(f"reports/2026-01-15/{name}" for name in names)
    body = {"date": "2026-01-15", "version": version, "keys": keys, "retention_years": 6, **WHO}
    return Kind.EXPIRE, body, EXPIRED


WHOLE = expire("r1.csv.esdk", "s1.salt.esdk")


def forgotten(entries: list[Entry], now: dt.datetime, years: int = 10) -> list[int]:
    """Sequences of the entries whose figures may go."""
    wanted = {entry.sha256 for entry in entries}
    found = set(figures_to_forget(entries, wanted, now=now, years=years))
    return [entry.sequence for entry in entries if entry.sha256 in found]


def test_they_go_after_their_years_to_the_day_once_the_report_has_expired() -> None:
    entries = chain_of(publish(), WHOLE)
    assert forgotten(entries, utc(2036, 1, 14, 23)) == []
    assert forgotten(entries, utc(2036, 1, 15)) == [1]


def test_a_report_that_is_still_there_keeps_its_figures_for_ever() -> None:
    assert forgotten(chain_of(publish()), utc(2099, 1, 1)) == []
    assert forgotten(chain_of(publish(), expire("r1.csv.esdk")), utc(2099, 1, 1)) == []


def test_no_version_of_a_date_goes_before_every_version_has_expired() -> None:
    second = publish(2, utc(2026, 6, 1))
    assert forgotten(chain_of(publish(), second, WHOLE), utc(2099, 1, 1)) == []
    entries = chain_of(publish(), second, WHOLE, expire("r2.csv.esdk", "s2.salt.esdk", version=2))
    assert forgotten(entries, utc(2036, 5, 31)) == [1]
    assert forgotten(entries, utc(2036, 6, 1)) == [1, 2]


@pytest.mark.parametrize(("last", "found"), [(Kind.HOLD, []), (Kind.RELEASE, [1])])
def test_a_hold_keeps_them(last: Kind, found: list[int]) -> None:
    holds = [hold(), *([hold(last)] if last is Kind.RELEASE else [])]
    assert forgotten(chain_of(publish(), WHOLE, *holds), utc(2040, 1, 1)) == found


def test_shorter_years_of_the_history_do_not_shorten_those_of_the_report() -> None:
    assert forgotten(chain_of(publish()), utc(2030, 1, 1), years=1) == []


def test_only_what_is_asked_for_is_told() -> None:
    entries = chain_of(publish(), WHOLE)
    assert list(figures_to_forget(entries, set(), now=utc(2040, 1, 1), years=10)) == []
