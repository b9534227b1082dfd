"""Which objects nobody refers to: by the chain's entries, and by nothing else."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from esg_assets.core import chain
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.examination import Head
from esg_assets.core.orphans import date_in, named_keys, records_orphans, work_orphans
from esg_assets.core.store_care import StoredObject
from esg_assets_tests.unit.chain_material import entry, publish_body, stored, summary_body

DATE = "2026-01-15"
NAME = "ab" * 16


def _decoded(kind: Kind, body: Mapping[str, Any]) -> Entry:
    return chain.decode(entry(kind, body, Head(0, "0" * 64)))


ENTRIES = [
    _decoded(Kind.PUBLISH, publish_body(DATE)),
    _decoded(Kind.SUMMARY, summary_body(DATE)),
    _decoded(
        Kind.EXPIRE,
        {
            "date": "2020-01-02", "version": 1, "requested_by": "a", "reason": "b", "retention_years": 6,
            "keys": ["reports/2020-01-02/old.csv.esdk"],
        },
    ),
    _decoded(
        Kind.ARCHIVE,
        {
            "date": DATE, "version": 1, "recipients": [],
            "objects": [stored(f"archive/{DATE}/{NAME}.tar.esdk")],
        },
    ),
]  # fmt: skip


def _objects(*keys: str) -> list[StoredObject]:
    return [StoredObject(key, 1, dt.datetime(2026, 1, 15, tzinfo=dt.UTC)) for key in keys]


def test_whatever_an_entry_names_is_named_however_deep_and_expired_too() -> None:
    named = named_keys(ENTRIES)
    assert {
        f"reports/{DATE}/{NAME}.csv.esdk",
        f"reports/{DATE}/{NAME}.salt.esdk",
        f"archive/{DATE}/{NAME}.tar.esdk",
        f"summaries/{DATE}/{1:032x}.json.esdk",
        f"snapshots/{DATE}/0001",
        f"parts/{DATE}/0001/00000001",
        "reports/2020-01-02/old.csv.esdk",
    } == named


@pytest.mark.parametrize(
    ("key", "orphaned"),
    [
        (f"reports/{DATE}/{NAME}.csv.esdk", False),
        (f"reports/{DATE}/{'cd' * 16}.csv.esdk", True),
        (f"summaries/{DATE}/{2:032x}.json.esdk", True),
        (f"archive/{DATE}/{'cd' * 16}.tar.esdk", True),
        ("reports/2020-01-02/old.csv.esdk", False),
        ("store_id", False),
        ("chain/0000000009", False),
        ("somebody/elses", False),
    ],
)
def test_a_record_counts_if_an_entry_names_it(key: str, orphaned: bool) -> None:
    assert bool(records_orphans(_objects(key), ENTRIES)) is orphaned


@pytest.mark.parametrize(
    ("key", "orphaned"),
    [
        (f"snapshots/{DATE}/0007", False),
        (f"parts/{DATE}/0001/00000009", False),
        (f"handles/salt/{DATE}/{'c0' * 32}/0001", False),
        (f"handles/salt/{DATE}/{'c1' * 32}/0001", True),
        (f"handles/summary/{DATE}/{1:032x}/0001", False),
        (f"handles/summary/{DATE}/{2:032x}/0001", True),
        (f"handles/ratings/{DATE}/handle/0001", False),
        (f"handles/archive/{DATE}/note/0001", False),
        ("doctor/0123456789abcdef", True),
        ("store_id", False),
    ],
)
def test_of_working_data_only_handles_of_what_never_came_are_orphans(key: str, orphaned: bool) -> None:
    assert bool(work_orphans(_objects(key), ENTRIES)) is orphaned


@pytest.mark.parametrize(
    ("name", "date"),
    [
        (f"reports/{DATE}/x", dt.date(2026, 1, 15)),
        (f"handles/salt/{DATE}/c0/1", dt.date(2026, 1, 15)),
        ("parts/2026-13-45/1", None),
        ("doctor/1", None),
    ],
)
def test_the_date_of_an_object_is_in_its_name(name: str, date: dt.date | None) -> None:
    assert date_in(name) == date
