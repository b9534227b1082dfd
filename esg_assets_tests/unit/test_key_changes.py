"""A publication with other keys than the one before it shows, and nothing else does."""

import hashlib

import pytest

from esg_assets.core import chain
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Tampered
from esg_assets.core.examination import Head
from esg_assets.core.key_changes import key_changes
from esg_assets_tests.unit.chain_material import (
    SIGNER,
    SeededSigner,
    entry,
    ordinary_chain,
    publish_body,
    summary_body,
)

A, B, C = "a1" * 32, "b2" * 32, "c3" * 32


def published(*nights: tuple[list[str], SeededSigner]) -> list[Entry]:
    """A chain of a publication and its summary for each night: recipients, signer."""
    entries: list[Entry] = []
    head = Head()
    for number, (recipients, signer) in enumerate(nights, start=1):
        day = f"2026-01-{number:02d}"
        for kind, body in (
            (Kind.PUBLISH, publish_body(day, recipients=recipients)),
            (Kind.SUMMARY, summary_body(day)),
        ):
            data = entry(kind, body, head, signer=signer)
            head = Head(head.sequence + 1, hashlib.sha256(data).hexdigest())
            entries.append(chain.decode(data))
    return entries


def test_the_first_publication_has_nothing_to_differ_from() -> None:
    verdict = key_changes(published(([A, B], SIGNER)), 1).verdict
    assert verdict.passed
    assert not verdict.blocks


def test_the_same_keys_in_another_order_are_the_same() -> None:
    verdict = key_changes(published(([A, B], SIGNER), ([B, A], SIGNER)), 3).verdict
    assert verdict.passed
    assert "entry 1" in verdict.note


def test_a_recipient_who_comes_or_goes_is_named() -> None:
    found = key_changes(published(([A, B], SIGNER), ([A, C], SIGNER)), 3)
    assert (found.recipients_added, found.recipients_removed) == ((C,), (B,))
    verdict = found.verdict
    assert not verdict.passed
    assert (verdict.severity, verdict.blocks) == ("WARN", False)
    assert verdict.measured == {"recipients_added": C, "recipients_removed": B, "signer": "key-1"}
    assert f"recipient {C[:16]}… added" in verdict.note
    assert "ESG_REPORT_RECIPIENTS" in verdict.note


def test_another_signer_is_named() -> None:
    verdict = key_changes(published(([A], SIGNER), ([A], SeededSigner(2))), 3).verdict
    assert not verdict.passed
    assert (verdict.measured["signer"], verdict.measured["signer_before"]) == ("key-2", "key-1")


def test_each_publication_is_compared_with_the_one_before_it_alone() -> None:
    entries = published(([A], SIGNER), ([B], SIGNER), ([B], SIGNER))
    assert [key_changes(entries, sequence).verdict.passed for sequence in (1, 3, 5)] == [True, False, True]


def test_a_correction_is_compared_with_what_was_published_before_it_whatever_its_date() -> None:
    entries = [chain.decode(data) for data in ordinary_chain()]
    assert key_changes(entries, 5).before == 3


@pytest.mark.parametrize("sequence", [0, 2, 9])
def test_what_is_no_publication_has_no_keys_to_compare(sequence: int) -> None:
    with pytest.raises(Tampered, match="no publication"):
        key_changes(published(([A], SIGNER)), sequence)
