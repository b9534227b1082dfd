"""Sealed summaries: opened by the recipients, the last one counts, and each belongs to its version."""

import dataclasses
from pathlib import Path

import pytest

from esg_assets.adapters.envelope import PrivateKeyEnvelope
from esg_assets.core.errors import (
    KeyMissing,
    Tampered,
)
from esg_assets_tests.adapters.records_material import (
    OTHER_CSV,
    Records,
    opener,
    recipient,
    records_in,
)
from esg_assets_tests.adapters.work_material import DAY


@pytest.fixture(params=["memory", "local"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    return Records() if request.param == "memory" else records_in(tmp_path)


def test_a_summary_is_opened_by_the_recipients(house: Records) -> None:
    publications = house.publications()
    published = house.publish(DAY)
    with pytest.raises(KeyMissing, match="none is published"), publications.open_summary(published, opener()):
        pass
    told = publications.publish_summary(published, [b'{"a"', b":1}"])
    assert told.summary is not None
    assert dataclasses.replace(told, summary=None) == published
    with publications.open_summary(told, opener(2)) as source:
        assert source.read() == b'{"a":1}'
    with pytest.raises(Tampered), publications.open_summary(told, PrivateKeyEnvelope(recipient(3)[1])):
        pass
    assert publications.latest(DAY) == told


def test_the_same_summary_again_changes_nothing_and_another_one_counts(house: Records) -> None:
    publications = house.publications()
    first = publications.publish_summary(house.publish(DAY), b'{"a":1}')
    before = house.record_names()
    assert house.publications().publish_summary(first, b'{"a":1}') == first
    assert house.record_names() == before
    second = publications.publish_summary(first, b'{"a":2}')
    assert second.summary != first.summary
    assert publications.latest(DAY) == second
    assert publications.verify().ok


def test_a_summary_belongs_to_its_version(house: Records) -> None:
    publications = house.publications()
    first = publications.publish_summary(house.publish(DAY), b'{"a":1}')
    second = publications.publish_summary(house.publish(DAY, OTHER_CSV), b'{"a":1}')
    swapped = dataclasses.replace(second, summary=first.summary)
    with pytest.raises(Tampered), publications.open_summary(swapped, opener()) as source:
        source.read()
    assert publications.version(DAY, 1) == first
